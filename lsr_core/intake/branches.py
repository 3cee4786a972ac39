"""DeepONets: branches that see functions, a trunk that sees points, and biases beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake.chains import chain, few
from lsr_core.intake.guessed import Guess

POINTS = "points of the trunk"  # what the buffer is called that no file of weights holds
_SIDE = re.compile(r"((?:branches|branch_nets)\.\d+|branch\w*|trunk\w*)\.")


@dataclass
class _Nets:
    """What has been read so far."""

    names: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def known(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the names are of a DeepONet."""
    sides = _sides(tensors)
    return any(side.startswith("trunk") for side in sides) and any(side.startswith("branch") for side in sides)


def guess(tensors: Mapping[str, Tensor], points: Sequence[int] | None = None) -> Guess:
    """A DeepONet with one branch, one coordinate and one output on an equally spaced grid, or one at points that the data give.

    Args:
        points: of the grid, if the data say.

    Raises:
        InputError: a side is no chain of layers, or something is left over.
    """
    sides = _sides(tensors)
    rest = {name: tensor for name, tensor in tensors.items() if not _SIDE.match(name)}
    biases = [name for name, tensor in rest.items() if tensor.numel() == 1]
    several = [name for name, tensor in rest.items() if tensor.ndim == 1 and tensor.numel() > 1]
    if len(rest) != len(biases) + len(several) or len(several) > 1 or (several and biases):
        raise InputError(f"expected biases beside branch and trunk, found {few(sorted(rest))}", key="bias")
    outputs = max(1, len(biases)) if not several else rest[several[0]].numel()
    branches = [side for side in sides if side.startswith("branch")]
    trunks = [side for side in sides if side.startswith("trunk")]
    if len(trunks) != 1:
        raise InputError(f"expected one trunk, found {few(trunks)}", key="trunk")
    found = _Nets()
    simple = len(branches) == outputs == 1 and not several and bool(biases) and _coordinates(tensors, trunks[0]) == 1
    stems = ["branch."] if simple else [f"branches.{place}." for place in range(len(branches))]
    widths = [
        _side(tensors, side, own, outputs, found)
        for side, own in zip([*branches, *trunks], [*stems, "trunk."], strict=True)
    ]
    _bias(rest, [*biases, *several], outputs, found)
    theirs = (
        bool(biases)
        and biases[0].startswith("b.")
        and all(".linears." in name for name in tensors if _SIDE.match(name))
    )
    if simple:
        return _on_grid(found, widths, theirs, points)
    return _at_points(found, widths, outputs, theirs, points)


def with_points(found: Guess, points: Tensor) -> Guess:
    """The same at these points, (points, coordinates).

    Raises:
        InputError: as many coordinates as the trunk takes are needed.
    """
    wanted = found.arguments["trunk"][0]
    if points.ndim != 2 or points.shape[1] != wanted:
        raise InputError(
            f"has the shape {tuple(points.shape)}; the trunk takes {wanted} coordinates a point", key=POINTS
        )

    def moved(one: Guess) -> Guess:
        dtype = next(iter(one.tensors.values())).dtype
        return replace(
            one, arguments={**one.arguments, "points": len(points)}, tensors={**one.tensors, POINTS: points.to(dtype)}
        )

    return replace(moved(found), others=tuple(moved(other) for other in found.others))


def places(found: Guess, width: int) -> int:
    """At how many points the outputs of a row stand.

    Args:
        width: values of one row of outputs.

    Raises:
        InputError: they are no whole number at each point.
    """
    outputs = found.arguments["outputs"]
    count, rest = divmod(width, outputs)
    if rest:
        raise InputError(f"has {width:,} values a row, which are not {outputs} at each point", key="outputs")
    return int(count)


def regular(count: int, coordinates: int) -> Tensor:
    """So many points, equally spaced over [0, 1] along each coordinate, the last one fastest, (count, coordinates).

    Raises:
        InputError: the number is no power of that many coordinates.
    """
    side = round(count ** (1 / coordinates))
    if side**coordinates != count:
        raise InputError(
            f"{count:,} points are no grid of {coordinates} equal axes; choose the array that holds them", key=POINTS
        )
    return torch.cartesian_prod(*[torch.linspace(0, 1, side)] * coordinates).reshape(count, coordinates)


def _sides(tensors: Mapping[str, Tensor]) -> list[str]:
    return list(dict.fromkeys(match[1] for name in tensors if (match := _SIDE.match(name))))


def _coordinates(tensors: Mapping[str, Tensor], trunk: str) -> int:
    """What the first layer of the trunk takes; 0 where there is none."""
    shapes = (tensor.shape for name, tensor in tensors.items() if name.startswith(f"{trunk}.") and tensor.ndim == 2)
    return next((shape[1] for shape in shapes), 0)


