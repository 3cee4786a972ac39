"""The statements that pages make in words and numbers, and what each says of a run; compared with the run, not with what drew the page."""

from __future__ import annotations

import html as markup
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from lsr_app.reading.rundata import RunData
from lsr_core.problems.grids import regular_grid

NUMBER = r"([-\d.,]+(?:e-?\d+)?)"
Floats = NDArray[np.float64]
Check = Callable[[re.Match[str], RunData, int], bool]


@dataclass(frozen=True)
class Statement:
    """A form of sentence, and whether what it says is so of a run that is looked at at a rank."""

    name: str
    pattern: re.Pattern[str]
    holds: Check


def said(app: AppTest) -> str:
    """All that a page says, as plain text."""
    parts = [element.value.replace("\\", "") for element in (*app.markdown, *app.caption, *app.info, *app.warning)]
    parts += [markup.unescape(re.sub(r"<[^>]*>", " ", element.proto.body)) for element in app.get("html")]
    return re.sub(r" +", " ", "\n".join(parts).replace("\u2060", ""))


def value(text: str) -> float:
    return float(text.rstrip(".,").replace(",", ""))


def near(text: str, true: float, digits: int = 2) -> bool:
    """Whether a number in a sentence is this one, rounded as sentences round."""
    told = value(text)
    return math.isclose(told, true, rel_tol=0.6 * 10.0 ** (1 - digits), abs_tol=1e-300)


def sizes(data: RunData, rank: int) -> tuple[float, float]:
    """The error that is reported, before and after, from sweep and summary."""
    summary, name = data.summary, f"{data.headline_split[0]}_{'relative_l2' if data.has_reference else 'mse'}"

    def at(place: int) -> float:
        exact = {0: summary.base, summary.rank: summary.refined}.get(place)
        found = getattr(exact, name, None)
        return float(getattr(data.sweep, name)[place]) if found is None else float(found)

    before, after = at(0), at(rank)
    return (before, after) if data.has_reference else (math.sqrt(before), math.sqrt(after))


def gain(found: re.Match[str], data: RunData, rank: int) -> bool:
    before, after = sizes(data, rank)
    told = before / after if found["verb"] == "lowers" else after / before
    if found["percent"]:
        change = 1 - 1 / told if found["verb"] == "lowers" else told - 1
        size_is_right = near(found["percent"], 100 * change)
    else:
        size_is_right = near(found["factor"], told)
    return value(found["rank"]) == rank and value(found["most"]) == data.sweep.max_rank and told > 1 and size_is_right


def smallest(found: re.Match[str], data: RunData, rank: int) -> bool:
    ladder = np.asarray(data.ladder)
    errors = np.where(data.sweep.solved[ladder], data.sweep.val_mse[ladder], np.nan)
    place = int(value(found[1]))
    chosen = data.summary.one_shot or data.summary
    return place == data.snap(chosen.rank) or place == int(ladder[int(np.nanargmin(errors))])


def rise(found: re.Match[str], data: RunData, rank: int) -> bool:
    known = data.sweep.val_mse[data.sweep.solved & np.isfinite(data.sweep.val_mse)]
    return value(found[1]) == data.sweep.max_rank and near(found[2], float(known[-1] / known.min()))


def conditions(found: re.Match[str], data: RunData, rank: int) -> bool:
    kappa, solved = (data.reported(name, rank) for name in ("condition_number", "solved_condition_number"))
    epsilon = np.finfo(np.float32 if data.summary.dtype == "float32" else np.float64).eps
    digits = found["digits"]
    left = max(0, math.floor(-math.log10(epsilon * max(1.0, solved))))
    told = left == int(digits) if digits else left == 0
    return value(found["rank"]) == rank and near(found["kappa"], kappa) and near(found["solved"], solved) and told


def sketched(found: re.Match[str], data: RunData, rank: int) -> bool:
    below = int((data.spectrum.singular_values[:rank] < data.spectrum.sketch_error).sum())
    return value(found[1]) == below and value(found[2]) == rank and near(found[3], data.spectrum.sketch_error)


