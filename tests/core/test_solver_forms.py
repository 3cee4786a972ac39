"""Which form of network a solve takes, and which windows it keeps where the network and not the window is the limit."""

from __future__ import annotations

import math

import pytest
import torch

from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.solver.attempt import Attempt
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.forms import FORMS, IN_TIME, STRETCHES, best_form, best_in_time
from lsr_core.solver.march import LIMITED, March
from lsr_core.solver.networks import NetworkForm, window_network
from lsr_core.solver.records import SolveStep
from lsr_core.solver.solution import predictor_of
from lsr_core.solver.solve import solve

OWN = NetworkForm("tanh", 1.0)
GROWTH = {
    "title": "growth",
    "inputs": {"x": [0, 1], "t": [0, 1]},
    "equations": [{"equation": "u_t = 6*u*(1 - u)", "points": 200}],
    "conditions": [{"where": "t = 0", "equation": "u = exp(-20*(x - 0.5)^2)", "points": 40}],
}


def never() -> bool:
    return False


def test_the_form_with_the_smallest_figure_is_taken_and_none_is_tried_that_is_not_needed() -> None:
    figures = {OWN: 3.0, FORMS[0]: 2.0, FORMS[1]: 0.5, FORMS[2]: 1.0, FORMS[3]: math.inf}
    asked: list[NetworkForm] = []

    def judged(form: NetworkForm) -> float:
        asked.append(form)
        return figures[form]

    assert best_form(OWN, FORMS, judged, small=0.0, late=never) == (FORMS[1], 0.5)
    assert len(asked) == 5
    asked.clear()
    assert best_form(OWN, FORMS, judged, small=0.5, late=never)[0] == FORMS[1]
    assert asked == [OWN, FORMS[0], FORMS[1]]
    asked.clear()
    assert best_form(OWN, FORMS, judged, small=0.0, late=lambda: True)[0] == OWN
    assert asked == [OWN]


def test_forms_are_compared_on_the_longest_stretch_that_tells_them_apart() -> None:
    asked: list[tuple[NetworkForm, float]] = []

    def judged(form: NetworkForm, share: float) -> float:
        asked.append((form, share))
        return 1.0 if share == STRETCHES[0] else 1e-4 / (2.0 if form == IN_TIME[1] else 1.0)

    assert best_in_time(OWN, judged, small=0.0, enough=1e-3, late=never) == IN_TIME[1]
    assert asked[:2] == [(OWN, STRETCHES[0]), (OWN, STRETCHES[1])]
    assert {share for _, share in asked[2:]} == {STRETCHES[1]}
    assert [form for form, _ in asked].count(OWN) == 2


def test_time_has_a_scale_of_its_own() -> None:
    problem = problem_of(TypedArguments.model_validate(GROWTH), StartingNetwork())
    start = torch.zeros(1, dtype=torch.float64)
    found = [
        window_network(problem, dict(problem.domain), axis, NetworkForm("tanh", 2.0, 0.25), start, 0).arguments
        for axis in ("t", None)
    ]
    own = problem.architecture.arguments["first_layer"]["scale"]
    assert found[0]["first_layer"]["scale"] == {"x": 2 * own["x"], "t": own["t"] / 2}
    assert found[1]["first_layer"]["scale"] == {"x": 2 * own["x"], "t": 2 * own["t"]}


class Rehearsed(March):
    """Windows whose residual is a function of their length."""

    def by(self, relative: dict[float, float]) -> list[SolveStep]:
        self.residuals = relative
        steps: list[SolveStep] = []
        self.on_step = steps.append
        self.stopped = self.run(1.0)
        return steps

    def _made(self, start: float, end: float) -> Attempt:
        relative = self.residuals[end - start]
        return Attempt(torch.nn.Identity(), {}, torch.zeros(1), relative, "interior", (1.0, 1.0), 5, "small", 10)


def rehearsed() -> Rehearsed:
    problem = problem_of(TypedArguments.model_validate(GROWTH), StartingNetwork())
    return Rehearsed(problem, "t", SolveConfig(), OWN, lambda step: None)


def kept(steps: list[SolveStep]) -> list[tuple[float | None, float | None]]:
    return [(step.start, step.end) for step in steps if step.kept]


def test_a_window_that_shorter_ones_would_not_better_is_kept_and_the_next_is_not_cut() -> None:
    march = rehearsed()
    steps = march.by({1.0: 5e-3, 0.5: 1e-5, 0.25: 2e-5, 0.125: 4e-5})
    assert march.stopped == ""
    assert kept(steps) == [(0.0, 0.5), (0.5, 1.0)]
    assert [step.note for step in steps if step.kept] == [LIMITED, ""]
    assert [(step.start, step.end, step.kept) for step in steps] == [
        (0.0, 1.0, False), (0.0, 0.5, False), (0.0, 0.25, False), (0.0, 0.5, True), (0.5, 1.0, True),
    ]  # fmt: skip
    assert [step.index for step in steps] == list(range(5))
    assert [(window.start, window.end, window.relative) for window in march.windows] == [(0, 0.5, 1e-5), (0.5, 1, 1e-5)]


def test_the_shorter_window_is_kept_where_it_is_the_better_one() -> None:
    march = rehearsed()
    assert kept(march.by({1.0: 5e-4, 0.5: 4e-4, 0.25: 1.0}))[:1] == [(0.0, 0.5)]


def test_nothing_beyond_enough_is_kept_however_little_shorter_windows_help() -> None:
    march = rehearsed()
    steps = march.by({2.0**-k: 2e-3 for k in range(60)})
    assert kept(steps) == []
    assert "however short" in march.stopped


@pytest.mark.slow
def test_growth_from_a_small_start_is_solved_by_windows_of_a_form_that_is_found() -> None:
    """Reaction with rate 6, the failure that is quoted most: windows of the form that fits all of the time best stop at a quarter of it."""
    problem = problem_of(TypedArguments.model_validate(GROWTH), StartingNetwork())
    found = solve(problem, SolveConfig(tolerance=1e-6, rank=200))
    assert found.solved
    points = torch.rand(300, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    start = torch.exp(-20 * (points[:, 0] - 0.5) ** 2)
    grown = start * torch.exp(6 * points[:, 1])
    truth = grown / (grown + 1 - start)
    values = predictor_of(found.problem, found.delta)(points)[:, 0]
    assert float((values - truth).norm() / truth.norm()) < 1e-3
