"""A part of the edge without a condition is told, though residuals and another seed say nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from lsr_core import RefineConfig
from lsr_core.diagnosis.verdict import verdict_of
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.bare_edge import bare_edge
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.refinement.refine import refine
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.solve import solve

RING = {"shapes": {"outer": "disk(0, 0, 1)", "hole": "disk(0.2, 0.1, 0.3)"}, "domain": "outer - hole"}
CORNER = {"shapes": {"corner": "box(0, 1, 0, 1)"}, "domain": "box - corner"}
FLAT = {"x": [-1, 1], "y": [-1, 1]}


def typed(where: list[str], ground: dict[str, Any], equation: str = "laplace(u) = -1", **other: Any) -> PhysicsProblem:
    conditions = [{"where": part, "equation": "u = 0", "points": 200} for part in where]
    given = {"inputs": FLAT, "equations": [{"equation": equation, "points": 300}], "conditions": conditions}
    return problem_of(TypedArguments.model_validate({**given, **ground, **other}), StartingNetwork(widths=[20]))


@pytest.mark.parametrize(
    ("where", "ground", "share"),
    [
        (["outer", "hole"], RING, 0),
        (["boundary"], RING, 0),
        (["outer"], RING, 23),
        (["hole"], RING, 77),
        (["outer", "hole, y > 0.1"], RING, 11),
        (["boundary"], CORNER, 0),
        (["x = -1", "y = -1", "x = 1", "y = 1", "corner"], CORNER, 0),
        (["x = -1", "y = -1", "x = 1", "y = 1"], CORNER, 25),
    ],
)
def test_the_share_of_the_edge_is_told(where: list[str], ground: dict[str, Any], share: int) -> None:
    found = bare_edge(typed(where, ground))
    if share == 0:
        assert found == ""
        return
    assert abs(int(found.split(" %")[0].split()[-1]) - share) <= 3


def test_initial_values_are_no_condition_at_an_edge_and_time_has_none() -> None:
    inputs = {"x": [-1, 1], "y": [-1, 1], "t": [0, 1]}
    heat = "dx(u, t) = laplace(u)"
    assert bare_edge(typed(["outer", "hole", "t = 0"], RING, heat, inputs=inputs)) == ""
    assert "23 %" in bare_edge(typed(["outer", "t = 0"], RING, heat, inputs=inputs))


def test_equations_that_ask_for_no_condition_everywhere_and_boxes_are_let_be() -> None:
    assert bare_edge(typed(["hole"], RING, "dx(u, x) + u = 1")) == ""
    assert bare_edge(typed(["x = -1"], {})) == ""


def test_nobody_is_told_to_use_such_a_field_nor_that_it_is_solved() -> None:
    problem = typed(["outer"], RING)
    said = verdict_of(refine(problem, RefineConfig(max_rank=60)))
    assert said.limit == "undetermined"
    assert not said.use
    assert any("no condition is written at 23 %" in item.sentence for item in said.evidence)
    found = solve(problem, SolveConfig(seconds=20))
    assert not found.solved
    assert found.sentence.startswith("Not shown to be solved: no condition")
