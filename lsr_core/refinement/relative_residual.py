"""Residuals of a field beside the sizes of the terms that they are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.refinement.physics_setting import PhysicsSetting

SOLVED = 0.03  # of the terms, up to which an equation may be solved
PRESCRIBED = 1e-6  # of the size of the terms: what is left of a row without the field is then a value that it asks for
BENT = 1e-9  # of the largest slope: a change that is not rounding
CHUNK = 1024
VANISHED = 1e-4  # of the network's field, up to which a refined one counts as zero where no row asks for anything else


class RelativeResidual(NamedTuple):
    """Rows beside their terms.

    Attributes:
        worst: root mean square of a row over that of the sum of the sizes of its terms, the largest of all blocks.
        block: where that is.
        terms: root of the sum of squares of all sizes.
        bent: whether the derivatives of the rows by the field depend on the field.
    """

    worst: float
    block: str
    terms: float
    bent: bool


def relative_residual_of(setting: PhysicsSetting, delta: Tensor) -> RelativeResidual:
    """Of the field u0 + J Δθ at fresh points; Δθ (m,) of the free parameters."""
    fresh = [(block, jets_of(setting, block, delta)) for block in setting.fresh]
    return relative_residual(fresh, list(setting.problem.domain.values()))


def relative_residual(
    fields: Sequence[tuple[BlockRows, Tensor]], bounds: Sequence[tuple[float, float]]
) -> RelativeResidual:
    """Residuals beside the terms they are made of.

    Args:
        fields: blocks with what they read of a field at their points, (n, f).
        bounds: of the domain, by variable.
    """
    seen = [_seen(block, field) for block, field in fields]
    sizes = _sizes(bounds, seen)
    bent = any(_is_bent(part) for part in seen)
    worst, name, total = 0.0, "", 0.0
    for part in seen:
        if part.block.block.noise is not None:  # what is left of measured values is their noise
            continue
        terms = _terms(part, sizes, by_itself=bent)
        total += float(terms.square().sum())
        by_row = part.rows.square().mean(dim=0).sqrt() / terms.square().mean(dim=0).sqrt().clamp_min(1e-300)
        if not float(by_row.max()) <= worst:
            worst, name = float(by_row.max()), part.block.block.name
    return RelativeResidual(worst, name, math.sqrt(total), bent)


def is_zero(setting: PhysicsSetting, delta: Tensor, points: Tensor) -> bool:
    """Whether no row asks for anything but zero, and the refined field at these points is zero beside the network's: it has no terms then."""
    for block in setting.fresh:
        field = block.residual.components().outputs(block.points)
        if bool(block.residual.of_components(block.points, torch.zeros_like(field)).any()):
            return False
    network = setting.function.outputs(points)
    step = setting.strategy.at(points).matmat(delta[:, None]).view_as(network)
    return float((network + step).norm()) <= VANISHED * float(network.norm())


class _Seen(NamedTuple):
    """A block with what it reads of the refined field (n, f), its rows (n, k) and their slopes by what is read (n, k, f)."""

    block: BlockRows
    field: Tensor
    rows: Tensor
    slopes: Tensor


Key = tuple[tuple[int, ...], int]  # variables that it is taken by, output


def jets_of(setting: PhysicsSetting, block: BlockRows, delta: Tensor) -> Tensor:
    """What a block reads of the field u0 + J Δθ at its points, (n, f), as the delivered predictor gives it."""
    read = block.residual.components()
    parts = []
    for points in block.points.split(CHUNK):
        network = read.outputs(points)
        moved = read.at(points, network.shape[1], setting.strategy.name).matmat(delta[:, None])
        parts.append(network + moved.view_as(network))
    return torch.cat(parts)


def _seen(block: BlockRows, field: Tensor) -> _Seen:
    with torch.no_grad():
        rows = block.residual.of_components(block.points, field)
    return _Seen(block, field, rows, block.residual.component_slopes(block.points, field))


def _is_bent(part: _Seen) -> bool:
    """Whether slopes at the refined field differ from those where everything that is read is twice as large."""
    other = part.block.residual.component_slopes(part.block.points, 2 * part.field + 1)
    return bool((other - part.slopes).abs().amax() > BENT * part.slopes.abs().amax())


def _keys(block: BlockRows, columns: int) -> list[Key]:
    """Which derivative each column of what a block reads is: places outermost, then components, then outputs."""
    components = [block.residual.jets.spec.components[position] for position in block.residual.used]
    places = 1 if block.points.ndim == 2 else block.points.shape[1]
    outputs = columns // (places * len(components))
    return [(component, output) for _ in range(places) for component in components for output in range(outputs)]


def _sizes(bounds: Sequence[tuple[float, float]], seen: Sequence[_Seen]) -> dict[Key, float]:
    """Root mean squares of values and derivatives over the domain; what no interior block reads is at least a variation over the extent."""
    squares: dict[Key, float] = {}
    for part in seen:
        means = part.field.square().mean(dim=0).tolist()
        for key, value in zip(_keys(part.block, part.field.shape[1]), means, strict=True):
            squares[key] = max(squares.get(key, 0.0), value)
    extents = [high - low for low, high in bounds]
    for by, output in list(squares):
        if by:
            across = squares[(), output] / math.prod(extents[variable] for variable in by) ** 2
            squares[by, output] = max(squares[by, output], across)
    return {key: math.sqrt(value) for key, value in squares.items()}


def _terms(part: _Seen, sizes: dict[Key, float], *, by_itself: bool) -> Tensor:
    """Sum of the sizes of what a row is made of (n, k): |∂r/∂u_i| |u_i| for each derivative read, and what they do not explain (forcing).

    A condition such as u = 0 is measured by the size that u has elsewhere, as its own terms vanish. Of a nonlinear equation a row that prescribes
    something is measured by itself: a start that is small beside the field may be what all of it grows from.
    """
    linear = part.slopes * part.field[:, None]
    rest = (part.rows - linear.sum(dim=2)).abs()
    usual = part.field.new_tensor([sizes[key] for key in _keys(part.block, part.field.shape[1])])
    own = (part.slopes.abs() * part.field.abs()[:, None]).sum(dim=2) + rest
    elsewhere = (part.slopes.abs() * torch.maximum(part.field.abs(), usual)[:, None]).sum(dim=2) + rest
    prescribes = rest.square().mean(dim=0) > PRESCRIBED**2 * elsewhere.square().mean(dim=0)
    return torch.where(prescribes & by_itself, own, elsewhere)
