"""Typed rows as residual blocks: where they hold, what they read, and what value they fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region, ResidualBlock
from lsr_core.problems.physics.regions import Keep, Within
from lsr_core.problems.physics.samplers import Box, Domain
from lsr_core.problems.physics.typed.arguments import Condition, Inside
from lsr_core.problems.physics.typed.differentiation import NORMAL
from lsr_core.problems.physics.typed.domains import Ground
from lsr_core.problems.physics.typed.expressions import Expression
from lsr_core.problems.physics.typed.grammar import pieces
from lsr_core.problems.physics.typed.integrals import Noded, Quadrature
from lsr_core.problems.physics.typed.names import Names, Typed
from lsr_core.problems.physics.typed.places import WHOLE, Where
from lsr_core.problems.physics.typed.remembered import Remembered

AGREE = 1e-8  # of the size of the values, by which two conditions on one face may differ
PROBES = 64  # points of a face at which two conditions are compared


@dataclass(frozen=True)
class TypedRows:
    """Makes the blocks of one equation."""

    names: Names
    ground: Ground

    def inside(self, row: Inside, name: str, where: Where, key: str) -> ResidualBlock:
        """The block of an equation that holds inside.

        Raises:
            InputError: it cannot be read.
        """
        found = self.names.field(row.equation, key)
        return self._block(found, name, where, row.points, row.weight, key)

    def condition(self, row: Condition, name: str, where: Where, key: str) -> ResidualBlock:
        """The block of a condition.

        Raises:
            InputError: it cannot be read.
        """
        if where.across is not None:
            return self._periodic(row, name, where, key)
        found = self.names.field(row.equation, key)
        if row.points < where.count:
            raise InputError(f"has {row.points} points for {where.count} faces; each face needs one at least", key=key)
        fixed = fixed_value(found, self.names)
        if " ".join(row.where.split()) == WHOLE and found.integrals:
            where = self._once(found, where)
        return self._block(found, name, where, row.points, row.weight, key, fixed)

    def _block(
        self, found: Typed, name: str, where: Where, points: int, weight: float, key: str, fixed: Keep | None = None
    ) -> ResidualBlock:
        if found.normals and where.normals is None:
            raise InputError(
                "dn(…) needs an edge in space with an outside, such as boundary, x = 0 or a shape; there is none here",
                key=key,
            )
        values = _Values(self.names, self.ground, None if where.normals is None else Remembered(where.normals))
        alone = isinstance(where.region, Within) and len(where.region.fixed) == len(self.ground.domain)
        sums = [Quadrature(one, self.ground, self.names, alone, key) for one in found.integrals]
        region: Region = Noded(where.region, sums) if sums else where.region
        if sums and alone:
            points = 1  # all would be the same place, each with all of its nodes
        return ResidualBlock(
            name,
            found.needs,
            _with_sums(found, sums, values) if sums else lambda field: values(field, found.plain),
            region,
            points,
            weight,
            nodes=region.nodes if isinstance(region, Noded) else 0,
            prescribed=fixed,
            prescribes=found.reads[:1] if fixed else (),
            reads=found.reads,
        )

    def _once(self, found: Typed, where: Where) -> Where:
        """A row about an integral alone is not repeated along the inputs that it is integrated over."""
        over = set.intersection(*(set(one.over) if one.bounds is None else set() for one in found.integrals))
        read = {name for name in found.plain.names if not name.startswith("integral_")}
        if read & over or any(name.partition("_")[0] in self.names.outputs for name in read):
            return where
        domain = self.ground.domain
        fixed: dict[str, Keep] = {name: _at(domain[name][0]) for name in domain if name in over}
        rest = [name for name in self.ground.space if name not in over]
        shape = self.ground.shape if rest else None
        return Where(Within(domain, shape, self.ground.space, fixed=fixed))

    def _periodic(self, row: Condition, name: str, where: Where, key: str) -> ResidualBlock:
        if "=" in row.equation:
            raise InputError("names what is equal at both ends, such as u, u_x; without an equals sign", key=key)
        parts = [self.names.field(piece, key) for piece in pieces(row.equation)]
        if not parts:
            raise InputError("names nothing that is equal at both ends; write u, or u, u_x", key=key)
        for part in parts:
            if where.across in part.plain.names:
                raise InputError(
                    f"{where.across} itself differs between both ends; name u and its derivatives only", key=key
                )
            if part.integrals or part.normals:
                raise InputError("names an integral or a normal; name u and its derivatives only", key=key)
        needs = tuple(dict.fromkeys(need for part in parts for need in part.needs))
        values = _Values(self.names, self.ground, None)

        def jump(low: Any, high: Any) -> Tensor:
            jumps = [values(high, part.plain) - values(low, part.plain) for part in parts]
            return torch.stack(jumps, dim=1) if len(jumps) > 1 else jumps[0]

        reads = tuple(name for part in parts for name in part.reads)
        return ResidualBlock(name, needs, jump, where.region, row.points, row.weight, pairs=True, reads=reads)


@dataclass(frozen=True)
class _Values:
    """Expressions on fields: (n,), or (n, q) at nodes."""

    names: Names
    ground: Ground
    normals: Keep | None

    def __call__(self, field: Any, found: Expression, sums: dict[str, Tensor] | None = None) -> Tensor:
        values = {name: self._value(field, name, sums or {}) for name in found.names}
        return torch.as_tensor(found(values)) + torch.zeros_like(field.points[..., 0])

    def _value(self, field: Any, name: str, sums: dict[str, Tensor]) -> Tensor:
        head, _, tail = name.partition("_")
        if name in sums:
            return sums[name]
        if name in self.names.inputs:
            found: Tensor = field.x(name)
            return found
        if head in self.names.coefficients:
            return self.names.coefficients[head].at(name, field.points)
        if head == NORMAL:
            assert self.normals is not None
            places = field.points[..., [self.names.inputs.index(axis) for axis in self.ground.space]]
            normals = self.normals(places.reshape(-1, places.shape[-1])).unflatten(0, places.shape[:-1])
            return normals[..., self.ground.space.index(tail)]
        value: Tensor = field[name]
        return value


def _with_sums(found: Typed, sums: list[Quadrature], values: _Values) -> Callable[..., Tensor]:
    def residual(field: Any, nodes: Any) -> Tensor:
        totals, start = {}, 0
        inside = [values(nodes, one.inside) for one in found.integrals]
        for one, quadrature, integrand in zip(found.integrals, sums, inside, strict=True):
            stop = start + len(quadrature.rule[1])
            totals[one.name] = quadrature.summed(integrand[..., start:stop], field.points)
            start = stop
        return values(field, found.plain, totals)

    return residual


def _at(value: float) -> Keep:
    return lambda points: torch.full_like(points[:, 0], value)


def check_agreement(blocks: list[tuple[ResidualBlock, Where]], domain: Domain) -> None:
    """Refuse two conditions that fix one output at one face to different values.

    Raises:
        InputError: naming both, the face and the values.
    """
    fixing = [(block, where) for block, where in blocks if block.prescribed is not None]
    for (first, here), (second, there) in combinations(fixing, 2):
        assert first.prescribed is not None
        assert second.prescribed is not None
        for face in here.faces if first.prescribes == second.prescribes else ():
            if face not in there.faces:
                continue
            # at random: Sobol's sequence takes a second to load, which who only opens a problem need not wait for
            points = Box(domain, "uniform", dict([face]))(PROBES, torch.Generator().manual_seed(0))
            one, other = first.prescribed(points), second.prescribed(points)
            gap = (one - other).abs()
            if float(gap.max()) > AGREE * max(1.0, float(one.abs().max()), float(other.abs().max())):
                worst = int(gap.argmax())
                at = ", ".join(f"{name} = {float(x):.4g}" for name, x in zip(domain, points[worst], strict=True))
                raise InputError(
                    f"{first.name!r} and {second.name!r} both fix {first.prescribes[0]} at {face[0]} = {face[1]:g} and disagree: at {at} "
                    f"they ask for {float(one[worst]):.4g} and {float(other[worst]):.4g}; keep one of them",
                    key=second.name,
                )


def fixed_value(found: Typed, names: Names) -> Keep | None:
    """The value that a condition a·u + b = 0 fixes, −b/a; None for conditions on derivatives, on several outputs, or nonlinear ones."""
    plain = found.plain
    if len(found.reads) != 1 or found.reads[0] not in names.outputs or found.integrals or found.normals:
        return None

    def at(points: Tensor, value: float) -> Tensor:
        values = {name: points[:, names.inputs.index(name)] for name in plain.names if name in names.inputs}
        values |= {
            name: names.coefficients[name].at(name, points) for name in plain.names if name in names.coefficients
        }
        filled = torch.full_like(points[:, 0], value)
        return torch.as_tensor(plain({**values, found.reads[0]: filled})) + torch.zeros_like(filled)

    def fixed(points: Tensor) -> Tensor:
        rest = at(points, 0.0)
        return -rest / (at(points, 1.0) - rest) + 0.0  # never -0

    probe = torch.full((1, len(names.inputs)), 0.37, dtype=torch.float64)
    zero, one, three = (float(at(probe, value)) for value in (0.0, 1.0, 3.0))
    slope = one - zero
    affine = slope != 0 and abs(three - zero - 3 * slope) <= 1e-9 * (abs(zero) + abs(slope))
    return fixed if affine else None
