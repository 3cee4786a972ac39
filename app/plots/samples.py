"""Samples with more inputs than a map has axes: predictions against the truth, and the worst inputs themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots import scales, theme
from lsr_app.plots.base import Canvas, Picture, Rows, finite_range, light
from lsr_app.reading.rundata import RunData
from lsr_app.words import drawntexts, formats, texts

MOST = 3_000  # points of a figure
PARITY_HEIGHT = 330
TILES, SERIES = 12, 6  # worst samples that are drawn: as images, as sequences
FEWEST = 8  # values that make a sequence
Shape = tuple[int, ...]


def parity(run: RunData, values: NDArray[Any], output: int, what: str, colour: str) -> Picture:
    """Predictions against the truth; on the diagonal both agree."""
    canvas = Canvas(height=PARITY_HEIGHT)
    truth = run.fields.targets[:, output]
    every = max(1, -(-len(truth) // MOST))
    low, high = finite_range(truth, run.fields.network[:, output])
    ends = np.array([low, high])
    canvas.line(ends, ends, "", canvas.colours.truth, width=1, dash="dot", hoverinfo="skip", showlegend=False)
    name = formats.plot(run.output_name(output))
    canvas.points(
        light(truth[::every]), light(values[::every]), "", colour, size=5, outline=0, opacity=0.55, customdata=np.arange(len(truth))[::every],
        hovertemplate=f"sample %{{customdata}}<br>true {name} = %{{x:.4g}}<br>predicted {name} = %{{y:.4g}}",
    )  # fmt: skip
    canvas.axes(
        f"True {name}", f"Predicted {name}", xaxis={"constrain": "domain", "constraintoward": "left"},
        yaxis={"constrain": "domain", "constraintoward": "top", "scaleanchor": "x"},
    )  # fmt: skip
    canvas.layout |= {"showlegend": False, "margin": {"l": 58, "r": 14, "t": 8, "b": 44, "autoexpand": False}}
    alt = f"{what} against the truth, {len(truth):,} samples; the largest distance from the diagonal is {formats.error(_largest(values - truth))}."

    def rows() -> Rows:
        return zip(truth.tolist(), values.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("truth", what), rows)


def right_class(run: RunData, rank: int) -> Picture:
    """The probability that each sample's right class is given, before and after; above the diagonal refinement raised it."""
    canvas = Canvas(height=PARITY_HEIGHT)
    right, before, after = chances(run, rank)
    won, lost = ((before == wrong) & (after != wrong) for wrong in (False, True))
    rest = ~(won | lost)
    every = np.arange(len(right))
    place = np.arange(len(right))
    old, new = (values[place, right] for values in (run.fields.network, refined(run, rank)))
    ends = np.array([0.0, 1.0])
    canvas.line(ends, ends, "", canvas.colours.truth, width=1, dash="dot", hoverinfo="skip", showlegend=False)
    for name, chosen, colour in (
        (texts.SAME_VERDICT, rest, canvas.colours.network),
        (texts.RIGHT_NOW, won, canvas.colours.refined),
        (texts.WRONG_NOW, lost, canvas.colours.stepped),
    ):
        if chosen.any():
            canvas.points(
                light(old[chosen]), light(new[chosen]), name, colour, size=6, outline=0, opacity=0.7,
                customdata=np.column_stack([every[chosen], right[chosen]]),
                hovertemplate="sample %{customdata[0]}, class %{customdata[1]}<br>network: %{x:.3g}<br>refined: %{y:.3g}",
            )  # fmt: skip
    canvas.axes("Network: probability of the right class", "Refined predictor: the same")
    alt = (
        f"Probability of the right class before and after refinement, {len(right):,} samples: {int(won.sum())} are right only afterwards, "
        f"{int(lost.sum())} only before."
    )

    def rows() -> Rows:
        return zip(every.tolist(), right.tolist(), old.tolist(), new.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("sample", "right_class", "network", "refined"), rows)


