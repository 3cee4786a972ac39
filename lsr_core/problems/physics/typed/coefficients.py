"""Coefficients and forcing from data, on a grid or at scattered places, interpolated as they say."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.fields import parts_of
from lsr_core.problems.physics.typed.arguments import CoefficientData
from lsr_core.problems.physics.typed.remembered import Remembered

SLACK = 1e-9  # of an interval, by which data may fall short of its end
FEWEST = {"nearest": 1, "linear": 2, "cubic": 4}
Values = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A function of some of the inputs.

    Attributes:
        name: in expressions.
        inputs: all of the equation.
        over: those that it depends on.
        how: it is interpolated.
        values: at places (n, k) of `over`, with how often each is differentiated.
    """

    name: str
    inputs: tuple[str, ...]
    over: tuple[str, ...]
    how: str
    values: Values

    def derivative(self, asked: str, key: str) -> tuple[int, ...] | None:
        """How often a name such as `k_x` differentiates by each of `over`; None where the derivative vanishes.

        Raises:
            InputError: the interpolation has no such derivative.
        """
        tail = asked.partition("_")[2]
        made = parts_of(tail, self.inputs, len(tail)) if tail else {()}
        if not made:
            raise InputError(f"{asked!r:.40} differentiates by {tail!r:.20}, which is no input", key=key)
        by = [self.inputs[place] for place in min(made)]
        if any(name not in self.over for name in by):
            return None
        counts = tuple(by.count(name) for name in self.over)
        if max(counts, default=0) > (2 if self.how == "cubic" else 0):
            raise InputError(
                f"{asked} differentiates data that are interpolated {'' if self.how == 'cubic' else 'without derivatives, '}by {self.how!r}; "
                "cubic interpolation on a grid has first and second derivatives",
                key=key,
            )
        return counts

    def at(self, asked: str, points: Tensor) -> Tensor:
        """Values, or those of a derivative, at points (…, d)."""
        if asked not in self._kept:
            self._kept[asked] = Remembered(partial(self._at, asked))
        return self._kept[asked](points)

    @cached_property
    def _kept(self) -> dict[str, Remembered]:
        return {}

    def _at(self, asked: str, points: Tensor) -> Tensor:
        counts = self.derivative(asked, self.name)
        if counts is None:
            return torch.zeros_like(points[..., 0])
        columns = [self.inputs.index(name) for name in self.over]
        places = points.detach()[..., columns].double().cpu().numpy()
        found = self.values(places.reshape(-1, len(columns)), counts)
        return torch.from_numpy(np.ascontiguousarray(found)).to(points).reshape(points.shape[:-1])


def coefficient(name: str, given: CoefficientData, inputs: Mapping[str, tuple[float, float]]) -> Coefficient:
    """The function that data stand for.

    Raises:
        InputError: data that do not fit together, do not cover the intervals of their inputs, or are too few.
    """
    unknown = [over for over in given.inputs if over not in inputs]
    if unknown or len(set(given.inputs)) < len(given.inputs):
        raise InputError(
            f"depends on {', '.join(given.inputs)}; name inputs of the equation ({', '.join(inputs)}), each once",
            key=name,
        )
    bounds = [inputs[over] for over in given.inputs]
    if (given.grid is None) == (given.rows is None):
        raise InputError(
            "has both a grid and rows, or none; give axes in grid with values, or places with a value in rows", key=name
        )
    values = _on_grid(name, given, bounds) if given.grid is not None else _scattered(name, given, bounds)
    return Coefficient(name, tuple(inputs), tuple(given.inputs), given.interpolation, values)


