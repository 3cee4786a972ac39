"""Shapes as they are typed, such as `box - disk(0.5, 0.5, 0.2)`, and the domain that they make."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lsr_core.errors import InputError
from lsr_core.problems.physics.polygons import Hull, Polygon, Rectangle
from lsr_core.problems.physics.regions import Keep, Within, columns
from lsr_core.problems.physics.samplers import Domain
from lsr_core.problems.physics.shapes import Ball, Ellipse, Shape
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.expressions import number
from lsr_core.problems.physics.typed.grammar import nearest, shape_tree
from lsr_core.problems.physics.typed.names import Names

BOX = "box"
SIGNS: dict[type[ast.operator], str] = {ast.Add: "union", ast.Sub: "difference", ast.Mult: "intersection"}
COMBINED = tuple(SIGNS.values())
SHAPES = ("box", "rectangle", "disk", "ball", "ellipse", "polygon", "polyhedron")


@dataclass(frozen=True)
class Ground:
    """What places of an equation lie in.

    Attributes:
        domain: bounds by input.
        space: inputs that are no time.
        shapes: by name.
        shape: the domain, of the inputs in `space`; None where it is the whole box.
        text: how it was typed.
    """

    domain: Domain
    space: tuple[str, ...]
    shapes: Mapping[str, Shape]
    shape: Shape | None
    text: str

    @property
    def whole(self) -> Shape:
        """The domain as a shape, a box too."""
        return self.shape if self.shape is not None else box_of(self.domain, self.space)

    def inside(self, shape: Shape, *, wanted: bool = True) -> Keep:
        """Whether points (n, d) lie in a shape, or outside of it."""
        where = columns(self.domain, self.space)
        return lambda points: shape.holds(points[:, where]) == wanted


def box_of(domain: Domain, space: tuple[str, ...]) -> Shape:
    """The box of the inputs of space."""
    return Rectangle(tuple((float(domain[name][0]), float(domain[name][1])) for name in space))


def ground_of(options: TypedArguments, names: Names) -> Ground:
    """The domain of an equation.

    Raises:
        InputError: a shape that cannot be read or has no inside, or one that leaves nothing of the domain.
    """
    domain, space = dict(options.inputs), names.space
    shapes: dict[str, Shape] = {}
    for name, text in options.shapes.items():
        shapes[name] = _Reader(domain, space, shapes, names.constants, f"shape {name}").read(text)
    shape = None
    if options.domain.strip():
        reader = _Reader(domain, space, shapes, names.constants, "domain")
        shape = reader.read(options.domain)
        try:
            _ = Within(domain, shape, space).measure
        except InputError:
            raise InputError(
                f"{options.domain.strip()!r:.60} leaves nothing of the box of the inputs; look at the numbers of its shapes",
                key="domain",
            ) from None
        if not isinstance(shape, Rectangle) or shape.bounds != box_of(domain, space).bounds:
            shape = shape & box_of(domain, space) if _beyond(shape, domain, space) else shape
        else:
            shape = None
    return Ground(domain, space, shapes, shape, options.domain.strip())


def _beyond(shape: Shape, domain: Domain, space: tuple[str, ...]) -> bool:
    """Whether a shape reaches out of the box of the inputs."""
    pairs = zip(shape.bounds, (domain[name] for name in space), strict=True)
    return any(
        low < at[0] - 1e-9 * (at[1] - at[0]) or high > at[1] + 1e-9 * (at[1] - at[0]) for (low, high), at in pairs
    )


@dataclass(frozen=True)
class _Reader:
    """Reads one text; shapes that are named before it may stand in it."""

    domain: Domain
    space: tuple[str, ...]
    known: Mapping[str, Shape]
    constants: Mapping[str, float]
    key: str

    def read(self, text: str) -> Shape:
        if not self.space:
            raise InputError("a shape needs inputs of space, and there is only time", key=self.key)
        try:
            shape = self._of(shape_tree(text, self.key, (*SHAPES, *COMBINED)))
        except InputError as error:
            raise InputError(error.message, key=self.key) from None
        if len(shape.bounds) != len(self.space):
            raise InputError(
                f"is a shape of {len(shape.bounds)} coordinates; space has {len(self.space)} ({', '.join(self.space)})",
                key=self.key,
            )
        return shape

    def _of(self, node: ast.expr) -> Shape:
        if isinstance(node, ast.Name):
            if node.id == BOX:
                return box_of(self.domain, self.space)
            if node.id not in self.known:
                raise InputError(f"no shape is called {node.id!r:.40}; {nearest(node.id, [*self.known, BOX, *SHAPES])}")
            return self.known[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            return combined(SIGNS[type(node.op)], self._of(node.left), self._of(node.right))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node.args)
        raise InputError(
            f"{ast.unparse(node):.40} is no shape; write one such as disk(0.5, 0.5, 0.2), and combine shapes by + - *"
        )

    def _call(self, name: str, given: list[ast.expr]) -> Shape:
        if name in COMBINED:
            if len(given) < 2:
                raise InputError(f"{name} takes two shapes or more")
            shape = self._of(given[0])
            for part in given[1:]:
                shape = combined(name, shape, self._of(part))
            return shape
        return MAKERS[name]([number(ast.unparse(part).replace("**", "^"), self.constants, self.key) for part in given])


def combined(how: str, first: Shape, second: Shape) -> Shape:
    """Two shapes as one."""
    return {"union": first.__add__, "difference": first.__sub__, "intersection": first.__and__}[how](second)


def _box(given: list[float]) -> Shape:
    if len(given) % 2 or not given:
        raise InputError("box is written box(from x, to x, from y, to y)")
    return Rectangle(tuple(zip(given[::2], given[1::2], strict=True)))


def _ball(given: list[float]) -> Shape:
    if len(given) < 2:
        raise InputError("a disk or ball is written by its centre, then its radius: disk(0.5, 0.5, 0.2)")
    return Ball(tuple(given[:-1]), given[-1])


def _ellipse(given: list[float]) -> Shape:
    if len(given) not in (4, 5):
        raise InputError(
            "ellipse is written by its centre and its half axes, then an angle if it is turned: ellipse(0, 0, 2, 1, pi/4)"
        )
    return Ellipse((given[0], given[1]), (given[2], given[3]), *given[4:])


def _polygon(given: list[float]) -> Shape:
    if len(given) % 2:
        raise InputError("polygon is written by its corners, two numbers each: polygon(0, 0, 1, 0, 0, 1)")
    return Polygon(tuple(zip(given[::2], given[1::2], strict=True)))


def _polyhedron(given: list[float]) -> Shape:
    if len(given) % 3:
        raise InputError("polyhedron is the convex one around its corners, three numbers each")
    return Hull(tuple(zip(given[::3], given[1::3], given[2::3], strict=True)))


MAKERS: dict[str, Callable[[list[float]], Shape]] = {
    "box": _box, "rectangle": _box, "disk": _ball, "ball": _ball, "ellipse": _ellipse, "polygon": _polygon, "polyhedron": _polyhedron,
}  # fmt: skip
