"""Arrays of data files to the splits of a problem."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from lsr_core.errors import InputError
from lsr_core.intake import axes
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.problems.splits import Split

MAX_COLUMNS_OFFERED = 64


@dataclass(frozen=True)
class SplitArrays:
    """Which arrays or columns are inputs and which are outputs; `u[2]` is the third column of the array u.

    Attributes:
        order: of an output over axes: which axis each input is; empty = by the lengths, and where two are equal, in the order of the inputs.
        samples_last: tables have a column for each sample.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    order: tuple[int, ...] = ()
    samples_last: bool = False


@dataclass(frozen=True)
class DataMapping:
    """How arrays become splits.

    Attributes:
        train: what the other splits are drawn from where they are not given.
        validation, test: arrays of their own, or None.
        fractions: of the rows, for validation and test where these are not given.
        seed: of the random draw of rows.
        drop: leave out rows with NaN or infinite values instead of refusing them.
    """

    train: SplitArrays
    validation: SplitArrays | None = None
    test: SplitArrays | None = None
    fractions: tuple[float, float] = (0.15, 0.15)
    seed: int = 0
    drop: bool = False


@dataclass(frozen=True)
class Mapped:
    """Splits, the rows as they stand in the file (for a comparison), and what was left out."""

    splits: dict[str, Split]
    inputs: np.ndarray
    outputs: np.ndarray
    dropped: int = 0
    names: tuple[tuple[str, ...], tuple[str, ...]] = field(default=((), ()))


def choices(infos: Sequence[ArrayInfo]) -> list[str]:
    """What can be chosen: every array, and the columns of tables with a few."""
    found = []
    for info in infos:
        if info.unusable:
            continue
        found.append(info.name)
        if len(info.shape) == 2 and 1 < info.shape[1] <= MAX_COLUMNS_OFFERED and info.shape[0] > 1:
            found += [f"{info.name}[{place}]" for place in range(info.shape[1])]
    return found


def arrays_of(chosen: Sequence[str], infos: Sequence[ArrayInfo]) -> list[str]:
    """The arrays that hold these choices."""
    known = {info.name for info in infos}
    return list(dict.fromkeys(name if name in known else name.rpartition("[")[0] for name in chosen))


