"""Typed rows as residual blocks: where they hold, what they read, and what value they fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region, ResidualBlock
from lsr_core.problems.physics.samplers import Box, Domain, Faces, Method, Pairs, boundary
from lsr_core.problems.physics.typed.arguments import Condition, Data, Inside
from lsr_core.problems.physics.typed.expressions import Expression, number
from lsr_core.problems.physics.typed.grammar import pieces
from lsr_core.problems.physics.typed.names import Names

FACE_TOLERANCE = 1e-9  # of an interval, by which a face may miss its end
AGREE = 1e-8  # of the size of the values, by which two conditions on one face may differ
PROBES = 64  # points of a face at which two conditions are compared


@dataclass(frozen=True)
class Where:
    """Where a condition holds: faces (input, end), or both ends of the input `across` at once."""

    faces: tuple[tuple[str, float], ...] = ()
    across: str | None = None


def where_of(text: str, domain: Domain, constants: Mapping[str, float], key: str) -> Where:
    """What `x = 0, x = 1`, `boundary` or `x periodic` stands for.

    Raises:
        InputError: no such face.
    """
    plain = " ".join(text.split())
    if plain == "boundary":
        return Where(tuple((name, end) for name, ends in domain.items() for end in ends))
    head, _, tail = plain.partition(" ")
    if tail == "periodic" or plain == "periodic":
        if head not in domain:
            raise InputError(
                f"there is no input {head!r:.40}; write one of {', '.join(domain)}, then periodic", key=key
            )
        return Where(across=head)
    faces = []
    for piece in pieces(plain):
        name, sign, value = (part.strip() for part in piece.partition("="))
        if not sign or name not in domain:
            ends = ", ".join(f"{known} = {low:g}" for known, (low, _) in domain.items())
            raise InputError(
                f"{piece!r:.60} is no place; write faces such as {ends}, or boundary, or {next(iter(domain))} periodic",
                key=key,
            )
        faces.append((name, _end(name, number(value, constants, key), domain[name], key)))
    if not faces:
        raise InputError("says nowhere; write a face such as x = 0, or boundary", key=key)
    if len(set(faces)) < len(faces):
        raise InputError("names a face twice", key=key)
    return Where(tuple(faces))


def inside(row: Inside, name: str, names: Names, domain: Domain, method: Method, key: str) -> ResidualBlock:
    """The block of an equation that holds inside."""
    found = names.field(row.equation, key)
    return ResidualBlock(name, _needs(found, names), _residual(found), Box(domain, method), row.points, row.weight)


def condition(
    row: Condition, name: str, where: Where, names: Names, domain: Domain, method: Method, key: str
) -> ResidualBlock:
    """The block of a condition at the edge.

    Raises:
        InputError: it cannot be read.
    """
    if where.across is not None:
        if "=" in row.equation:
            raise InputError("names what is equal at both ends, such as u, u_x; without an equals sign", key=key)
        parts = [names.field(piece, key) for piece in pieces(row.equation)]
        if not parts:
            raise InputError("names nothing that is equal at both ends; write u, or u, u_x", key=key)
        for part in parts:
            if where.across in part.names:
                raise InputError(
                    f"{where.across} itself differs between both ends; name u and its derivatives only", key=key
                )
        needs = tuple(dict.fromkeys(need for part in parts for need in _needs(part, names)))
        pairs = Pairs(domain, where.across, method)
        return ResidualBlock(name, needs, _jump(parts), pairs, row.points, row.weight, pairs=True)
    found = names.field(row.equation, key)
    faces = [Box(domain, method, {face: end}) for face, end in where.faces]
    whole = len(faces) == 2 * len(domain)
    region: Region = (
        boundary(domain, tuple(domain), method) if whole else Faces(tuple(faces)) if len(faces) > 1 else faces[0]
    )
    if row.points < len(faces):
        raise InputError(f"has {row.points} points for {len(faces)} faces; each face needs one at least", key=key)
    fixed = _fixed(found, names, key)
    output = names.read_by(found)[:1] if fixed else ()
    return ResidualBlock(
        name,
        _needs(found, names),
        _residual(found),
        region,
        row.points,
        row.weight,
        prescribed=fixed,
        prescribes=output,
    )


def data(given: Data, names: Names) -> ResidualBlock:
    """The block of values at places; a draw takes some of the places, in any order.

    Raises:
        InputError: an unknown output, rows of a wrong length, or two rows at the same place.
    """
    if given.output not in names.outputs:
        raise InputError(f"there is no output {given.output!r}; outputs: {', '.join(names.outputs)}", key="data")
    wanted = len(names.inputs) + 1
    for index, row in enumerate(given.rows, 1):
        if len(row) != wanted:
            needed = ", ".join((*names.inputs, given.output))
            raise InputError(f"row {index} has {len(row)} numbers; {wanted} are needed: {needed}", key="data")
    places: dict[tuple[float, ...], int] = {}
    for index, row in enumerate(given.rows, 1):
        if (first := places.setdefault(tuple(row[:-1]), index)) != index:
            raise InputError(f"rows {first} and {index} are at the same place; give one value for it", key="data")
    table = torch.tensor(given.rows, dtype=torch.float64)

    def draw(count: int, generator: torch.Generator) -> Tensor:
        return table[torch.randperm(len(table), generator=generator)[:count], :-1]

    def residual(field: Any) -> Tensor:
        """By the nearest place, since points may have been rounded to single precision."""
        at = field.points.detach().double().cpu()
        values = table[torch.cdist(at, table[:, :-1]).argmin(dim=1), -1].to(field.points)
        difference: Tensor = field[given.output] - values
        return difference

    return ResidualBlock("data", (), residual, draw, len(table), given.weight)


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


def _end(name: str, value: float, ends: tuple[float, float], key: str) -> float:
    for end in ends:
        if abs(value - end) <= FACE_TOLERANCE * (ends[1] - ends[0]):
            return end
    low, high = ends
    raise InputError(f"there is no face {name} = {value:g}; the faces of {name} are at {low:g} and {high:g}", key=key)


def _needs(found: Expression, names: Names) -> tuple[str, ...]:
    return tuple(name for name in names.read_by(found) if name not in names.outputs)


def _values(field: Any, found: Expression) -> Tensor:
    """An expression on a field, (n,)."""
    values = {name: field.x(name) if name in field.variables else field[name] for name in found.names}
    return torch.as_tensor(found(values)) + torch.zeros_like(field.points[:, 0])


def _residual(found: Expression) -> Callable[..., Tensor]:
    return lambda field: _values(field, found)


def _jump(parts: list[Expression]) -> Callable[..., Tensor]:
    def residual(low: Any, high: Any) -> Tensor:
        jumps = [_values(high, part) - _values(low, part) for part in parts]
        return torch.stack(jumps, dim=1) if len(jumps) > 1 else jumps[0]

    return residual


def _fixed(found: Expression, names: Names, key: str) -> Callable[[Tensor], Tensor] | None:
    """The value that a condition a·u + b = 0 fixes, −b/a; None for conditions on derivatives, on several outputs, or nonlinear ones."""
    read = names.read_by(found)
    if len(read) != 1 or read[0] not in names.outputs:
        return None

    def at(points: Tensor, value: float) -> Tensor:
        values = {name: points[:, names.inputs.index(name)] for name in found.names if name in names.inputs}
        filled = torch.full_like(points[:, 0], value)
        return torch.as_tensor(found({**values, read[0]: filled})) + torch.zeros_like(filled)

    def fixed(points: Tensor) -> Tensor:
        rest = at(points, 0.0)
        return -rest / (at(points, 1.0) - rest) + 0.0  # never -0

    probe = torch.full((1, len(names.inputs)), 0.37, dtype=torch.float64)
    zero, one, three = (float(at(probe, value)) for value in (0.0, 1.0, 3.0))
    slope = one - zero
    affine = slope != 0 and abs(three - zero - 3 * slope) <= 1e-9 * (abs(zero) + abs(slope))
    return fixed if affine else None
