"""Fourier neural operators as neuraloperator saves them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake.chains import few
from lsr_core.intake.guessed import Guess


def guess(tensors: Mapping[str, Tensor], points: Sequence[int] | None = None) -> Guess:
    """neuraloperator's `FNO` over one or two axes.

    Args:
        points: of the grid, if the data say.

    Raises:
        InputError: it has parts that the registered network has not.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    names: dict[str, str] = {}
    for name in shapes:
        own = name.removesuffix(".tensor") if ".convs." in name else name
        names[own] = name
    depth = sum(name.startswith("fno_blocks.convs.") and name.endswith(".weight") for name in names)
    convolutions = [names.get(f"fno_blocks.convs.{place}.weight", "") for place in range(depth)]
    _check_parts(names, convolutions)
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


def _check_parts(names: Mapping[str, str], convolutions: Sequence[str]) -> None:
    """Refuse parts that the registered network has not, and ones that it needs."""
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
    if strange or missing or not convolutions or "" in convolutions:
        raise InputError(
            "is a neuraloperator FNO of a form that cannot be loaded: dense weights, linear skips, soft gates, no norm and no "
            f"padding are known (at fault: {few(strange or missing) or 'the convolutions'})",
            key="fno_blocks",
        )
