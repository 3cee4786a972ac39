"""Equations of one's own: without a known solution, on domains that are no box, and with residuals of a wrong form."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.problems.physics.blocks import ResidualBlock, dirichlet
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.own import own_equation
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.physics.regions import Along, Within
from lsr_core.problems.physics.samplers import Box
from lsr_core.problems.physics.shapes import Ball
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.storage import code_problems
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import RunStore
from tests.core.twins import network

SQUARE = {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}


def ring(count: int, draw: torch.Generator) -> Tensor:
    """Between the circles of radius 1/2 and 1."""
    points = 2 * torch.rand(6 * count, 2, generator=draw, dtype=torch.float64) - 1
    size = points.norm(dim=1)
    return points[(size < 1) & (size > 0.5)][:count]


def rims(count: int, draw: torch.Generator) -> Tensor:
    angle = 2 * math.pi * torch.rand(count, generator=draw, dtype=torch.float64)
    size = torch.where(torch.arange(count) % 2 == 0, 1.0, 0.5).double()
    return size[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)


def logarithm(points: Tensor) -> Tensor:
    """Harmonic in the ring, singular in the hole of its box."""
    return torch.log(points.norm(dim=1).clamp_min(1e-8))


def laplace(field: Field) -> Tensor:
    return field["u_xx"] + field["u_yy"]


def ringed(solution: Callable[[Tensor], Tensor] | None) -> PhysicsProblem:
    blocks = [
        ResidualBlock("laplace", ("u_xx", "u_yy"), laplace, ring, 400),
        dirichlet("rims", logarithm, rims, 120, weight=10),
    ]
    return own_equation("ring", network(2, 16, 16, 1, seed=2), SQUARE, blocks, solution)


def test_a_domain_that_is_no_box_is_graded_where_its_sampler_puts_points() -> None:
    problem = ringed(logarithm)
    assert problem.test is not None
    sizes = problem.test.inputs.norm(dim=1)
    assert 0.5 < float(sizes.min()) < float(sizes.max()) < 1
    result = refine(problem, max_rank=200)
    fresh = ring(3000, torch.Generator().manual_seed(77))
    error = float((result.predictor(fresh)[:, 0] - logarithm(fresh)).norm() / logarithm(fresh).norm())
    assert result.summary.refined.relative_l2 == pytest.approx(error, rel=0.3)
    assert error < 0.05
    assert sum("only the sampler of 'laplace' knows it" in note for note in result.summary.notes) == 1
    assert bool((torch.from_numpy(result.fields.inputs).norm(dim=1) > 0.5).all())


def test_the_same_without_a_solution_is_drawn_there() -> None:
    problem = ringed(None)
    assert problem.test is None
    name, split = problem.display
    assert name == "grid"
    assert float(split.inputs.norm(dim=1).min()) > 0.5
    assert torch.equal(problem.redrawn(5).display[1].inputs, split.inputs)


@pytest.mark.parametrize("solution", [None, lambda p: 0 * p[:, 0]])
def test_a_box_has_a_grid(solution: Callable[[Tensor], Tensor] | None) -> None:
    inside = ResidualBlock("laplace", ("u_xx", "u_yy"), laplace, Box(SQUARE), 50)
    edge = ResidualBlock("flux", ("u_x",), lambda field: field["u_x"], rims, 20)
    problem = own_equation("box", network(2, 4, 1), SQUARE, [inside, edge], solution)
    assert len(problem.display[1].inputs) == 100**2
    assert problem.graded_on == ""


def test_shapes_in_python_have_a_grid_of_their_own() -> None:
    """The same domain as by samplers, from shapes: graded on the points of the grid inside, with the same numbers as typed."""
    shape = Ball((0, 0), 1.0) - Ball((0, 0), 0.5)
    blocks = [
        ResidualBlock("laplace", ("u_xx", "u_yy"), laplace, Within(SQUARE, shape, ("x", "y")), 300),
        dirichlet("rims", logarithm, Along(SQUARE, shape, ("x", "y"), shape.edges), 120, weight=10),
    ]
    problem = own_equation("ring", network(2, 16, 16, 1, seed=2), SQUARE, blocks, logarithm)
    assert problem.test is not None
    assert problem.graded_on == ""
    sizes = problem.test.inputs.norm(dim=1)
    assert 0.5 < float(sizes.min()) < float(sizes.max()) <= 1
    typed = build(
        "typed",
        {
            "inputs": SQUARE,
            "domain": "disk(0, 0, 1) - disk(0, 0, 0.5)",
            "equations": [{"equation": "laplace(u) = 0", "points": 300}],
            "conditions": [{"where": "boundary", "equation": "u = log(x^2 + y^2)/2", "points": 120}],
        },
    )
    drawn, _ = draw_points(typed.blocks, 0)
    assert torch.equal(drawn["interior"], problem.points["laplace"])
    assert torch.equal(drawn["boundary"], problem.points["rims"])


FILE = """
import torch
from lsr_core import Box, ResidualBlock, dirichlet, own_equation
D = {"x": (0.0, 1.0), "t": (0.0, 1.0)}
def problem():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(2, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).double()
    return own_equation("mine", net, D, [
        ResidualBlock("heat", ("u_t", "u_xx"), lambda u: u["u_t"] - u["u_xx"], Box(D), 120),
        dirichlet("start", lambda p: torch.sin(3.14159265 * p[:, 0]), Box(D, fixed={"t": 0.0}), 40)])
"""


def test_a_file_whose_solution_nobody_knows_is_refined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSR_CODE", raising=False)
    file = tmp_path / "heat.py"
    file.write_text(FILE)
    store = RunStore(tmp_path / "runs")
    bundle = save_problem(tmp_path / "bundle", code_problems.from_file(str(file)))
    run = create(store, bundle, RefineConfig(max_rank=40), owner="test")
    execute(run)
    summary = store.open(run.id).summary
    assert summary.refined.relative_l2 is None
    assert (summary.residual_norm.fresh_nonlinear or 1) < 1e-2 * (summary.residual_norm.fresh_base or 0)


WRONG: dict[str, tuple[Callable[[Field], Any], str]] = {
    "a column": (lambda u: u["u_xx"] - torch.sin(u.points[:, :1]), r"1 rows a point at one point and 2 at two.*points\[:, 0\]"),
    "a list": (lambda u: [u["u_xx"], u["u_yy"]], r"gives a list; it must be a tensor.*torch.stack"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_residuals_of_a_wrong_form_are_named(name: str) -> None:
    residual, said = WRONG[name]
    block = ResidualBlock("wrong", ("u_xx", "u_yy"), residual, Box(SQUARE), 50)
    with pytest.raises(InputError, match=said) as error:
        refine(own_equation("m", network(2, 4, 1), SQUARE, [block]))
    assert error.value.key == "blocks.wrong"
