"""Coefficients of an equation that jump: what holds across the jump is then in no row, however small all rows become."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lsr_core.problems.physics.residuals import BlockRows

SEGMENTS = 64
ALONG = 65  # points on each
HALVINGS = 40
JUMP = 0.1  # of the larger of the two coefficients
AGREE = 1e-6  # of the extent, within which places are one
SEED = 20260129


def jump(blocks: Sequence[BlockRows], names: Sequence[str]) -> str:
    """Where a coefficient of a second or higher derivative jumps, in words such as "at y = 0.5"; empty where none was met.

    Coefficients are looked at along random segments between points of a block, with the same field everywhere, and the largest change on each
    is halved in until it is a jump or has gone.
    """
    for block in blocks:
        second = _second_derivatives(block)
        if block.points.ndim == 2 and second:
            places = _places(block, second)
            if len(places):
                return _where(places, block.points, names)
    return ""


def _second_derivatives(block: BlockRows) -> list[int]:
    """Which of the components that the block reads are derivatives of second or higher order."""
    spec = block.residual.jets.spec
    return [index for index, position in enumerate(block.residual.used) if len(spec.components[position]) > 1]


def _places(block: BlockRows, second: list[int]) -> Tensor:
    """Points (k, d) at jumps."""
    generator = torch.Generator().manual_seed(SEED)
    count = len(block.points)
    chosen = torch.randint(count, (2, SEGMENTS), generator=generator).to(block.points.device)
    low, high = block.points[chosen[0]], block.points[chosen[1]]
    field = block.residual.components().outputs(block.points[:64]).abs().mean(dim=0)

    def at(points: Tensor) -> Tensor:
        slopes = block.residual.component_slopes(points, field.expand(len(points), -1))
        by_component = slopes.unflatten(2, (len(block.residual.used), -1))
        return by_component[:, :, second].flatten(1)

    steps = torch.linspace(0, 1, ALONG).to(low)
    along = low[:, None] + steps[:, None] * (high - low)[:, None]
    values = at(along.flatten(0, 1)).unflatten(0, along.shape[:2])
    widest = values.diff(dim=1).norm(dim=2).argmax(dim=1)
    rows = torch.arange(SEGMENTS, device=widest.device)
    left, right = along[rows, widest], along[rows, widest + 1]
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        a, b, c = at(left), at(middle), at(right)
        first = ((b - a).norm(dim=1) >= (c - b).norm(dim=1))[:, None]
        left, right = torch.where(first, left, middle), torch.where(first, middle, right)
    a, c = at(left), at(right)
    size = torch.maximum(a.norm(dim=1), c.norm(dim=1))
    return left[((c - a).norm(dim=1) > JUMP * size) & (size > 0)]


def _where(places: Tensor, points: Tensor, names: Sequence[str]) -> str:
    extent = points.amax(dim=0) - points.amin(dim=0)
    for index, name in enumerate(names):
        values = places[:, index]
        if len(places) > 1 and float(values.amax() - values.amin()) <= AGREE * float(extent[index]):
            return f"at {name} = {float(values[0]):.4g}"
    return "near " + ", ".join(f"{name} = {float(value):.4g}" for name, value in zip(names, places[0], strict=True))