def chances(run: RunData, rank: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """(right class, whether the network is right, whether the refined predictor is) of every display point."""
    right = run.fields.targets.argmax(axis=1)
    return right, run.fields.network.argmax(axis=1) == right, refined(run, rank).argmax(axis=1) == right


def refined(run: RunData, rank: int) -> NDArray[np.float64]:
    """All outputs of the refined predictor at the display points (n, o)."""
    found: NDArray[np.float64] = run.fields.targets + run.fields.refined_error[run.rung(rank)].astype(np.float64)
    return found


def worst(run: RunData, rank: int, output: int, how_many: int) -> list[int]:
    """Display points at which the refined predictor errs most: in an output, or of classes in the probability of the right one."""
    if run.parts.section == "classes":
        right = run.fields.targets.argmax(axis=1)
        size = 1 - refined(run, rank)[np.arange(len(right)), right]
    else:
        size = np.abs(run.refined_error(rank, output))
    return [int(place) for place in np.argsort(-size, kind="stable")[:how_many]]


def drawing(run: RunData, shape: Shape) -> Callable[[RunData, int, int], Picture] | None:
    """How single inputs of this shape are drawn: as images or as sequences; None where neither makes sense."""
    if math.prod(shape) != run.dimension:
        return None
    if image := _image(shape):
        return lambda data, rank, output: images(data, rank, output, image)
    long = [side for side in shape if side > 1]
    return sequences if len(long) == 1 and long[0] >= FEWEST else None


def images(run: RunData, rank: int, output: int, shape: tuple[int, int, int]) -> Picture:
    """The worst samples as one mosaic of grey images, with what is said of each below it."""
    channels, height, width = shape
    places = worst(run, rank, output, TILES)
    across = 6
    down = -(-len(places) // across)
    step_x, step_y = width + max(1, width // 6), height + max(3, height // 2)
    sheet = np.full((down * step_y, across * step_x), np.nan)
    canvas = Canvas(height=150 * down)
    notes = []
    for number, place in enumerate(places):
        row, column = divmod(number, across)
        pixels = run.fields.inputs[place].reshape(channels, height, width).mean(axis=0)
        top, left = row * step_y, column * step_x
        sheet[top : top + height, left : left + width] = pixels
        notes.append(_tag(left + width / 2 - 0.5, top + height - 0.2, said(run, rank, output, place)))
    low, high = finite_range(sheet)
    scale = scales.ColourScale((low, high), "Greys_r" if canvas.colours is theme.DARK else "Greys", {})
    canvas.traces.append(
        scale.heat(np.arange(sheet.shape[1]), np.arange(sheet.shape[0]), sheet, "", showscale=False, hoverinfo="skip")
    )
    bare = {"visible": False, "fixedrange": True}
    canvas.layout |= {
        "xaxis": bare, "yaxis": bare | {"autorange": "reversed", "scaleanchor": "x"}, "annotations": notes, "showlegend": False,
        "margin": {"l": 0, "r": 0, "t": 4, "b": 4, "autoexpand": False},
    }  # fmt: skip
    return Picture(canvas.figure(), _alt(run, rank, output, places), *_table(run, rank, output, places))


def sequences(run: RunData, rank: int, output: int) -> Picture:
    """The worst samples as curves over the place in the sequence, one below the other's side."""
    places = worst(run, rank, output, SERIES)
    across = 3
    down = max(1, -(-len(places) // across))
    canvas = Canvas(height=150 * down + 40)
    low, high = finite_range(*(run.fields.inputs[place] for place in places))
    steps = np.arange(run.dimension)
    notes: list[dict[str, Any]] = []
    for number, place in enumerate(places):
        row, column = divmod(number, across)
        tail = "" if number == 0 else str(number + 1)
        canvas.line(
            steps, light(run.fields.inputs[place]), "", canvas.colours.truth, width=1.6, xaxis=f"x{tail}", yaxis=f"y{tail}",
            hovertemplate="place %{x}: %{y:.3g}", showlegend=False,
        )  # fmt: skip
        ends = [column / across, (column + 0.92) / across]
        top = 1 - row / down
        canvas.layout[f"xaxis{tail}"] = theme.axis("", "linear") | {"domain": ends, "anchor": f"y{tail}", "nticks": 5}
        canvas.layout[f"yaxis{tail}"] = theme.axis("", "linear") | {
            "domain": [top - 0.68 / down, top - 0.16 / down], "anchor": f"x{tail}", "range": [low, high], "nticks": 4,
        }  # fmt: skip
        tag = _tag(ends[0], top - 0.12 / down, said(run, rank, output, place))
        notes.append(tag | {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"})
    canvas.layout |= {"annotations": notes, "margin": {"l": 40, "r": 4, "t": 4, "b": 10, "autoexpand": False}}
    return Picture(canvas.figure(), _alt(run, rank, output, places), *_table(run, rank, output, places))


def said(run: RunData, rank: int, output: int, place: int) -> str:
    """What truth, network and refined predictor say of one sample, in a few characters."""
    if run.parts.section == "classes":
        right, before, after = (
            int(part[place].argmax()) for part in (run.fields.targets, run.fields.network, refined(run, rank))
        )
        return drawntexts.sample_classes(right, before, after)
    values = (part[place] for part in (run.truth(output), run.fields.network[:, output], run.refined(rank, output)))
    return drawntexts.sample_values(*(formats.error(float(value), 3) for value in values))


def _image(shape: Shape) -> tuple[int, int, int] | None:
    """(channels, height, width) where an input is an image of one or three channels."""
    if len(shape) == 2 and min(shape) >= 4:
        return 1, shape[0], shape[1]
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) >= 4:
        return shape[0], shape[1], shape[2]
    return None


def _tag(x: float, y: float, text: str) -> dict[str, Any]:
    return {
        "x": x, "y": y, "text": formats.plot(text), "showarrow": False, "yanchor": "top", "xanchor": "center",
        "font": {"size": theme.SMALL},
    }  # fmt: skip


def _largest(values: NDArray[Any]) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0))


def _alt(run: RunData, rank: int, output: int, places: Sequence[int]) -> str:
    return f"The {len(places)} samples at which the refined predictor errs most. The first: {said(run, rank, output, places[0])}."


def _table(run: RunData, rank: int, output: int, places: Sequence[int]) -> tuple[tuple[str, ...], Callable[[], Rows]]:
    def rows() -> Rows:
        outputs = refined(run, rank)
        for place in places:
            yield (
                place, *run.fields.inputs[place].tolist(), float(run.fields.targets[place, output]),
                float(run.fields.network[place, output]), float(outputs[place, output]),
            )  # fmt: skip

    names = tuple(run.input_name(axis) for axis in range(run.dimension))
    return ("sample", *names, "truth", "network", "refined"), rows
