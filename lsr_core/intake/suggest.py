"""What names and sizes of arrays suggest about a network's data: to be looked over, where it is guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lsr_core.intake import axes
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.guessed import Guess

_INPUTS = ("train_inputs", "inputs", "x_train", "x", "points", "coordinates")
_OUTPUTS = ("train_targets", "targets", "outputs", "y_train", "y", "u", "usol", "labels")
_TIMES = ("t", "time", "times")
_SPACE = ({"x", "lon", "longitude"}, {"y", "lat", "latitude"}, {"z", "depth", "height", "level"})
_PREDICTIONS = ("predictions", "prediction", "pred", "y_pred", "u_pred")
_OF_TRUNKS = ("trunk", "points", "grid", "coord", "locations", "x_loc", "y_loc", "mesh")


def columns(infos: Sequence[ArrayInfo], inputs: int, outputs: int) -> tuple[list[str], list[str], list[str]]:
    """Inputs, outputs and predictions by name; else the first columns, as many as the network takes, and those after."""
    names = {info.name.lower(): info for info in infos if not info.unusable}
    predictions = [names[name].name for name in _PREDICTIONS if name in names][:1]
    left = [names[name] for name in _INPUTS if name in names]
    right = [names[name] for name in _OUTPUTS if name in names]
    if left and right and _width(left[0]) in (inputs, math.prod(left[0].shape[1:])) and len(left[0].shape) > 1 and left[0].shape[1] != 1:  # fmt: skip
        return [left[0].name], [right[0].name], predictions
    rest = [info for info in infos if info.name not in predictions and not info.unusable]
    fields = [info for info in rest if len(info.shape) >= 2 and min(info.shape) > 1]
    vectors = [info for info in rest if info not in fields]
    for field in fields:  # an array over axes, and a vector for each of them
        along: list[ArrayInfo] = []
        for length in field.shape:
            axis = next((v for v in vectors if max(v.shape, default=0) == length and v not in along), None)
            along += [axis] if axis else []
        if len(along) == len(field.shape) == inputs:
            return _as_networks_take_them([axis.name for axis in along]), [field.name], predictions
    if not fields and len(vectors) >= inputs + outputs and inputs <= 64 and outputs <= 64:
        return (
            [info.name for info in vectors[:inputs]],
            [info.name for info in vectors[inputs : inputs + outputs]],
            predictions,
        )
    if len(fields) == 1 and fields[0].shape[1] >= inputs + outputs and inputs + outputs <= 64:
        name = fields[0].name
        return [f"{name}[{i}]" for i in range(inputs)], [f"{name}[{inputs + i}]" for i in range(outputs)], predictions
    return [info.name for info in left[:1]], [info.name for info in right[:1]], predictions


def _as_networks_take_them(names: Sequence[str]) -> list[str]:
    """Axes of a field as inputs: time last, which arrays may begin with; x before y before z, which arrays often have the other way round."""
    places = {
        name: next((place for place, words in enumerate(_SPACE) if name.lower() in words), None) for name in names
    }
    known = all(places[name] is not None for name in names if name.lower() not in _TIMES)
    return sorted(names, key=lambda name: (name.lower() in _TIMES, places[name] or 0 if known else 0))


def widths(found: Guess) -> tuple[int, int]:
    """How many inputs and outputs a sample of the network has, 0 where the weights leave it open."""
    arguments = found.arguments
    if "layers" in arguments:
        return arguments["layers"][0], arguments["layers"][-1]
    if "branches" in arguments:
        return sum(layers[0] for layers in arguments["branches"]), 0
    if "branch" in arguments:
        return arguments["branch"][0], arguments["grid"]["points"]
    points = math.prod(arguments["grid"])
    return arguments["inputs"] * points, arguments["outputs"] * points


def grid(infos: Sequence[ArrayInfo]) -> list[int] | None:
    """Grid points of an operator, if an array is named like its input functions."""
    known = {info.name.lower(): info.shape for info in infos}
    shape = next((known[name] for name in ("train_inputs", "inputs", "x", "a") if name in known), ())
    return list(shape[1:]) or None


def orders(infos: Sequence[ArrayInfo], inputs: Sequence[str], outputs: Sequence[str]) -> list[tuple[int, ...]]:
    """Which axis of the outputs each input may be, where inputs are vectors and outputs an array over them; several where lengths are equal."""
    shapes = {info.name: info.shape for info in infos}
    if len(inputs) < 2 or not outputs or any(name not in shapes for name in (*inputs, *outputs)):
        return []
    lengths = [math.prod(shapes[name]) for name in inputs]
    vectors = all(max(shapes[name], default=0) == length for name, length in zip(inputs, lengths, strict=True))
    return axes.orders(shapes[outputs[0]], lengths) if vectors else []


def trunks(infos: Sequence[ArrayInfo], count: int, coordinates: int) -> list[str]:
    """Arrays that may be the points of an operator's trunk, one that is named so first."""
    offered = [
        info.name
        for info in infos
        if not info.unusable
        and (info.shape == (count, coordinates) or (coordinates == 1 and info.shape in ((count,), (1, count))))
    ]
    return sorted(offered, key=lambda name: not any(word in name.lower() for word in _OF_TRUNKS))


def _width(info: ArrayInfo) -> int:
    return math.prod(info.shape[1:])
