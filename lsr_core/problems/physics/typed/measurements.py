"""Values that were measured, as residual blocks; a place may be measured as often as one likes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.typed.arguments import Data
from lsr_core.problems.physics.typed.names import Names

WEIGHT = 10.0  # of the mean square of values whose noise is not given


def measurements(given: Data, names: Names, name: str) -> ResidualBlock:
    """The block of values at places; a draw takes some of the rows, in any order.

    Each of several rows at one place is u − their mean. The sum of squares is then that of u − value up to the spread of the values, which
    no field can lower; so a place counts as often as it was measured.

    Raises:
        InputError: an unknown output, rows of a wrong length, or a weight beside the noise.
    """
    if given.noise is not None and given.weight is not None:
        raise InputError(
            "has a noise and a weight; the noise says what the values weigh, so leave out the weight", key="data"
        )
    if given.output not in names.outputs:
        raise InputError(f"there is no output {given.output!r}; outputs: {', '.join(names.outputs)}", key="data")
    wanted = len(names.inputs) + 1
    for index, row in enumerate(given.rows, 1):
        if len(row) != wanted:
            needed = ", ".join((*names.inputs, given.output))
            raise InputError(f"row {index} has {len(row)} numbers; {wanted} are needed: {needed}", key="data")
    table = torch.tensor(given.rows, dtype=torch.float64)
    places, group = table[:, :-1].unique(dim=0, return_inverse=True)
    counts = torch.bincount(group, minlength=len(places)).double()
    means = torch.zeros(len(places), dtype=torch.float64).index_add(0, group, table[:, -1]) / counts

    def draw(count: int, generator: torch.Generator) -> Tensor:
        return table[torch.randperm(len(table), generator=generator)[:count], :-1]

    def residual(field: Any) -> Tensor:
        """By the nearest place, since points may have been rounded to single precision."""
        at = field.points.detach().double().cpu()
        difference: Tensor = field[given.output] - means[torch.cdist(at, places).argmin(dim=1)].to(field.points)
        return difference

    within = float((table[:, -1] - means[group]).square().sum())
    weight = WEIGHT if given.weight is None else given.weight
    return ResidualBlock(
        name, (), residual, draw, len(table), weight, noise=given.noise, within=within, reads=(given.output,)
    )
