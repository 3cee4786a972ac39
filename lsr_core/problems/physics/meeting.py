"""Where two conditions on the values of one output meet, and what becomes of their points where they ask for different ones.

At a corner where the data jump no smooth field meets both sides. The points of both that lie within a stated distance are left out, so that
each condition holds up to there, and a sentence says so. Two conditions that disagree all over one face are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region, ResidualBlock
from lsr_core.problems.physics.regions import Within
from lsr_core.problems.physics.samplers import Box, Domain, Faces

CUT = 0.01  # of the extent of each coordinate: how far around a jump points are left out
AGREE = 1e-8  # of the size of the data, by which two conditions may differ where they meet
ON_FACE = 1e-9  # of an extent, within which all points of a block lie on one face
PROBES = 16  # places on an edge of three and more dimensions at which data are compared

Face = Mapping[str, float]
Keep = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class CutOut:
    """A region without the points near jumps of the data."""

    region: Region
    keep: Keep

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        """Points (n, d), at most `count`, and all of them where none is far enough."""
        return without(self.region(count, generator), self.keep)


def without(points: Tensor, keep: Keep) -> Tensor:
    """The points that are kept; all where that would be none."""
    found = keep(points)
    return points[found] if bool(found.any()) else points


def parted(
    blocks: Sequence[ResidualBlock], points: Mapping[str, Tensor], domain: Domain, outputs: Sequence[str]
) -> tuple[dict[str, Keep], tuple[str, ...]]:
    """By block what is kept of its points, and a sentence for each jump.

    Raises:
        InputError: two conditions that disagree all over a face.
    """
    fixing = [block for block in blocks if block.prescribed is not None and not isinstance(block.region, CutOut)]
    jumps: dict[str, list[_Jump]] = {}
    remarks = []
    for first, second in combinations(fixing, 2):
        if set(first.prescribes or outputs) != set(second.prescribes or outputs):
            continue
        met = _meetings(first, second, points, domain)
        if met:
            remarks.append(_sentence(first, second, met[0], domain))
            jumps.setdefault(first.name, []).extend(met)
            jumps.setdefault(second.name, []).extend(met)
    return {name: _Away(found, domain) for name, found in jumps.items()}, tuple(remarks)


def cut_out(block: ResidualBlock, keep: Keep) -> ResidualBlock:
    """The same block, whose draws leave out what is not kept."""
    return replace(block, region=CutOut(block.region, keep))


@dataclass(frozen=True, eq=False)
class _Jump:
    """An edge where two faces meet, and how far their data differ at points (n, d) of it."""

    edge: Face
    place: Tensor
    values: tuple[float, float]
    gap: Keep
    size: float


@dataclass(frozen=True, eq=False)
class _Away:
    """Whether points (n, d) are farther than `CUT` from all places where data jump."""

    jumps: list[_Jump]
    domain: Domain

    def __call__(self, points: Tensor) -> Tensor:
        names = list(self.domain)
        kept = torch.ones(len(points), dtype=torch.bool, device=points.device)
        for jump in self.jumps:
            near, at = torch.ones_like(kept), points.double().clone()
            for name, value in jump.edge.items():
                low, high = self.domain[name]
                column = names.index(name)
                near &= (points[:, column] - value).abs() <= CUT * (high - low)
                at[:, column] = value
            kept &= ~(near & (jump.gap(at) > AGREE * jump.size).to(near.device))
        return kept


def _meetings(first: ResidualBlock, second: ResidualBlock, points: Mapping[str, Tensor], domain: Domain) -> list[_Jump]:
    found = []
    one_side, other_side = (_faces(block, points[block.name], domain) for block in (first, second))
    for here, there in product(one_side, other_side):
        if any(there.get(name, value) != value for name, value in here.items()):
            continue
        jump = _jump(first, second, {**here, **there}, domain)
        if jump is None:
            continue
        if dict(here) == dict(there):
            raise InputError(
                f"the blocks {first.name!r} and {second.name!r} ask for different values at {_place(domain, jump.place)}: {jump.values[0]:.4g} "
                f"and {jump.values[1]:.4g}; they hold on the same face, so keep one of them",
                key=f"blocks.{second.name}",
            )
        found.append(jump)
    return found


def _jump(first: ResidualBlock, second: ResidualBlock, edge: Face, domain: Domain) -> _Jump | None:
    """How the data differ on an edge; None where they agree all along it."""
    free = [name for name in domain if name not in edge]
    count = 1 if not free else PROBES
    places = Box(domain, "uniform", edge)(count, torch.Generator().manual_seed(0))
    if free:  # its ends, too
        ends = torch.cartesian_prod(*[torch.tensor(domain[name], dtype=torch.float64) for name in free]).reshape(
            -1, len(free)
        )
        corners = places[:1].expand(len(ends), -1).clone()
        corners[:, [list(domain).index(name) for name in free]] = ends
        places = torch.cat([places, corners])

    for block in (first, second):
        places = places[_holds(block.region, places)]
    if len(places) == 0:
        return None

    def gap(at: Tensor) -> Tensor:
        return (_values(first, at) - _values(second, at)).abs().amax(dim=1)

    one, other = _values(first, places), _values(second, places)
    size = max(1.0, float(one.abs().max()), float(other.abs().max()))
    apart = gap(places)
    worst = int(apart.argmax())
    if not float(apart[worst]) > AGREE * size:
        return None
    return _Jump(edge, places[worst], (float(one[worst, 0]), float(other[worst, 0])), gap, size)


def _holds(region: Region, places: Tensor) -> Tensor:
    """Whether parts of faces, or faces of a domain that is no box, reach to places (n, d)."""
    parts = region.parts if isinstance(region, Faces) else (region,)
    held = [part.holds(places) for part in parts if isinstance(part, Within)]
    return torch.stack(held).any(dim=0) if len(held) == len(parts) else torch.ones(len(places), dtype=torch.bool)


def _values(block: ResidualBlock, points: Tensor) -> Tensor:
    assert block.prescribed is not None
    return block.prescribed(points).detach().reshape(len(points), -1)


def _faces(block: ResidualBlock, points: Tensor, domain: Domain) -> list[Face]:
    """The faces that a block lies on: as its region says, else what all of its points have in common; none where that is nothing."""
    parts = block.region.parts if isinstance(block.region, Faces) else (block.region,)
    if all(isinstance(part, (Box, Within)) for part in parts):
        return [face for part in parts if (face := _face(part, domain))]
    low, high = points.amin(dim=0).double(), points.amax(dim=0).double()
    face = {
        name: float(low[column])
        for column, (name, (start, end)) in enumerate(domain.items())
        if float(high[column] - low[column]) <= ON_FACE * (end - start)
    }
    return [face] if face else []


def _face(part: Region, domain: Domain) -> Face:
    """The coordinates that a part of a boundary holds at one value."""
    if isinstance(part, Box):
        return dict(part.fixed or {})
    if not isinstance(part, Within):
        return {}
    probes = Box(domain, "uniform")(2, torch.Generator().manual_seed(0))
    values = {name: value(probes).tolist() for name, value in part.fixed.items()}
    return {name: first for name, (first, second) in values.items() if first == second}


def _sentence(first: ResidualBlock, second: ResidualBlock, jump: _Jump, domain: Domain) -> str:
    return (
        f"The blocks {first.name!r} and {second.name!r} ask for different values at {_place(domain, jump.place)}: {jump.values[0]:.4g} and "
        f"{jump.values[1]:.4g}. No smooth field meets both, so of both the points within {CUT:.0%} of the extent of the domain around "
        "such places are left out."
    )


def _place(domain: Domain, point: Tensor) -> str:
    return ", ".join(f"{name} = {float(value):.6g}" for name, value in zip(domain, point, strict=True))
