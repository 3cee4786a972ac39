"""Where a typed row holds: `x = 0`, `x = 0, x = 1`, `boundary`, `hole`, `x periodic`, `x = 0.3`, `x = 0 and y > 0.5`, `inside core`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region
from lsr_core.problems.physics.regions import Along, Keep, Within, columns
from lsr_core.problems.physics.samplers import Box, Faces, Method, Pairs, boundary
from lsr_core.problems.physics.typed.domains import Ground
from lsr_core.problems.physics.typed.expressions import Expression
from lsr_core.problems.physics.typed.grammar import nearest, pieces
from lsr_core.problems.physics.typed.names import TIMES, Names

FACE_TOLERANCE = 1e-9  # of an interval, by which a face may miss its end
PROBES = 64  # points at which it is seen whether a place is at the edge
WHOLE = "domain"
_SIDES = re.compile(r"<=|>=|<|>")


@dataclass(frozen=True, eq=False)
class Where:
    """Where a row holds.

    Attributes:
        region: draws its points.
        count: parts that need a point each.
        faces: (input, value) of each part that is a face or lies across one input at one value; empty where a part is anything else.
        early: whether all of it is at the start of time.
        across: the input whose two ends are compared.
        normals: outward unit normals (n, space) at its points; None where there are none.
    """

    region: Region
    count: int = 1
    faces: tuple[tuple[str, float], ...] = ()
    across: str | None = None
    normals: Keep | None = None
    early: bool = False


@dataclass(frozen=True)
class _Part:
    """What stands between two commas."""

    fixed: Mapping[str, Expression] = field(default_factory=dict)
    filters: tuple[Keep, ...] = ()
    edge: str = ""
    text: str = ""


@dataclass(frozen=True)
class Places:
    """Reads texts about one equation."""

    ground: Ground
    names: Names
    method: Method

    def inside(self, text: str, key: str) -> Where:
        """Where an equation holds: everywhere, or where something is so.

        Raises:
            InputError: it is no part of the domain.
        """
        plain = " ".join(text.split())
        if plain in ("", WHOLE):
            return Where(self._within((), WHOLE))
        part = self._part(plain, key)
        if part.edge or part.fixed:
            raise InputError(
                f"{plain!r:.60} is no part of the inside; write y < 0.5, inside core or outside core", key=key
            )
        return Where(self._checked(self._within(part.filters, plain), key))

    def of(self, text: str, key: str) -> Where:
        """Where a condition holds.

        Raises:
            InputError: no such place, or none inside the domain.
        """
        plain = " ".join(text.split())
        if plain == WHOLE:
            return Where(self._within((), WHOLE))
        if plain == "periodic" or plain.endswith(" periodic"):
            return self._periodic(plain.removesuffix("periodic").strip(), key)
        parts = [self._part(piece, key) for piece in pieces(plain)]
        filters = tuple(keep for part in parts if not part.fixed and not part.edge for keep in part.filters)
        placed = [part for part in parts if part.fixed or part.edge]
        if not parts:
            raise InputError("says nowhere; write a face such as x = 0, or boundary", key=key)
        if not placed:
            return Where(self._checked(self._within(filters, plain), key))
        return self._union([_Part(one.fixed, one.filters + filters, one.edge, one.text) for one in placed], key)

    def _union(self, parts: list[_Part], key: str) -> Where:
        if plain := self._plain_boundary(parts):
            return plain
        found = [self._one(part, key) for part in parts]
        early = all(where.early for where in found)
        faces = tuple(face for where in found for face in where.faces)
        if len(set(faces)) < len(faces):
            raise InputError("names a face twice", key=key)
        if len(found) == 1:
            return found[0]
        normals = self.ground.whole.normals if all(where.normals for where in found) else None
        region = Faces(tuple(where.region for where in found))
        alike = all(where.faces for where in found)
        return Where(region, len(found), faces if alike else (), normals=normals, early=early)

    def _plain_boundary(self, parts: list[_Part]) -> Where | None:
        """All faces of a box."""
        domain = self.ground.domain
        if (
            len(parts) > 1
            or parts[0].edge != "boundary"
            or parts[0].filters
            or parts[0].fixed
            or self.ground.shape is not None
        ):
            return None
        faces = tuple((name, end) for name, ends in domain.items() for end in ends)
        region = boundary(domain, tuple(domain), self.method)
        timeless = len(self.ground.space) == len(domain)
        return Where(region, len(faces), faces, normals=self.ground.whole.normals if timeless else None)

    def _one(self, part: _Part, key: str) -> Where:
        if part.edge:
            return self._edge(part, key)
        domain, ground = self.ground.domain, self.ground
        values = {name: self._constant(name, found, key) for name, found in part.fixed.items()}
        ends = {name: value for name, value in values.items() if value is not None}
        face = next(iter(ends.items())) if len(values) == len(ends) == 1 else None
        at_end = face is not None and face[1] in domain[face[0]] and face[0] in ground.space
        early = all(name in TIMES and values[name] == domain[name][0] for name in values)
        if face is not None and ground.shape is None and not part.filters:
            normals = ground.whole.normals if at_end else None
            return Where(Box(domain, self.method, ends), faces=(face,), normals=normals, early=early)
        setters = {name: self._setter(name, found, values[name]) for name, found in part.fixed.items()}
        region = Within(domain, ground.shape, ground.space, part.filters, setters, self.method, repr(part.text))
        return Where(self._checked(region, key), normals=self._normals(region), early=early)

    def _normals(self, region: Within) -> Keep | None:
        """Those of the domain where all points of a region lie at its edge."""
        ground = self.ground
        if not ground.space:
            return None
        points = region(PROBES, torch.Generator().manual_seed(0))[:, columns(ground.domain, ground.space)]
        on, _ = ground.whole.sides(points, ground.whole.normals(points))
        return ground.whole.normals if bool(on.all()) else None

    def _edge(self, part: _Part, key: str) -> Where:
        """The boundary, or what a shape makes of it; the whole edge of a shape that lies inside the domain."""
        ground = self.ground
        if not ground.space:
            raise InputError("there is no boundary in space; write t = 0, or another time", key=key)
        if part.fixed:
            raise InputError(
                f"{part.text!r:.60} is an edge and a value of an input at once; restrict an edge by < or >", key=key
            )
        shape = None if part.edge == "boundary" else ground.shapes[part.edge]
        edges = ground.whole.edges if shape is None else shape.edges
        for strict in (True, False) if shape is not None else (True,):
            region = Along(
                ground.domain, ground.whole, ground.space, edges, part.filters, self.method, strict, repr(part.text)
            )
            try:
                _ = region.measure
            except InputError as error:
                if strict and shape is not None:
                    continue
                raise InputError(error.message, key=key) from None
            return Where(region, normals=(ground.whole if strict or shape is None else shape).normals)
        raise AssertionError("the second way has returned or raised")

    def _periodic(self, name: str, key: str) -> Where:
        domain = self.ground.domain
        if name not in domain:
            raise InputError(
                f"there is no input {name!r:.40}; write one of {', '.join(domain)}, then periodic", key=key
            )
        if self.ground.shape is not None and name in self.ground.space:
            raise InputError(f"the domain is no box, so the ends of {name} do not face each other", key=key)
        return Where(Pairs(domain, name, self.method), across=name)

    def _part(self, text: str, key: str) -> _Part:
        fixed: dict[str, Expression] = {}
        filters: list[Keep] = []
        edge = ""
        for atom in (piece.strip() for piece in re.split(r"\band\b", text)):
            first, _, rest = atom.partition(" ")
            if first in ("inside", "outside") and rest in self.ground.shapes:
                filters.append(self.ground.inside(self.ground.shapes[rest], wanted=first == "inside"))
            elif _SIDES.search(atom):
                filters.append(self._comparison(atom, key))
            elif "=" in atom:
                name, found = self._equality(atom, key)
                if name in fixed:
                    raise InputError(
                        f"{name} has two values at once; a comma stands between places, and between what holds at one",
                        key=key,
                    )
                fixed[name] = found
            elif (atom == "boundary" or atom in self.ground.shapes) and not edge:
                edge = atom
            else:
                raise self._nowhere(atom, key)
        return _Part(fixed, tuple(filters), edge, text)

    def _equality(self, atom: str, key: str) -> tuple[str, Expression]:
        name, _, value = (part.strip() for part in atom.partition("="))
        if name not in self.ground.domain:
            raise self._nowhere(atom, key)
        found = self.names.known(value, key)
        if name in found.names:
            raise InputError(f"{atom!r:.60} has {name} on both sides", key=key)
        return name, found

    def _comparison(self, atom: str, key: str) -> Keep:
        signs = _SIDES.findall(atom)
        sides = [self.names.known(side, key) for side in _SIDES.split(atom)]

        def keep(points: Tensor) -> Tensor:
            values = {name: points[:, place] for place, name in enumerate(self.names.inputs)}
            found = torch.ones(len(points), dtype=torch.bool, device=points.device)
            numbers = [torch.as_tensor(side(values)).to(points) + torch.zeros_like(points[:, 0]) for side in sides]
            for sign, one, other in zip(signs, numbers[:-1], numbers[1:], strict=True):
                found &= {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[sign]
            return found

        return keep

    def _constant(self, name: str, found: Expression, key: str) -> float | None:
        """The value where it depends on nothing, at an end where it is close to one."""
        if found.names:
            return None
        value, (low, high) = float(found({})), self.ground.domain[name]
        for end in (low, high):
            if abs(value - end) <= FACE_TOLERANCE * (high - low):
                return end
        if not low < value < high:
            raise InputError(
                f"{name} = {value:g} lies outside the domain, where {name} runs from {low:g} to {high:g}", key=key
            )
        return value

    def _setter(self, name: str, found: Expression, value: float | None) -> Keep:
        def at(points: Tensor) -> Tensor:
            if value is not None:
                return torch.full_like(points[:, 0], value)
            values = {known: points[:, place] for place, known in enumerate(self.names.inputs)}
            return torch.as_tensor(found(values)).to(points) + torch.zeros_like(points[:, 0])

        return at

    def _within(self, filters: tuple[Keep, ...], text: str) -> Region:
        ground = self.ground
        if ground.shape is None and not filters:
            return Box(ground.domain, self.method)
        return Within(ground.domain, ground.shape, ground.space, filters, method=self.method, words=repr(text))

    def _checked(self, region: Region, key: str) -> Region:
        try:
            _ = getattr(region, "measure", None)
        except InputError as error:
            raise InputError(error.message, key=key) from None
        return region

    def _nowhere(self, text: str, key: str) -> InputError:
        ends = ", ".join(f"{known} = {low:g}" for known, (low, _) in self.ground.domain.items())
        shapes = f", or {nearest(text, list(self.ground.shapes))}" if self.ground.shapes else ""
        return InputError(
            f"{text!r:.60} is no place; write faces such as {ends}, or boundary, or {next(iter(self.ground.domain))} periodic{shapes}",
            key=key,
        )
