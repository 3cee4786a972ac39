"""Which axis of an array is which: outputs over the axes of a grid in any order, tables of features × samples."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Protocol

import numpy as np

from lsr_core.errors import InputError

MAX_AXES = 5  # of a grid, of which all orders are tried


class ChosenAxes(Protocol):
    """What `mapping.SplitArrays` says of axes."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def order(self) -> tuple[int, ...]: ...


def orders(shape: Sequence[int], lengths: Sequence[int]) -> list[tuple[int, ...]]:
    """The ways in which an array is over axes of these lengths: for each input, which axis of the array it is. A further axis has outputs.

    The first is the order of the inputs, if that is possible.
    """
    if len(lengths) > MAX_AXES or len(shape) - len(lengths) not in (0, 1):
        return []
    places = permutations(range(len(shape)), len(lengths))
    return [
        order for order in places if all(shape[axis] == length for axis, length in zip(order, lengths, strict=True))
    ]


def over_grid(
    pair: ChosenAxes, inputs: list[np.ndarray], outputs: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Points (n, d) of the grid that vectors span and the outputs (n, o) there; None where the arrays are no such grid.

    Raises:
        InputError: an order of axes that does not fit.
    """
    axes = [vector(array) for array in inputs]
    if len(axes) < 2 or any(axis is None for axis in axes):
        return None
    vectors = [axis for axis in axes if axis is not None]
    lengths = [len(axis) for axis in vectors]
    if not all(array.ndim >= len(lengths) and orders(array.shape, lengths) for array in outputs):
        return None
    columns = []
    for array in outputs:
        possible = orders(array.shape, lengths)
        order = pair.order or possible[0]
        if order not in possible:
            raise InputError(
                f"its axes {array.shape} are not those of {', '.join(pair.inputs)} in this order, {tuple(lengths)}", key=pair.inputs[0][:80]
            )  # fmt: skip
        rest = [axis for axis in range(array.ndim) if axis not in order]
        columns.append(np.transpose(array, (*order, *rest)).reshape(int(np.prod(lengths)), -1))
    points = np.stack([part.ravel() for part in np.meshgrid(*vectors, indexing="ij")], 1)
    return points, np.concatenate(columns, axis=1)


def tables(names: Sequence[str], arrays: Sequence[np.ndarray], samples_last: bool = False) -> list[np.ndarray]:
    """Each array as (n, width), with the samples first.

    Raises:
        InputError: arrays of different lengths in both directions.
    """
    given = [_table(array.T if samples_last and array.ndim == 2 else array) for array in arrays]
    count = len(given[0])
    wrong = next((place for place, table in enumerate(given) if len(table) != count), None)
    if wrong is None:
        return given
    turned = _turned(given)
    if turned is None:
        raise InputError(
            f"has {len(given[wrong]):,} rows, {names[0]} has {count:,}; they must be as many", key=names[wrong][:80]
        )
    return turned


def _turned(given: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """Tables that agree in their columns, or some of which do: features × samples."""
    for count in dict.fromkeys(length for table in given for length in (table.shape[1], len(table))):
        if count > 1 and all(count in table.shape for table in given):
            return [table if len(table) == count else np.ascontiguousarray(table.T) for table in given]
    return None


def vector(array: np.ndarray) -> np.ndarray | None:
    """MATLAB has no vectors: (n, 1) and (1, n) are meant as such."""
    return array.ravel() if array.ndim == 1 or (array.ndim == 2 and 1 in array.shape) else None


def _table(array: np.ndarray) -> np.ndarray:
    array = np.atleast_1d(array)
    if array.ndim == 2 and array.shape[0] == 1 and array.shape[1] > 1:
        array = array.T
    kind = np.float32 if array.dtype == np.float32 else np.float64
    return array.reshape(len(array), -1).astype(kind)
