"""Which registered network a foreign state dict belongs to, by the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks import architectures

Shapes = Mapping[str, tuple[int, ...]]
MAX_STEPS = 10_000


@dataclass(frozen=True)
class Guess:
    """A registered architecture with arguments to be looked over, and which of its tensors is which foreign one.

    Attributes:
        names: foreign name by own name.
        open: arguments that shapes cannot tell; the activation always is one.
    """

    architecture: str
    arguments: dict[str, Any]
    names: dict[str, str]
    open: tuple[str, ...] = field(default=("activation",))


def guess(tensors: Mapping[str, Tensor], points: Sequence[int] | None = None) -> Guess:
    """The first architecture that every tensor fits.

    Args:
        tensors: of a foreign state dict, unwrapped, in the order in which they were registered, which decides where shapes do not.
        points: of the grid, for an operator, if the data say; editable later.

    Raises:
        InputError: none fits; the tensors that could not be placed are named.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if any("fno_blocks." in name for name in shapes):
        return _neuraloperator(shapes, tensors, points)
    if any(name.startswith("branch.") for name in shapes) and any(name.startswith("trunk.") for name in shapes):
        return _deeponet(shapes, points)
    names, widths, normalised = _mlp(shapes, "linears.")
    arguments: dict[str, Any] = {"layers": widths, "activation": "tanh"}
    if normalised:
        arguments["normalise_inputs"] = True
    return Guess("mlp", arguments, names)


def convert(
    architecture: str, arguments: Mapping[str, Any], tensors: Mapping[str, Tensor], names: Mapping[str, str]
) -> dict[str, Tensor]:
    """The state dict of the registered network, with the foreign values.

    Raises:
        InputError: arguments that do not fit, or tensors that are missing, left over, or of another shape.
    """
    checked = architectures.validate(architecture, arguments)
    given = sum(t.numel() * (2 if t.is_complex() else 1) for t in tensors.values())
    if checked.parameter_count() > 2 * given + 1000:  # before anything of that size is made
        raise InputError(
            f"describe {checked.parameter_count():,} parameters, the file holds {given:,}", key="network.arguments"
        )
    model = architectures.build(architecture, arguments)
    if left := sorted(set(tensors) - set(names.values())):
        raise InputError(f"no place for {len(left)} tensors of the file: {_few(left)}", key=architecture)
    state, parameters = model.state_dict(), dict(model.named_parameters())
    if missing := [name for name in parameters if name not in names]:
        raise InputError(f"the file has nothing for {_few(missing)}", key=architecture)
    dtype = torch.float64 if any(t.dtype in (torch.float64, torch.complex128) for t in tensors.values()) else torch.float32  # fmt: skip
    converted = {}
    for name, value in state.items():
        if name not in names:
            converted[name] = value.to(dtype) if value.is_floating_point() else value
            continue
        foreign = tensors[names[name]]
        foreign = torch.view_as_real(foreign) if foreign.is_complex() else foreign
        if foreign.shape != value.shape:
            if foreign.numel() != 1 or value.numel() != 1:
                raise InputError(
                    f"has the shape {tuple(foreign.shape)}, these arguments need {tuple(value.shape)}",
                    key=names[name][:80],
                )
            foreign = foreign.reshape(value.shape)
        converted[name] = foreign.to(dtype).contiguous().clone()
    return converted


def _mlp(shapes: Shapes, own: str, what: str = "the network") -> tuple[dict[str, str], list[int], bool]:
    """Names, widths, and whether inputs are normalised, of a chain of linear layers."""
    weights = [name for name, shape in shapes.items() if len(shape) == 2]  # as they were registered
    if not weights:
        raise InputError(
            f"no layers are known among {_few(sorted(shapes))}; write a bundle with the registered architecture instead",
            key=what,
        )
    chain = _chain(weights, shapes)
    if chain is None:
        sizes = ", ".join(f"{name} {shapes[name]}" for name in weights[:4])
        raise InputError(f"the layers do not follow one another: {sizes[:300]}", key=what)
    names: dict[str, str] = {}
    for place, weight in enumerate(chain):
        stem = weight.removesuffix("weight")
        candidates = (f"{stem}bias", weight.replace("weight", "bias"), weight.replace("W", "b"))
        bias = next((name for name in candidates if name in shapes and name != weight), None)
        if bias is None or shapes[bias] != (shapes[weight][0],):
            raise InputError("this layer has no bias of its own; the registered networks have one in every layer", key=weight[:80])  # fmt: skip
        names[f"{own}{place}.weight"], names[f"{own}{place}.bias"] = weight, bias
    widths = [shapes[chain[0]][1], *(shapes[name][0] for name in chain)]
    left = set(shapes) - set(names.values())
    normalised = left == {"input_mean", "input_std"}
    if normalised:
        names |= {"input_mean": "input_mean", "input_std": "input_std"}
    elif left:
        raise InputError(
            f"besides linear layers there are {_few(sorted(left))}, for which no registered network has a place", key=what
        )  # fmt: skip
    return names, widths, normalised