def rows(arrays: Mapping[str, np.ndarray], pair: SplitArrays) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, d) and outputs (n, o).

    Columns are put side by side. Where the inputs are vectors and the output is an array over them, as in MATLAB's `u(x, t)` with x and t,
    the points are those of the grid, in whatever order the axes of the output stand. Tables of features × samples are turned.

    Raises:
        InputError: arrays of different lengths, or nothing chosen.
    """
    if not pair.inputs or not pair.outputs:
        raise InputError("choose at least one input and one output", key="mapping")
    inputs, outputs = ([pick(arrays, name) for name in names] for names in (pair.inputs, pair.outputs))
    over = axes.over_grid(pair, inputs, outputs)
    if over is not None:
        return over
    tables = axes.tables([*pair.inputs, *pair.outputs], [*inputs, *outputs], pair.samples_last)
    return np.concatenate(tables[: len(inputs)], axis=1), np.concatenate(tables[len(inputs) :], axis=1)


def predictions(arrays: Mapping[str, np.ndarray], pair: SplitArrays, chosen: Sequence[str]) -> np.ndarray:
    """Predictions (k, o) of the first rows: over the same grid as the outputs, or a table.

    Raises:
        InputError: no such array, or lengths that differ.
    """
    given = [pick(arrays, name) for name in chosen]
    over = axes.over_grid(pair, [pick(arrays, name) for name in pair.inputs], given)
    return over[1] if over is not None else np.concatenate(axes.tables(chosen, given, pair.samples_last), axis=1)


def make_splits(arrays: Mapping[str, np.ndarray], mapping: DataMapping) -> Mapped:
    """The splits of a problem.

    Raises:
        InputError: arrays that do not fit together, too few rows, or values that are not finite and are to be kept.
    """
    dropped, splits = 0, {}
    inputs, outputs = rows(arrays, mapping.train)
    good = _finite(inputs, outputs, mapping.drop, "train")
    dropped += int((~good).sum())
    order = np.flatnonzero(good)
    wanted = [0.0 if given else share for given, share in zip((mapping.validation, mapping.test), mapping.fractions, strict=True)]  # fmt: skip
    if any(share < 0 for share in wanted) or sum(wanted) >= 1:
        raise InputError("the shares of validation and test must be positive and leave rows to train on", key="splits")
    counts = [max(1, math.floor(share * len(order))) if share else 0 for share in wanted]
    if len(order) - sum(counts) < 1:
        raise InputError(f"{len(order)} usable rows are too few to be split", key="splits")
    if any(counts):
        order = np.random.default_rng(mapping.seed).permutation(order)
    parts = np.split(order, np.cumsum(counts))
    splits["train"] = _split(inputs[np.sort(parts[2])], outputs[np.sort(parts[2])])
    for place, (name, given) in enumerate((("validation", mapping.validation), ("test", mapping.test))):
        if given is not None:
            left, right = rows(arrays, given)
            kept = _finite(left, right, mapping.drop, name)
            dropped += int((~kept).sum())
            splits[name] = _split(left[kept], right[kept])
        elif counts[place]:
            splits[name] = _split(inputs[np.sort(parts[place])], outputs[np.sort(parts[place])])
    names = tuple(_names(arrays, chosen, width) for chosen, width in (
        (mapping.train.inputs, inputs.shape[1]), (mapping.train.outputs, outputs.shape[1])
    ))  # fmt: skip
    return Mapped(splits, inputs, outputs, dropped, (names[0], names[1]))


def forecast_bytes(infos: Sequence[ArrayInfo], chosen: Sequence[str]) -> int:
    """Bytes that mapping these choices takes: the arrays as they are, and twice as float64."""
    known = {info.name: info for info in infos}
    return sum(known[name].bytes + 16 * math.prod(known[name].shape) for name in arrays_of(chosen, infos))


def pick(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """An array by its name, or a column of a table."""
    if name in arrays:
        return arrays[name]
    base, _, place = name.rpartition("[")
    try:
        column: np.ndarray = arrays[base][:, int(place.removesuffix("]"))]
    except (KeyError, ValueError, IndexError) as error:
        raise InputError("is not among the arrays", key=name[:80]) from error
    return column


def _finite(inputs: np.ndarray, outputs: np.ndarray, drop: bool, name: str) -> np.ndarray:
    good = np.isfinite(inputs).all(1) & np.isfinite(outputs).all(1)
    if not good.all() and not drop:
        bad = np.flatnonzero(~good)
        shown = ", ".join(str(row + 1) for row in bad[:5]) + (", …" if len(bad) > 5 else "")
        holds, row, them = ("holds", "row", "it") if len(bad) == 1 else ("hold", "rows", "them")
        raise InputError(
            f"{len(bad):,} of {len(good):,} rows {holds} NaN or infinite values ({row} {shown}); repair {them}, or leave {them} out",
            key=name,
        )
    if not good.any():
        raise InputError("has no row with finite values only", key=name)
    return good


def _split(inputs: np.ndarray, outputs: np.ndarray) -> Split:
    return Split(torch.from_numpy(np.ascontiguousarray(inputs)), torch.from_numpy(np.ascontiguousarray(outputs)))


def _names(arrays: Mapping[str, np.ndarray], chosen: Sequence[str], width: int) -> tuple[str, ...]:
    """A name for each column."""
    if len(chosen) == width:
        return tuple(Path(name).name[:100] for name in chosen)
    return tuple(f"{chosen[0]}[{place}]"[:100] for place in range(width)) if len(chosen) == 1 else ()