def _side(tensors: Mapping[str, Tensor], side: str, own: str, outputs: int, found: _Nets) -> list[int]:
    """One net, or as many as there are outputs side by side, as one chain."""
    parts = {name: tensor for name, tensor in tensors.items() if name.startswith(f"{side}.")}
    groups = [
        {name: tensor for name, tensor in parts.items() if name.startswith(f"{side}.{place}.")}
        for place in range(outputs)
    ]
    each = all(any(re.search(r"\d+\.weight$", name[len(side) + 2 :]) for name in group) for group in groups)
    if outputs > 1 and each and sum(map(len, groups)) == len(parts):
        chains = [chain(group, f"{own}linears.", side) for group in groups]
    else:
        chains = [chain(parts, f"{own}linears.", side)]
    if any(one.readings or one.normalised for one in chains):
        raise InputError("normalised inputs of a DeepONet are not known", key=side)
    depths = {len(one.widths) for one in chains}
    if len(depths) > 1:
        raise InputError("its nets have different numbers of layers", key=side)
    for one in chains:
        found.uses |= one.uses
        found.notes += one.notes
    if len(chains) == 1:
        found.names |= chains[0].names
        found.tensors |= chains[0].tensors
        return chains[0].widths
    found.notes.append(f"{side}: {outputs} nets, one for each output, side by side with zeros between them.")
    return _joined([(one.names, one.tensors) for one in chains], own, depths.pop() - 1, found)


def _joined(
    chains: Sequence[tuple[dict[str, str], dict[str, Tensor]]], own: str, depth: int, found: _Nets
) -> list[int]:
    """Layers of several chains on the same inputs, as blocks of one."""
    widths = []
    for place in range(depth):
        name = f"{own}linears.{place}"
        weights, biases = (
            [tensors[names[f"{name}.{part}"]] for names, tensors in chains] for part in ("weight", "bias")
        )
        made = {"weight": torch.cat(weights) if place == 0 else torch.block_diag(*weights), "bias": torch.cat(biases)}
        widths += [weights[0].shape[1]] if place == 0 else []
        widths.append(len(made["bias"]))
        found.names |= {f"{name}.{part}": f"{name}.{part}" for part in made}
        found.tensors |= {f"{name}.{part}": tensor for part, tensor in made.items()}
    return widths


def _bias(rest: Mapping[str, Tensor], names: list[str], outputs: int, found: _Nets) -> None:
    found.names["bias"] = "bias"
    if names:
        found.tensors["bias"] = torch.cat([rest[name].reshape(-1) for name in names])
        found.uses |= dict.fromkeys(names, "bias")
    else:
        found.tensors["bias"] = torch.zeros(outputs, dtype=next(iter(found.tensors.values())).dtype)
        found.notes.append("There is no bias beside branch and trunk; one of zeros is the same network.")


def _on_grid(found: _Nets, widths: list[list[int]], theirs: bool, points: Sequence[int] | None) -> Guess:
    grid = {"points": points[-1] if points else 100, "low": 0.0, "high": 1.0}
    arguments = {"branch": widths[0], "trunk": widths[1], "activation": "tanh", "grid": grid, "activate_trunk": theirs}
    made = Guess(
        "deeponet",
        arguments,
        found.names,
        ("activation", "grid"),
        found.tensors,
        found.uses,
        tuple(found.notes),
        form=_ending(theirs),
    )
    other = replace(made, arguments={**arguments, "activate_trunk": not theirs}, form=_ending(not theirs), likely=False)
    return replace(made, others=(other,))


def _at_points(
    found: _Nets, widths: list[list[int]], outputs: int, theirs: bool, points: Sequence[int] | None
) -> Guess:
    *branches, trunk = widths
    shared = {"branches": branches, "trunk": trunk, "activation": "tanh", "outputs": outputs, "points": 1}
    ways: list[tuple[str, dict[str, Any]]] = [("", {})]
    if outputs > 1:
        sizes = branches[0][-1], trunk[-1]
        split = "both" if sizes[0] == sizes[1] else "branch" if sizes[0] == outputs * sizes[1] else "trunk"
        ways = [(f"modes divided: {split}; ", {"split": split})]
    if len(branches) > 1:
        ways = [
            (f"{words}{merge} of the branches; ", {**way, "merge": merge})
            for words, way in ways
            for merge in ("product", "sum")
        ]
    dtype = next(iter(found.tensors.values())).dtype
    made = [
        Guess(
            "deeponet-points", {**shared, **way, "activate_trunk": activated}, {**found.names, "points": POINTS}, ("activation", "points"),
            {**found.tensors, POINTS: torch.zeros(1, trunk[0], dtype=dtype)}, found.uses, tuple(found.notes),
            form=f"{words}{_ending(activated)}", likely=place == 0 and activated == theirs,
        )
        for place, (words, way) in enumerate(ways) for activated in (theirs, not theirs)
    ]  # fmt: skip
    return replace(made[0], others=tuple(made[1:]))


def _ending(activated: bool) -> str:
    return "activation behind the trunk" if activated else "no activation behind the trunk"