def closer(found: re.Match[str], data: RunData, rank: int) -> bool:
    before, after = np.abs(data.network_error(0)), np.abs(data.refined_error(rank, 0))
    share = 100 * float((after < before).mean())
    return (
        abs(value(found[1]) - share) <= 0.51 * 10 ** (math.floor(math.log10(max(share, 0.1))) - 2)
        or 99.9 <= share < 100
    )


def paths(found: re.Match[str], data: RunData, rank: int) -> bool:
    place, row = int(np.argmin(np.abs(data.paths.alpha - 1))), data.ladder.index(rank)
    nonlinear = float(data.paths.nonlinear[row, place])
    linear = float(data.paths.linearised[row, place])
    if data.parts.residual and data.has_validation:
        linear = data.reported("val_mse", rank)
    return near(found["linear"], linear) and near(found["nonlinear"], nonlinear)


def verdict(found: re.Match[str], data: RunData, rank: int) -> bool:
    split = {"validation": "val", "test": "test", "training": "train"}[found[2]]
    before, after = (getattr(errors, f"{split}_mse") for errors in (data.summary.base, data.summary.refined))
    right = value(found[1]) == data.summary.rank and near(found[3], before**0.5, 3) and near(found[4], after**0.5, 3)
    return right and near(found[5], (after / before) ** 0.5)


def beyond(found: re.Match[str], data: RunData, rank: int) -> bool:
    names = {getattr(data.parts, split): split for split in ("train", "val", "test")}
    curve = getattr(data.sweep, f"{names[found[1]]}_mse")
    curve = curve[np.isfinite(curve) & (curve > 0)]
    return near(found[3], float(curve.min() if found[2] == "goes on down to" else curve.max()))


def energies(found: re.Match[str], data: RunData, rank: int) -> bool:
    """By Parseval's identity the energies of all bands together are the mean square error, by the trapezoid rule."""
    grid = regular_grid(data.fields.inputs)
    assert grid is not None
    sides = [axis / (axis[-1] - axis[0]) for axis in grid.axes]

    def mean(field: Floats) -> float:
        squares = np.square(grid(field))
        for side in reversed(sides):
            squares = np.trapezoid(squares, side, axis=-1)
        return float(squares)

    bands = re.findall(rf"from {NUMBER} to {NUMBER} in the", found["bands"])
    sums = [sum(value(pair[side]) for pair in bands) for side in (0, 1)]
    errors = (data.network_error(0), data.refined_error(rank, 0))
    told = (math.isclose(total, mean(field), rel_tol=0.06) for total, field in zip(sums, errors, strict=True))
    return value(found["rank"]) == rank and len(bands) > 1 and all(told)


def on_the_grid(found: re.Match[str], data: RunData, rank: int) -> bool:
    size = np.linalg.norm(data.fields.targets[:, 0])
    before, after = (
        float(np.linalg.norm(field) / size) for field in (data.network_error(0), data.refined_error(rank, 0))
    )
    return near(found[1], before) and near(found[2], after)


def worst(found: re.Match[str], data: RunData, rank: int) -> bool:
    """Of the output that is worst after refinement: as the run reports it at its rank, by its sweep at others, else at the points drawn."""
    summary, curves = data.summary, data.sweep.by_output
    pairs: list[tuple[float | None, float | None]]
    if rank == summary.rank and summary.base.by_output and summary.refined.by_output:
        pairs = list(zip(summary.base.by_output, summary.refined.by_output, strict=True))
    elif curves.size:
        pairs = list(zip(curves[0].tolist(), curves[rank].tolist(), strict=True))
    else:
        sizes = np.linalg.norm(data.fields.targets, axis=0)
        fields = (data.fields.network - data.fields.targets, data.fields.refined_error[data.rung(rank)])
        pairs = list(zip(*(np.linalg.norm(field, axis=0) / sizes for field in fields), strict=True))
    known = [(before, after) for before, after in pairs if after is not None and np.isfinite(after)]
    before, after = max(known, key=lambda pair: pair[1])
    return before is not None and near(found[1], float(before)) and near(found[2], float(after))


