"""Outputs over a grid whatever the order of their axes, predictions over the same grid, tables of features × samples."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from lsr_core.errors import InputError
from lsr_core.intake import mapping, suggest
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.mapping import SplitArrays

X, T, Z = np.linspace(0, 1, 5), np.linspace(0, 2, 4), np.linspace(0, 3, 3)


def field(x: np.ndarray, t: np.ndarray, z: np.ndarray) -> np.ndarray:
    return x + 10 * t + 100 * z


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_axes_is_the_same_field(order: tuple[int, ...]) -> None:
    u = np.transpose(field(*np.meshgrid(X, T, Z, indexing="ij")), order)
    arrays = {"x": X, "t": T[:, None], "z": Z[None], "u": u, "pred": 2 * u}
    pair = SplitArrays(("x", "t", "z"), ("u",))
    points, outputs = mapping.rows(arrays, pair)
    np.testing.assert_array_equal(outputs[:, 0], field(*points.T))
    np.testing.assert_array_equal(mapping.predictions(arrays, pair, ("pred",)), 2 * outputs)


def test_outputs_on_a_further_axis_are_columns() -> None:
    grid = np.stack(np.meshgrid(X, T, indexing="ij"))
    points, outputs = mapping.rows({"x": X, "t": T, "u": grid}, SplitArrays(("x", "t"), ("u",)))
    np.testing.assert_array_equal(points, outputs)


def test_axes_of_one_length_stand_in_the_order_of_the_inputs_or_in_the_one_that_is_said() -> None:
    x, t = np.arange(4.0), np.arange(4.0)
    arrays = {"x": x, "t": t, "u": x[:, None] + 10 * t[None]}
    points, outputs = mapping.rows(arrays, SplitArrays(("x", "t"), ("u",)))
    np.testing.assert_array_equal(outputs[:, 0], points @ [1, 10])
    points, outputs = mapping.rows(arrays, SplitArrays(("x", "t"), ("u",), order=(1, 0)))
    np.testing.assert_array_equal(outputs[:, 0], points @ [10, 1])
    with pytest.raises(InputError, match="its axes"):
        mapping.rows({"x": X, "t": T, "u": np.zeros((4, 5))}, SplitArrays(("x", "t"), ("u",), order=(0, 1)))


def test_features_by_samples_are_turned() -> None:
    inputs, outputs = np.arange(20.0).reshape(2, 10), np.arange(10.0)[None]
    found = mapping.rows({"x": inputs, "y": outputs}, SplitArrays(("x",), ("y",)))
    np.testing.assert_array_equal(found[0], inputs.T)
    np.testing.assert_array_equal(found[1], outputs.T)
    square = {"x": np.arange(20.0).reshape(2, 10), "y": np.arange(20.0).reshape(2, 10)}
    assert mapping.rows(square, SplitArrays(("x",), ("y",)))[0].shape == (2, 10)  # both agree as they are
    assert mapping.rows(square, SplitArrays(("x",), ("y",), samples_last=True))[0].shape == (10, 2)


def test_lengths_that_agree_in_no_direction_are_refused() -> None:
    with pytest.raises(InputError, match="they must be as many"):
        mapping.rows({"x": np.zeros((7, 2)), "y": np.zeros((5, 3))}, SplitArrays(("x",), ("y",)))


@pytest.mark.parametrize(
    ("stored", "taken"),
    [
        ("time lat lon", "lon lat time"),
        ("t z y x", "x y z t"),
        ("y t x", "x y t"),
        ("b t a", "b a t"),
        ("t b x", "b x t"),
    ],
)
def test_inputs_are_guessed_as_networks_take_them(stored: str, taken: str) -> None:
    """Fields are often stored with time first and x last; names that say nothing of an order keep that of the field."""
    names = stored.split()
    infos = [ArrayInfo(name, (3 + place,), "float64", 8) for place, name in enumerate(sorted(names))]
    lengths = {info.name: info.shape[0] for info in infos}
    infos.append(ArrayInfo("u", tuple(lengths[name] for name in names), "float64", 8))
    assert suggest.columns(infos, len(names), 1)[:2] == (taken.split(), ["u"])
