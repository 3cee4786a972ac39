"""Results of a run from their npz: every array of its type and shape, whoever made the file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np

from lsr_core.errors import InputError
from lsr_core.refinement.case_records import CaseFields
from lsr_core.refinement.results import Directions, Fields, LossPaths, LossPlane, Spectrum, Sweep
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.storage.arrays import read_arrays

MAX_RATIO = 200
_Result = TypeVar("_Result")
# Lengths by letter; one letter is one length in all arrays of a file. What is left out is a single value.
_SHAPES: dict[type, dict[str, str]] = {
    Sweep: {**{field.name: "r" for field in dataclasses.fields(Sweep)}, "by_output": "qo", "divided": "d"},
    Spectrum: {"singular_values": "k"},
    Fields: {
        "ranks": "l", "inputs": "pd", "targets": "po", "network": "po", "refined_error": "lpo", "stepped_points": "t", "stepped": "lto",
    },
    LossPaths: {"ranks": "l", "alpha": "a", "linearised": "la", "nonlinear": "la", "agreement": "l2"},
    Directions: {
        **dict.fromkeys(("index", "singular_value", "share", "steps", "frequency"), "k"), "layers": "kn", "layer_names": "n",
    },
    SmoothingCurves: {
        **dict.fromkeys(("strength", "mean_square", "gcv", "left_out", "log_evidence", "freedom", "noise"), "g"), "ranks": "k",
        "gcv_by_rank": "kg", "shown": "l", "spread": "l", "error": "lto", "deviation": "lto", "inputs": "nd", "targets": "no",
        "level": "c", "observed": "c", "sizes": "z", "line": "p", "inside": "lto",
        **dict.fromkeys(("line_mean", "line_deviation", "line_inside"), "lpo"),
    },
    LossPlane: {"alpha": "a", "beta": "b", "nonlinear": "ba", "linearised": "ba"},
    CaseFields: {
        "axis": "s", "given": "s", "points": "pd", **dict.fromkeys(("truth", "network", "refined_error"), "p"),
    },
}  # fmt: skip
_FINITE: dict[type, tuple[str, ...]] = {
    Spectrum: ("singular_values",),
    Fields: ("inputs", "targets", "network"),
    LossPaths: ("alpha",),
    Directions: ("singular_value",),
    SmoothingCurves: ("strength", "shown", "inputs", "targets", "level", "line"),
    LossPlane: ("alpha", "beta", "base", "length"),
    CaseFields: ("axis", "given", "points", "truth"),
}  # all others are NaN where there is nothing, or infinite where something went wrong
_LATER: dict[type, tuple[str, ...]] = {
    Sweep: ("by_output", "divided"),
    SmoothingCurves: ("sizes", "line", "line_mean", "line_deviation", "inside", "line_inside", "stretch"),
}  # runs of earlier versions lack them


def read_result(path: Path, result: type[_Result], max_bytes: int) -> _Result:
    """One result of a run.

    Raises:
        InputError: the file is damaged, or holds an array of another type, shape or, where it must be finite, value.
    """
    types = _types(result)
    required = [name for name in types if name not in _LATER.get(result, ())]
    arrays = read_arrays(path, required=required, max_bytes=max_bytes, max_ratio=MAX_RATIO)
    types = {name: wanted for name, wanted in types.items() if name in arrays}
    lengths: dict[str, int] = {}
    for name, wanted in types.items():
        _check_type(arrays[name], wanted, path.name, name)
        _check_shape(arrays[name], _SHAPES[result].get(name, ""), lengths, path.name, name)
        if name in _FINITE.get(result, ()) and not np.isfinite(arrays[name]).all():
            raise InputError("holds NaN or infinite values; the run is damaged", file=path.name, key=name)
    return result(**{name: arrays[name] if name in _SHAPES[result] else arrays[name].item() for name in types})


def check_numbers(arrays: Mapping[str, np.ndarray], file: str) -> None:
    """Refuse arrays that are no floating-point numbers, as error fields are."""
    for name, array in arrays.items():
        _check_type(array, np.dtype(np.float64), file, name)


def _types(result: type) -> dict[str, np.dtype[Any]]:
    """The type of every array of a result, as it is annotated."""
    hints = get_type_hints(result)
    return {field.name: _type_of(hints[field.name]) for field in dataclasses.fields(result)}


def _type_of(hint: Any) -> np.dtype[Any]:
    """NDArray[np.float32] is ndarray[shape, dtype[float32]]."""
    parts = get_args(hint)
    return np.dtype(get_args(parts[1])[0] if parts else hint)


def _check_type(array: np.ndarray, wanted: np.dtype[Any], file: str, name: str) -> None:
    fits = array.dtype.kind == "U" if wanted.kind == "U" else array.dtype.newbyteorder("=") == wanted
    if not fits:
        raise InputError(f"is {array.dtype}, expected {wanted.name}; the run is damaged", file=file, key=name)


def _check_shape(array: np.ndarray, letters: str, lengths: dict[str, int], file: str, name: str) -> None:
    wanted = tuple(
        int(letter) if letter.isdigit() else lengths.setdefault(letter, length)
        for letter, length in zip(letters, array.shape, strict=False)
    )
    if array.ndim != len(letters):
        raise InputError(
            f"has {array.ndim} dimensions, expected {len(letters)}; the run is damaged", file=file, key=name
        )
    if array.shape != wanted:
        raise InputError(f"has the shape {array.shape}, expected {wanted}; the run is damaged", file=file, key=name)