def spread(found: re.Match[str], data: RunData, rank: int) -> bool:
    level = {"Median": np.median, "Largest": np.max}[found[1]]
    before, after = (float(level(np.abs(field))) for field in (data.network_error(0), data.refined_error(rank, 0)))
    return near(found[2], before) and near(found[3], after)


def laid(found: re.Match[str], data: RunData, rank: int) -> bool:
    before, after = sizes(data, rank)
    return near(found[1], before) and near(found[2], after)


STATEMENTS = tuple(
    Statement(name, re.compile(pattern), holds)
    for name, pattern, holds in (
        ("gain", r"At rank (?P<rank>[\d,]+) of (?P<most>[\d,]+) refinement (?P<verb>lowers|raises) the .*? by "
         r"(?:a factor of (?P<factor>[\d.,]+)|(?P<percent>[\d.]+) %)", gain),
        ("smallest", r"(?:error|points) is smallest at rank ([\d,]+)", smallest),
        ("rise", r"At the largest rank, ([\d,]+), it is ([\d,.]+)× higher", rise),
        ("conditions", r"condition number at rank (?P<rank>[\d,]+) is (?P<kappa>[\d.,e-]+), which.*?the condition number (?P<solved>[\d.,e-]+): "
         r"rounding (?:leaves about (?P<digits>\d+) of|may take every)", conditions),
        ("sketched", rf"([\d,]+) of the ([\d,]+) directions have singular values below the sketch error, {NUMBER}: ", sketched),
        ("closer", r"At ([\d.]+) % of the points the refined predictor is closer", closer),
        ("paths", r"the refined predictor has loss (?P<linear>[\d.,e-]+), the network at θ0 \+ Δθ has (?P<nonlinear>[\d.,e-]+): ", paths),
        ("verdict", r"At rank ([\d,]+) the (validation|test|training) error (?:\(root mean square\) )?goes from "
         rf"{NUMBER} to {NUMBER} \({NUMBER} of it is left\)", verdict),
        ("beyond", rf"(?:Beyond the axis: |, )(Training|Validation|Test) (goes on down to|rises to) {NUMBER}", beyond),
        ("energies", r"At rank (?P<rank>[\d,]+) refinement takes the energy of the error (?P<bands>.*?band)\.", energies),
        ("grid", rf"on the grid \(relative L2\) +{NUMBER} → {NUMBER} ", on_the_grid),
        ("worst", rf"Worst output, .*? \(relative L2\) +{NUMBER} → {NUMBER} ", worst),
        ("spread", rf"(Median|Largest) error +{NUMBER} → {NUMBER} ", spread),
        ("headline", rf"(?:error \(relative L2\)|Relative L2 error|fresh points) +{NUMBER} → {NUMBER} ", laid),
    )
)  # fmt: skip


CLUMSY = re.compile(
    r"(?<![\d.,])1 (?:steps|rows|samples|points|values|directions|runs|rounds|functions|outputs|inputs|checkpoints|iterations|starts|parameters)\b"
    r"|\d[eE]\+\d|\de-0\d|(?<![\w.])(?:nan|None|inf)(?![\w.])|\(s\)|\{\w*\}| \.(?!\w)|\.\.(?!\.)"
)


def clumsy(text: str) -> list[str]:
    """What no sentence for people holds: 1 steps, 1.0e+00, nan, a place that was not filled in."""
    return [text[max(0, found.start() - 40) : found.end() + 20] for found in CLUMSY.finditer(text)]


def contradictions(text: str, data: RunData, rank: int) -> tuple[set[str], list[str]]:
    """(names of the statements that were found, what is said and not so)."""
    seen, wrong = set(), []
    for statement in STATEMENTS:
        for found in statement.pattern.finditer(text):
            seen.add(statement.name)
            if not statement.holds(found, data, rank):
                wrong.append(f"{statement.name}: {found[0]}")
    return seen, wrong
