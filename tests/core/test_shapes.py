"""Shapes and what is made of them: measures, normals, points on edges, and equations on such domains."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from lsr_core import refine
from lsr_core.errors import InputError
from lsr_core.problems.physics.polygons import Hull, Polygon, Rectangle
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.regions import Along, Within
from lsr_core.problems.physics.shapes import Ball, Ellipse, Shape
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.storage.bundles import load_problem, save_problem

BOX = Rectangle(((-1.0, 1.0), (-1.0, 1.0)))
L = Polygon(((-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)))
TETRAHEDRON = Hull(((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)))
NAMES = ("x", "y", "z", "w")

MEASURES: dict[str, tuple[Shape, float, float]] = {
    "disk": (Ball((0.2, 0.1), 0.5), math.pi / 4, math.pi),
    "ball": (Ball((0, 0, 0), 1.0), 4 * math.pi / 3, 4 * math.pi),
    "four dimensions": (Ball((0, 0, 0, 0), 1.0), math.pi**2 / 2, 2 * math.pi**2),
    "ellipse": (Ellipse((0, 0), (0.9, 0.3), 0.4), math.pi * 0.27, 4.021),
    "box": (Rectangle(((0, 1), (0, 2), (0, 3))), 6, 22),
    "L": (L, 3, 8),
    "tetrahedron": (TETRAHEDRON, 1 / 6, 1.5 + math.sqrt(3) / 2),
    "hole": (BOX - Ball((0, 0), 0.5), 4 - math.pi / 4, 8 + math.pi),
    "two disks": (Ball((-0.5, 0), 0.5) + Ball((0.5, 0), 0.5), math.pi / 2, 2 * math.pi),
    "lens": (
        Ball((-0.25, 0), 0.5) & Ball((0.25, 0), 0.5),
        0.5 * (math.pi / 3 - math.sin(2 * math.pi / 3) / 2),
        2 * math.pi / 3,
    ),
    "notch": (BOX - Rectangle(((0, 1), (-1, 0))), 3, 8),
}


@pytest.mark.parametrize("name", MEASURES)
def test_measures_normals_and_points_of_shapes(name: str) -> None:
    shape, volume, surface = MEASURES[name]
    names = NAMES[: len(shape.bounds)]
    domain = dict(zip(names, shape.bounds, strict=True))
    inside, edge = Within(domain, shape, names), Along(domain, shape, names, shape.edges)
    assert inside.measure == pytest.approx(volume, rel=0.03)
    assert edge.measure == pytest.approx(surface, rel=0.03)
    generator = torch.Generator().manual_seed(1)
    points = inside(300, generator)
    assert points.shape == (300, len(names))
    assert bool(shape.holds(points).all())
    on = edge(200, generator)
    normals = shape.normals(on)
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(200, dtype=torch.float64))
    step = 1e-4 * normals
    assert float((shape.holds(on - step) & ~shape.holds(on + step)).double().mean()) > 0.98  # but near corners


@pytest.mark.parametrize("name", ["disk", "ball", "ellipse", "L", "tetrahedron", "hole"])
def test_the_divergence_of_the_position(name: str) -> None:
    """∮ x·n = d · volume: points by length and outward normals at once."""
    shape, volume, _ = MEASURES[name]
    names = NAMES[: len(shape.bounds)]
    edge = Along(dict(zip(names, shape.bounds, strict=True)), shape, names, shape.edges)
    on = edge(4000, torch.Generator().manual_seed(2))
    flux = float((on * shape.normals(on)).sum(dim=1).mean()) * edge.measure
    assert flux == pytest.approx(len(names) * volume, rel=0.03)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no radius": ({"domain": "disk(0, 0, 0)"}, "it must be positive"),
    "flat polygon": ({"domain": "polygon(0, 0, 0.5, 0.5, 1, 1)"}, "cross or touch|no area"),
    "crossed": ({"domain": "polygon(0, 0, 1, 1, 1, 0, 0, 1)"}, "the sides of a polygon cross"),
    "two corners": ({"domain": "polygon(0, 0, 1, 1)"}, "three are needed"),
    "nothing left": ({"domain": "box - disk(0, 0, 3)"}, "leaves nothing of the box"),
    "elsewhere": ({"domain": "disk(9, 9, 1)"}, "leaves nothing of the box"),
    "unknown": ({"domain": "box - whole", "shapes": {"hole": "disk(0, 0, 1)"}}, "did you mean hole"),
    "no shape": ({"domain": "box - 1"}, "is no shape"),
    "dimension": ({"domain": "ball(0, 0, 0, 1)"}, "is a shape of 3 coordinates; space has 2"),
    "function": ({"domain": "circle(0, 0, 1)"}, "there is no function 'circle'"),
    "edge inside nothing": (
        {"domain": "box - hole", "shapes": {"hole": "disk(0, 0, 0.5)", "far": "disk(0, 0, 0.2)"}, "where": "far"},
        "no point of 'far' lies in the domain",
    ),
    "no faces that face": ({"domain": "disk(0, 0, 1)", "where": "x periodic", "equation": "u"}, "the domain is no box"),
    "polyhedron": (
        {"inputs": {"x": (0, 1), "y": (0, 1), "z": (0, 1)}, "domain": "polyhedron(0,0,0, 1,0,0, 0,1,0)"},
        "span no volume",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_domains_that_are_none(name: str) -> None:
    given, said = BAD[name]
    given = {"inputs": {"x": (-1, 1), "y": (-1, 1)}, "where": "boundary", "equation": "u = 0", **given}
    condition = {"where": given.pop("where"), "equation": given.pop("equation")}
    with pytest.raises(InputError, match=said):
        shaped(equations=[{"equation": "laplace(u) = 0"}], conditions=[condition], **given)


def shaped(widths: tuple[int, ...] = (30, 30), **arguments: Any) -> PhysicsProblem:
    return problem_of(TypedArguments(**arguments), StartingNetwork(widths=list(widths)))


HOLED: dict[str, Any] = {
    "inputs": {"x": (-1, 1), "y": (-1, 1)},
    "shapes": {"hole": "disk(0.3, 0.3, 0.4)"},
    "domain": "polygon(-1, -1, 0, -1, 0, 0, 1, 0, 1, 1, -1, 1) - hole",
    "equations": [{"equation": "laplace(u) = 2*exp(x + y)", "points": 300}],
    "conditions": [
        {"where": "x = -1, y = -1, x = 1, y = 1", "equation": "u = exp(x + y)", "points": 80},
        {
            "where": "x = 0 and y < 0, y = 0 and x > 0.8",
            "equation": "dn(u) = exp(x + y)*(step(y + 1e-9)*(-2) + 1)",
            "points": 40,
        },
        {
            "where": "hole",
            "equation": "dn(u) + 2*u = exp(x + y)*(2 - (x + y - 0.6)/0.4)",
            "points": 80,
            "name": "robin",
        },
    ],
    "solution": {"u": "exp(x + y)"},
}


@pytest.mark.slow
def test_an_l_with_a_hole_dirichlet_neumann_and_robin(tmp_path: Path) -> None:
    problem = shaped(widths=(60,), **HOLED)
    assert problem.test is not None
    at = problem.test.inputs
    assert not bool(((at[:, 0] > 1e-9) & (at[:, 1] < -1e-9)).any())
    assert float((at - 0.3).norm(dim=1).min()) >= 0.4
    torch.testing.assert_close((problem.points["robin"] - 0.3).norm(dim=1), torch.full((80,), 0.4, dtype=torch.float64))
    found = refine(problem, max_rank=120).summary.refined.relative_l2
    assert found is not None
    assert found < 1e-3
    again = load_problem(save_problem(tmp_path / "holed", problem))
    assert isinstance(again, PhysicsProblem)
    assert again.test is not None
    assert torch.equal(again.test.inputs, at)


def test_space_and_time() -> None:
    """A disk over time: the shape is one of space, conditions at the start fill it."""
    problem = shaped(
        inputs={"x": (-1, 1), "y": (-1, 1), "t": (0, 1)},
        domain="disk(0, 0, 1)",
        equations=[{"equation": "u_t = laplace(u) - 3", "points": 60}],
        conditions=[
            {"where": "boundary", "equation": "dn(u) = 2", "points": 40},
            {"where": "t = 0", "equation": "u = x^2 + y^2", "points": 40},
        ],
        solution={"u": "x^2 + y^2 + t"},
    )
    assert (
        float(problem.points["boundary 2" if "boundary 2" in problem.points else "initial"][:, :2].norm(dim=1).max())
        <= 1
    )
    edge = problem.points["boundary"]
    torch.testing.assert_close(edge[:, :2].norm(dim=1), torch.ones(40, dtype=torch.float64))
    assert float(edge[:, 2].max() - edge[:, 2].min()) > 0.8


def test_an_interface_on_a_circle() -> None:
    """The normal of a shape that lies inside points out of the shape."""
    problem = shaped(
        widths=(12,),
        inputs={"x": (-1, 1), "y": (-1, 1)},
        outputs=["a", "b"],
        shapes={"core": "disk(0, 0, 0.5)"},
        equations=[
            {"equation": "laplace(a) = 4", "where": "inside core", "points": 30},
            {"equation": "laplace(b) = 4", "where": "outside core", "points": 30},
        ],
        conditions=[
            {"where": "core", "equation": "dn(a) - dn(b) + a - b = 0", "points": 20, "name": "flux"},
            {"where": "boundary", "equation": "b = x^2 + y^2", "points": 20},
        ],
        solution={"a": "x^2 + y^2", "b": "x^2 + y^2"},
    )  # fmt: skip
    assert (
        float(problem.points["interior"].norm(dim=1).max())
        <= 0.5
        <= float(problem.points["interior 2"].norm(dim=1).min())
    )
    torch.testing.assert_close(problem.points["flux"].norm(dim=1), torch.full((20,), 0.5, dtype=torch.float64))
