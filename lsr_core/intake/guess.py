"""Which registered network a foreign state dict belongs to, by the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake.chains import chain, few
from lsr_core.networks import architectures

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Guess:
    """A registered architecture with arguments to be looked over, and which of its tensors is which foreign one.

    Attributes:
        names: foreign name by own name.
        open: arguments that shapes cannot tell; the activation always is one.
        tensors: what is loaded, after norms and constants have been folded into the layers.
        uses: what became of each foreign tensor: its name in the registered network, or what it was folded into.
        notes: sentences about what had to be taken on trust.
    """

    architecture: str
    arguments: dict[str, Any]
    names: dict[str, str]
    open: tuple[str, ...] = field(default=("activation",))
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
        return _deeponet(shapes, tensors, points)
    found = chain(tensors, "linears.")
    arguments: dict[str, Any] = {"layers": found.widths, "activation": "tanh"}
    if found.normalised:
        arguments["normalise_inputs"] = True
    return Guess("mlp", arguments, found.names, tensors=found.tensors, uses=found.uses, notes=tuple(found.notes))


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
        raise InputError(f"no place for {len(left)} tensors of the file: {few(left)}", key=architecture)
    state, parameters = model.state_dict(), dict(model.named_parameters())
    if missing := [name for name in parameters if name not in names]:
        raise InputError(f"the file has nothing for {few(missing)}", key=architecture)
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


def _deeponet(shapes: Shapes, tensors: Mapping[str, Tensor], points: Sequence[int] | None) -> Guess:
    """DeepXDE's `DeepONetCartesianProd` with one output."""
    names: dict[str, str] = {}
    uses: dict[str, str] = {}
    loaded: dict[str, Tensor] = {}
    notes: list[str] = []
    widths: dict[str, list[int]] = {}
    rest = {name: shape for name, shape in shapes.items() if not name.startswith(("branch.", "trunk."))}
    for side in ("branch", "trunk"):
        found = chain({name: t for name, t in tensors.items() if name.startswith(f"{side}.")}, f"{side}.linears.", side)
        if found.normalised:
            raise InputError("normalised inputs of a DeepONet are not known", key=side)
        widths[side] = found.widths
        names, uses, loaded, notes = names | found.names, uses | found.uses, loaded | found.tensors, notes + found.notes
    bias = [name for name, shape in rest.items() if shape in ((), (1,))]
    if len(rest) != 1 or len(bias) != 1:
        raise InputError(f"expected one bias beside branch and trunk, found {few(sorted(rest)) or 'none'}", key="bias")
    names["bias"], uses[bias[0]], loaded[bias[0]] = bias[0], "bias", tensors[bias[0]]
    if widths["trunk"][0] != 1:
        raise InputError(
            f"the trunk takes {widths['trunk'][0]} coordinates; the registered DeepONet has one", key="trunk"
        )
    theirs = bias[0].startswith("b.")
    grid = {"points": points[-1] if points else 100, "low": 0.0, "high": 1.0}
    arguments = {**widths, "activation": "tanh", "grid": grid, "activate_trunk": theirs}
    return Guess("deeponet", arguments, names, ("activation", "grid"), loaded, uses, tuple(notes))


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
            f"padding are known (at fault: {few(strange or missing) or 'the convolutions'})",
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
    uses = {foreign: own for own, foreign in names.items()}
    return Guess("neuraloperator-fno", arguments, names, ("activation", "grid"), dict(tensors), uses)