def _on_grid(name: str, given: CoefficientData, bounds: list[tuple[float, float]]) -> Values:
    from scipy.interpolate import NdBSpline, RegularGridInterpolator, make_interp_spline  # takes a second to load

    assert given.grid is not None
    axes = [np.array(axis) for axis in given.grid]
    if len(axes) != len(bounds):
        raise InputError(f"has {len(axes)} axes for {len(bounds)} inputs", key=name)
    for over, axis, (low, high) in zip(given.inputs, axes, bounds, strict=True):
        if len(axis) < FEWEST[given.interpolation] or not np.all(np.diff(axis) > 0):
            raise InputError(
                f"the axis of {over} must rise and have {FEWEST[given.interpolation]} values or more for {given.interpolation!r}",
                key=name,
            )
        _check_cover(name, over, axis[0], axis[-1], low, high)
    shape = tuple(len(axis) for axis in axes)
    flat = np.array(given.values if given.values is not None else [], dtype=float)
    if flat.size != np.prod(shape):
        raise InputError(f"has {flat.size} values for a grid of {' × '.join(map(str, shape))}", key=name)
    table = flat.reshape(shape)
    if given.interpolation != "cubic":
        plain = RegularGridInterpolator(axes, table, method=given.interpolation, bounds_error=False, fill_value=None)
        return lambda places, counts: plain(places)
    knots, weights = [], table
    for place, axis in enumerate(axes):
        spline = make_interp_spline(axis, weights, k=3, axis=place)
        knots.append(spline.t)
        weights = np.moveaxis(spline.c, 0, place)
    whole = NdBSpline(tuple(knots), weights, 3)
    return lambda places, counts: whole(places, nu=counts)


def _scattered(name: str, given: CoefficientData, bounds: list[tuple[float, float]]) -> Values:
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator  # takes a second to load

    assert given.rows is not None
    if given.interpolation == "cubic":
        raise InputError(
            "is at scattered places, which are interpolated 'linear' or 'nearest'; cubic needs a grid", key=name
        )
    width = len(bounds) + 1
    for index, row in enumerate(given.rows, 1):
        if len(row) != width:
            raise InputError(
                f"row {index} has {len(row)} numbers; {width} are needed: {', '.join((*given.inputs, name))}", key=name
            )
    table = np.array(given.rows)
    places, values = table[:, :-1], table[:, -1]
    if given.interpolation == "nearest" and len(bounds) == 1:
        return lambda at, counts: values[np.abs(at - places[:, 0]).argmin(axis=1)]
    if given.interpolation == "nearest":
        nearest = NearestNDInterpolator(places, values, rescale=True)
        return lambda at, counts: nearest(at)
    if len(bounds) == 1:
        order = np.argsort(places[:, 0], kind="stable")
        axis, along = places[order, 0], values[order]
        if np.any(np.diff(axis) <= 0):
            raise InputError("has two rows at the same place, so that no line runs through them", key=name)
        _check_cover(name, given.inputs[0], axis[0], axis[-1], *bounds[0])
        return lambda at, counts: np.interp(at[:, 0], axis, along)
    return _triangulated(name, places, values, bounds, LinearNDInterpolator)


def _triangulated(
    name: str, places: np.ndarray, values: np.ndarray, bounds: list[tuple[float, float]], linear: Callable[..., Any]
) -> Values:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = linear(places, values, rescale=True)
        except Exception as error:  # Qhull has many ways to say that places lie on one line
            raise InputError(f"has {len(places)} places, which span no area to interpolate in", key=name) from error
    low, high = np.array(bounds).T
    inner = low + (high - low) * (SLACK + (1 - 2 * SLACK) * _corners(len(bounds)))
    missing = np.isnan(found(inner))
    if missing.any():
        first = ", ".join(f"{value:g}" for value in inner[int(missing.argmax())])
        raise InputError(
            f"its data do not cover the domain: there are none around ({first}); give values up to its corners, or interpolate 'nearest'",
            key=name,
        )

    def at(asked: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
        centre = (low + high) / 2
        return np.asarray(found(centre + (1 - 2 * SLACK) * (asked - centre)))

    return at


def _corners(count: int) -> np.ndarray:
    return np.stack(np.meshgrid(*[[0.0, 1.0]] * count, indexing="ij"), axis=-1).reshape(-1, count)


def _check_cover(name: str, over: str, first: float, last: float, low: float, high: float) -> None:
    slack = SLACK * (high - low)
    if first > low + slack or last < high - slack:
        raise InputError(
            f"its data run over {over} from {first:g} to {last:g}, the domain from {low:g} to {high:g}; data must cover it",
            key=name,
        )