def _chain(weights: list[str], shapes: Shapes) -> list[str] | None:
    """All layers in an order in which each takes what the one before gives; in the order of the file if that will do."""
    steps = 0

    def follow(path: list[str], left: list[str]) -> list[str] | None:
        nonlocal steps
        steps += 1
        if not left or steps > MAX_STEPS:
            return path if not left else None
        for name in left:
            if not path or shapes[name][1] == shapes[path[-1]][0]:
                found = follow([*path, name], [other for other in left if other != name])
                if found is not None:
                    return found
        return None

    if len(weights) > 256:
        return None
    return follow([], weights)


def _deeponet(shapes: Shapes, points: Sequence[int] | None) -> Guess:
    """DeepXDE's `DeepONetCartesianProd` with one output."""
    names: dict[str, str] = {}
    widths: dict[str, list[int]] = {}
    rest = {name: shape for name, shape in shapes.items() if not name.startswith(("branch.", "trunk."))}
    for side in ("branch", "trunk"):
        part = {name: shape for name, shape in shapes.items() if name.startswith(f"{side}.")}
        found, widths[side], normalised = _mlp(part, f"{side}.linears.", side)
        if normalised:
            raise InputError("normalised inputs of a DeepONet are not known", key=side)
        names |= found
    bias = [name for name, shape in rest.items() if shape in ((), (1,))]
    if len(rest) != 1 or len(bias) != 1:
        raise InputError(f"expected one bias beside branch and trunk, found {_few(sorted(rest)) or 'none'}", key="bias")
    names["bias"] = bias[0]
    if widths["trunk"][0] != 1:
        raise InputError(
            f"the trunk takes {widths['trunk'][0]} coordinates; the registered DeepONet has one", key="trunk"
        )
    theirs = bias[0].startswith("b.")
    grid = {"points": points[-1] if points else 100, "low": 0.0, "high": 1.0}
    arguments = {**widths, "activation": "tanh", "grid": grid, "activate_trunk": theirs}
    return Guess("deeponet", arguments, names, ("activation", "grid"))


def _neuraloperator(shapes: Shapes, tensors: Mapping[str, Tensor], points: Sequence[int] | None) -> Guess:
    names: dict[str, str] = {}
    for name in shapes:
        own = name.removesuffix(".tensor") if ".convs." in name else name
        names[own] = name
    depth = sum(name.startswith("fno_blocks.convs.") and name.endswith(".weight") for name in names)
    convolutions = [names.get(f"fno_blocks.convs.{place}.weight", "") for place in range(depth)]
    strange = [
        name for name in names
        if not re.fullmatch(
            r"(lifting|projection)\.fcs\.[01]\.(weight|bias)|fno_blocks\.convs\.\d+\.(weight|bias)"
            r"|fno_blocks\.fno_skips\.\d+\.conv\.weight|fno_blocks\.channel_mlp\.\d+\.fcs\.[01]\.(weight|bias)"
            r"|fno_blocks\.channel_mlp_skips\.\d+\.weight", name,
        )
    ]  # fmt: skip
    needed = ["lifting.fcs.0.weight", "lifting.fcs.1.weight", "projection.fcs.0.weight", "projection.fcs.1.weight"]
    missing = [name for name in needed if name not in names]
    if strange or missing or not depth or "" in convolutions:
        raise InputError(
            "is a neuraloperator FNO of a form that cannot be loaded: dense weights, linear skips, soft gates, no norm and no "
            f"padding are known (at fault: {_few(strange or missing) or 'the convolutions'})",
            key="fno_blocks",
        )
    first = shapes[convolutions[0]]
    if not tensors[convolutions[0]].is_complex():
        raise InputError(
            "its spectral weights are not complex; factorised ones are not known", key=convolutions[0][:80]
        )
    modes = list(first[2:])
    if len(modes) not in (1, 2):
        raise InputError(f"its functions have {len(modes)} axes; one or two are known", key="fno_blocks")
    lifted = shapes[names["lifting.fcs.0.weight"]]
    mixing = names.get("fno_blocks.channel_mlp.0.fcs.0.weight")
    if mixing and "fno_blocks.channel_mlp_skips.0.weight" not in names:
        raise InputError("its channel networks have no soft gates, which is not known", key="fno_blocks.channel_mlp")
    coordinates = lifted[1] > len(modes)
    grid = list(points or [])
    if len(grid) != len(modes):
        grid = [64] * len(modes) if len(grid) != 1 else [round(grid[0] ** (1 / len(modes)))] * len(modes)
    arguments = {
        "grid": grid,
        "modes": modes,
        "inputs": lifted[1] - len(modes) if coordinates else lifted[1],
        "outputs": shapes[names["projection.fcs.1.weight"]][0],
        "width": first[0],
        "depth": depth,
        "lifting": lifted[0],
        "projection": shapes[names["projection.fcs.0.weight"]][0],
        "channel_mlp": shapes[mixing][0] if mixing else 0,
        "coordinates": coordinates,
        "activation": "gelu",
    }
    return Guess("neuraloperator-fno", arguments, names, ("activation", "grid"))


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:5])
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
