"""Iterative LSR: alignments, the loop with its limits, going on after a kill, the trainings beside it, the sentence."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lsr_core.errors import Cancelled, InputError
from lsr_core.iteration import loop
from lsr_core.iteration.alignment import PseudoTimeAlignment, SupervisedAlignment, align, stable_sign
from lsr_core.iteration.baselines import NAMES, Baseline
from lsr_core.iteration.clock import Clock
from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.loop import Iteration
from lsr_core.iteration.measures import fresh_residual
from lsr_core.iteration.records import BandPair, Bands, BaselinePoint, Floats, IterationStep
from lsr_core.iteration.rounds import Rounds, proved_function
from lsr_core.iteration.sentence import sentence, summarise
from lsr_core.iteration.solve import SHARES, solve
from lsr_core.iteration.state import IterationProgress, IterationState
from lsr_core.jobs import queue
from lsr_core.jobs.rebuild import read_delta
from lsr_core.jobs.worker import execute
from lsr_core.networks import architectures
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.networks.functions import ParametricFunction
from lsr_core.portable.deliver import predictor_of
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.problems.splits import Architecture
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.true_residual import true_losses
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.states import STATE, read_state, write_state
from lsr_core.storage.steps import StepStore
from lsr_core.training.objective import PhysicsObjective
from tests import bundles

WIDTH = 8
REFINE = RefineConfig(max_rank=60)


def poisson(seed: int = 0, constraints: str = "hard", name: str = "poisson") -> PhysicsProblem:
    """A 2-8-8-1 network (105 parameters) for u = sin(πx²) sin(πy), with a coarse grid."""
    options = {"constraints": constraints, "n_interior": 300, "n_boundary": 100}
    pde = equations.build(name, {**options, "k": 1} if name == "poisson" else options)
    arguments: dict[str, Any] = {
        "layers": [2, WIDTH, WIDTH, 1],
        "domain": {key: list(bounds) for key, bounds in pde.domain.items()},
        "first_layer": {"scale": 2.0},
        "seed": seed,
    }
    if pde.transform is not None:
        arguments["output"] = {"name": pde.transform[0], "arguments": dict(pde.transform[1])}
    model = architectures.build("pinn-mlp", arguments).double().eval()
    problem = make_problem(pde, model, seed=seed, architecture=Architecture("pinn-mlp", arguments))
    return replace(problem, test=pde.test((33, 33)))


class Notes:
    """A book in memory; may ask to stop after a number of half steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[IterationStep] = []
        self.fields: list[tuple[Floats | None, Floats | None]] = []
        self.points: list[BaselinePoint] = []
        self.states: list[IterationState] = []
        self.axes: dict[str, Floats] = {}
        self._stop_after = stop_after

    def grid(self, axes: dict[str, Floats], truth: Floats) -> None:
        self.axes = axes
        assert truth.shape == tuple(len(axis) for axis in axes.values())

    def step(self, step: IterationStep, network: Floats | None, refined: Floats | None) -> None:
        self.steps.append(step)
        self.fields.append((network, refined))

    def keep(self, state: IterationState) -> None:
        self.states.append(state)
        if self._stop_after is not None and len(self.states) >= self._stop_after:
            raise Cancelled("asked to stop")

    def baseline(self, point: BaselinePoint) -> None:
        self.points.append(point)


def iterated(
    problem: PhysicsProblem, book: Notes | None = None, state: IterationState | None = None, **settings: Any
) -> Notes:
    book = book or Notes()
    config = IterateConfig.model_validate({"steps": 3, "align_steps": 20, "baselines": False, **settings})
    Iteration(problem, config, REFINE, book, state=state).run()
    return book


def whole(problem: PhysicsProblem) -> ParametricFunction:
    return ParametricFunction.from_module(problem.model, dtype=torch.float64)


def field_of(problem: PhysicsProblem, theta: Tensor, points: Tensor) -> Tensor:
    return ParametricFunction.from_module(problem.model, dtype=torch.float64).outputs(points, theta)


def test_solve_is_the_best_of_its_ranks_on_fresh_points() -> None:
    problem = poisson()
    found = solve(problem, REFINE, lambda done: None)
    function = found.setting.function
    direct = true_losses(found.setting.fresh, found.delta[:, None], "row-blocks")
    assert found.fresh_residual == pytest.approx(math.sqrt(direct[0]), rel=1e-6)
    assert found.norms.fresh_base == pytest.approx(fresh_residual(problem, function))
    assert found.fresh_residual < 0.2 * found.norms.fresh_base
    assert found.norms.linear == pytest.approx(found.residual, rel=1e-6)  # the equation is linear in u
    fixed = solve(problem, REFINE.model_copy(update={"rank": 0}), lambda done: None)
    assert fixed.rank == 0
    assert fixed.fresh_residual == fixed.norms.fresh_base


def test_where_large_ranks_leave_the_reach_of_the_linear_model_smaller_ones_are_tried() -> None:
    equation = {"inputs": {"x": (-1.0, 1.0), "t": (0.0, 1.0)}, "equations": [{"equation": "u_t + u*u_x = u_xx/300", "points": 600}],
                "conditions": [{"where": "t = 0", "equation": "u = -sin(pi*x)", "points": 60}]}  # fmt: skip
    problem = problem_of(TypedArguments.model_validate(equation), StartingNetwork(widths=[16, 16]))
    config = RefineConfig(max_rank=90)
    found = solve(problem, config, lambda done: None)
    large = [round(share * 90) for share in SHARES]
    fixed = [solve(problem, config.model_copy(update={"rank": rank}), lambda done: None) for rank in large]
    assert found.rank < min(large)
    assert found.fresh_residual < 0.95 * min(one.fresh_residual for one in fixed)


@pytest.mark.always
def test_loop_goes_in_half_steps_and_the_refined_field_wins() -> None:
    problem = poisson()
    book = iterated(problem)
    kinds = [step.kind for step in book.steps]
    assert kinds == ["start", "lsr", "align", "lsr", "align", "lsr", "align"]
    assert [step.index for step in book.steps] == list(range(7))
    assert [step.round for step in book.steps] == [0, 1, 1, 2, 2, 3, 3]
    seconds = [step.seconds for step in book.steps]
    assert seconds == sorted(seconds)
    last = book.states[-1].progress
    assert last.stopped == "steps"
    solves = [step for step in book.steps if step.kind == "lsr"]
    assert last.best is not None
    assert last.best.fresh_residual == min(step.fresh_residual for step in solves)
    aligned = book.steps[-1].relative_l2
    assert aligned.network is not None
    assert aligned.refined is not None
    assert book.steps[0].relative_l2.network is not None
    assert aligned.refined < aligned.network < book.steps[0].relative_l2.network
    assert book.steps[0].relative_l2.refined is None


def test_figures_are_those_of_the_fields_beside_them() -> None:
    problem = poisson()
    book = iterated(problem, steps=1)
    best, theta, delta = book.states[-1].progress.best, book.states[-1].best_theta, book.states[-1].best_delta
    assert best is not None
    assert delta is not None
    assert theta is not None
    assert problem.test is not None
    predictor = predictor_of(problem, delta, torch.float64)
    error = predictor.predict(problem.test.inputs) - problem.test.targets
    relative = float(error.norm() / problem.test.targets.norm())
    step = book.steps[best.index]
    assert step.relative_l2.refined == pytest.approx(relative, rel=1e-9)
    network, refined = book.fields[best.index]
    assert network is not None
    np.testing.assert_allclose(refined, error.reshape(33, 33).numpy(), atol=1e-14)
    assert step.bands.refined is not None
    assert step.spectrum.refined is not None
    total = sum(step.spectrum.refined)
    assert step.bands.refined.low + step.bands.refined.middle + step.bands.refined.high == pytest.approx(total)
    inner = error.reshape(33, 33)[1:-1, 1:-1]
    assert total == pytest.approx(float(inner.square().sum()) / 32**2, rel=1e-9)  # sines: Parseval


def test_points_are_new_in_every_round_and_fresh_ones_stay() -> None:
    problem = poisson()
    iteration = Iteration(problem, IterateConfig(), REFINE, Notes())
    first, second, again = (iteration._rounds.at(iteration.state.theta, number) for number in (1, 2, 2))
    assert torch.equal(first.points["interior"], problem.points["interior"])
    assert not torch.equal(second.points["interior"], first.points["interior"])
    assert torch.equal(second.points["interior"], again.points["interior"])
    assert torch.equal(second.fresh["interior"], problem.fresh["interior"])
    still = Iteration(problem, IterateConfig(resample=False), REFINE, Notes())
    assert torch.equal(still._rounds.at(iteration.state.theta, 2).points["interior"], problem.points["interior"])


@pytest.mark.slow
def test_best_is_chosen_by_fresh_residual_whatever_the_reference_says() -> None:
    problem = poisson()
    assert problem.test is not None
    plain = iterated(problem)
    spoilt = replace(problem, test=replace_targets(problem, torch.randn(33 * 33, 1, dtype=torch.float64)))
    other = iterated(spoilt)
    for one, two in zip(plain.states, other.states, strict=True):
        torch.testing.assert_close(one.theta, two.theta)
        assert (one.progress.best is None) == (two.progress.best is None)
        if one.progress.best is not None and two.progress.best is not None:
            assert one.progress.best.index == two.progress.best.index
            assert one.progress.best.rank == two.progress.best.rank


def replace_targets(problem: PhysicsProblem, targets: Tensor) -> Any:
    assert problem.test is not None
    return type(problem.test)(problem.test.inputs, targets)


def test_without_a_reference_there_are_residuals_only() -> None:
    problem = replace(poisson(), test=None, grid=poisson().test)
    book = iterated(problem, steps=1)
    assert book.axes == {}
    assert all(step.relative_l2.network is None and step.bands.network is None for step in book.steps)
    words = sentence(book.steps)
    assert f"{book.steps[0].fresh_residual:.1e} to {book.steps[1].fresh_residual:.1e}" in words


def test_scattered_reference_has_errors_but_no_spectrum() -> None:
    problem = poisson()
    assert problem.test is not None
    some = torch.randperm(33 * 33, generator=torch.Generator().manual_seed(1))[:500]
    scattered = replace(problem, test=type(problem.test)(problem.test.inputs[some], problem.test.targets[some]))
    book = iterated(scattered, steps=1)
    assert book.steps[0].relative_l2.network is not None
    assert book.steps[0].spectrum.network is None


def test_budget_is_kept_to_half_a_step() -> None:
    began = time.perf_counter()
    book = iterated(poisson(), steps=1000, seconds=2.0, align_steps=100_000)
    assert book.states[-1].progress.stopped in ("seconds", "stagnation")
    longest = max(b.seconds - a.seconds for a, b in zip(book.steps, book.steps[1:], strict=False))
    assert book.states[-1].progress.seconds <= 2.0 * 1.1 + longest
    assert time.perf_counter() - began < 60


def test_measuring_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(5.0)
    with clock.standing():
        time.sleep(0.2)
    assert 5.0 <= clock.seconds < 5.15


def test_stagnation_ends_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = loop.solve

    def same(*given: Any) -> Any:
        return replace(whole(*given), fresh_residual=1.0)

    monkeypatch.setattr(loop, "solve", same)
    book = iterated(poisson(), steps=50)
    assert book.states[-1].progress.stopped == "stagnation"
    assert book.states[-1].progress.round == 1 + loop.PATIENCE


def test_a_later_solve_that_fails_keeps_what_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, calls = loop.solve, []

    def failing(*given: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise InputError("the residual is NaN at 3 of 300 points")
        return whole(*given)

    monkeypatch.setattr(loop, "solve", failing)
    last = iterated(poisson()).states[-1].progress
    assert last.stopped == "stagnation"
    assert last.best is not None
    assert "3 of 300 points" in last.notes[-1]


@pytest.mark.parametrize("optimiser", ["adam", "lbfgs", "adam-lbfgs", "levenberg-marquardt"])
def test_supervised_alignment_brings_the_network_closer(optimiser: str) -> None:
    problem = poisson()
    assert problem.test is not None
    target = field_of(
        problem, ParametricFunction.from_module(problem.model, dtype=torch.float64).theta0 + 0.05, problem.test.inputs
    )

    def moved(points: Tensor) -> Tensor:
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
        return function.outputs(points, function.theta0 + 0.05)

    config = IterateConfig.model_validate({"optimiser": optimiser, "align_steps": 60})
    found = align(problem, whole(problem), moved, config, seconds=None)
    before = field_of(
        problem, ParametricFunction.from_module(problem.model, dtype=torch.float64).theta0, problem.test.inputs
    )
    after = field_of(problem, found.theta, problem.test.inputs)
    assert found.note == ""
    assert float((after - target).norm()) < 0.5 * float((before - target).norm())


def test_supervised_loss_is_the_relative_mean_square() -> None:
    problem = poisson()
    alignment = SupervisedAlignment(problem.model, problem.fitted_inputs().double(), lambda points: points[:, :1] + 1)
    points = problem.points["interior"]
    value = field_of(problem, alignment.theta0, points)
    expected = (value - points[:, :1] - 1).square().sum() / (points[:, :1] + 1).square().sum()
    assert float(alignment.loss(alignment.theta0)) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "sign"), [("poisson", -1.0), ("heat", 1.0), ("wave", 1.0), ("convection", 1.0), ("reaction", 1.0)]
)
def test_pseudo_time_runs_the_stable_way(name: str, sign: float) -> None:
    problem = poisson(name=name) if name == "poisson" else _plain(name)
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    assert stable_sign(problem, function) == sign


def _plain(name: str) -> PhysicsProblem:
    pde = equations.build(name, {"n_interior": 50, "constraints": "soft", "n_boundary": 20, "n_initial": 20})
    arguments = {"layers": [len(pde.domain), 4, 1], "domain": {key: list(ends) for key, ends in pde.domain.items()}}
    return make_problem(pde, architectures.build("pinn-mlp", arguments).double().eval())


def test_pseudo_time_loss_has_the_published_term() -> None:
    problem = poisson(constraints="soft")
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    objective = PseudoTimeAlignment(
        problem, function, lambda points: torch.ones(len(points), 1, dtype=torch.float64), 0.1
    )
    residuals = {}
    for part in block_rows(problem, function):
        residuals[part.block.name] = part.residual.outputs(part.points).reshape(-1)
    u = function.outputs(problem.points["interior"])[:, 0]
    interior = residuals["interior"] - (u - 1) / 0.1 / math.sqrt(300)
    expected = interior.square().sum() + residuals["boundary"].square().sum()
    assert float(objective.loss(function.theta0)) == pytest.approx(float(expected), rel=1e-10)


def test_pseudo_time_aligns_too() -> None:
    book = iterated(poisson(), align="pseudo-time", align_steps=60, steps=2)
    first, last = book.steps[0].relative_l2.network, book.steps[-1].relative_l2.network
    assert first is not None
    assert last is not None
    assert last < 0.5 * first


def test_diverging_alignment_keeps_the_best_weights_and_says_so() -> None:
    problem = poisson()
    book = iterated(problem, optimiser="adam", learning_rate=1e6, align_steps=30, steps=2)
    progress = book.states[-1].progress
    assert progress.stopped == "steps"  # it went on
    assert any("diverged" in note and "kept" in note for note in progress.notes), progress.notes
    assert any("diverged" in step.note for step in book.steps if step.kind == "align")
    errors = [step.relative_l2.network for step in book.steps if step.kind != "lsr"]
    assert all(error is not None and errors[0] is not None and error <= errors[0] * (1 + 1e-9) for error in errors)
    assert progress.best is not None


def test_alignment_to_nonsense_is_a_note() -> None:
    problem = poisson()
    start = ParametricFunction.from_module(problem.model, dtype=torch.float64).theta0
    found = align(
        problem,
        whole(problem),
        lambda points: torch.full((len(points), 1), math.nan, dtype=torch.float64),
        IterateConfig(),
        seconds=None,
    )
    assert torch.equal(found.theta, start)
    assert "NaN" in found.note


@pytest.mark.slow
def test_stopped_and_resumed_is_as_in_one_go() -> None:
    problem = poisson()
    whole = iterated(problem)
    for count in (1, 2, 3):
        first = Notes(stop_after=count)
        with pytest.raises(Cancelled):
            iterated(problem, first)
        second = iterated(problem, state=first.states[-1])
        both = first.steps + second.steps
        assert [(step.index, step.kind, step.round) for step in both] == [
            (step.index, step.kind, step.round) for step in whole.steps
        ]
        for one, two in zip(whole.steps, both, strict=True):
            assert two.fresh_residual == pytest.approx(one.fresh_residual, rel=1e-3)
            assert two.relative_l2.network == pytest.approx(one.relative_l2.network, rel=1e-3)
        seconds = [step.seconds for step in both]
        assert seconds == sorted(seconds)


def test_more_rounds_go_on_where_it_ended() -> None:
    problem = poisson()
    first = iterated(problem, steps=1)
    second = iterated(problem, state=first.states[-1], steps=2)
    assert [step.index for step in second.steps] == [3, 4]
    assert iterated(problem, state=first.states[-1], steps=1).steps == []


@pytest.mark.slow
def test_baselines_run_for_the_same_seconds() -> None:
    problem = poisson()
    book = iterated(problem, steps=2, baselines=True)
    spent = book.states[-1].progress.seconds
    assert {point.name for point in book.points} == set(NAMES)
    for name in NAMES:
        points = [point for point in book.points if point.name == name]
        assert points[0].stage == "start"
        assert points[0].seconds < 0.1 + 0.2 * spent
        assert points[-1].seconds >= 0.9 * spent or any(name in note for note in book.states[-1].progress.notes)
        assert [point.seconds for point in points] == sorted(point.seconds for point in points)
        assert points[-1].fresh_residual < points[0].fresh_residual
    assert book.states[-1].progress.trained == list(NAMES)
    assert {point.stage for point in book.points if point.name == "pinn"} == {"start", "Adam", "L-BFGS"}


def test_levenberg_marquardt_of_a_large_network_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_core.iteration.baselines.LARGEST", 50)
    problem = poisson()
    note = Baseline(
        NAMES[2],
        Rounds(problem, IterateConfig(), REFINE),
        seconds=1,
        seed=0,
        on_point=lambda point: None,
        on_seconds=lambda spent: None,
    ).run()
    assert "left out" in note
    assert "105" in note


def test_baseline_measures_what_it_holds() -> None:
    problem = poisson()
    points: list[BaselinePoint] = []
    Baseline(
        NAMES[0],
        Rounds(problem, IterateConfig(), REFINE),
        seconds=0.5,
        seed=0,
        on_point=points.append,
        on_seconds=lambda spent: None,
    ).run()
    assert points[0].fresh_residual == pytest.approx(fresh_residual(problem, whole(problem)))


def test_every_half_step_takes_the_derivatives_that_were_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here those carried through the layers are wrong, so that all figures must come from the others."""
    wrong = replace(
        ACTIVATIONS["tanh"],
        series=lambda z, order: [z, torch.ones_like(z), *[torch.zeros_like(z)] * (order - 1)][: order + 1],
    )
    monkeypatch.setitem(ACTIVATIONS, "tanh", wrong)
    problem = poisson()
    plain = whole(problem).by("forward", layered=False)
    right = fresh_residual(problem, plain)
    assert fresh_residual(problem, whole(problem)) != pytest.approx(right, rel=0.01)
    book = iterated(problem, steps=1, align="pseudo-time", align_steps=5)
    rounds = Rounds(problem, IterateConfig(), REFINE)
    Baseline(NAMES[2], rounds, seconds=0.01, seed=0, on_point=book.baseline, on_seconds=lambda spent: None).run()
    assert [book.steps[0].fresh_residual, book.points[0].fresh_residual] == pytest.approx([right] * 2)
    aligned, theta = book.steps[-1], book.states[-1].theta
    assert aligned.fresh_residual == pytest.approx(fresh_residual(problem, plain.moved(theta)))
    objective = PhysicsObjective(problem, function=proved_function(problem, REFINE))
    rows = block_rows(problem, plain)

    def loss(theta: Tensor) -> Tensor:
        return torch.stack([part.residual(theta, part.points).square().sum() for part in rows]).sum()

    assert float(objective.loss(plain.theta0)) == pytest.approx(float(loss(plain.theta0)))
    system = objective.normal_equations(plain.theta0)
    torch.testing.assert_close(2 * system.gradient, torch.func.grad(loss)(plain.theta0))


BANDS = [
    Bands(low=1e-1, middle=2e-3, high=3e-5),
    Bands(low=4e-12, middle=5e-12, high=6e-12),
    Bands(low=7e-4, middle=8e-3, high=9e-6),
]


def step(index: int, round: int, kind: str, fresh: float, network: Bands, refined: Bands | None) -> IterationStep:
    return IterationStep.model_validate(
        {
            "index": index,
            "round": round,
            "kind": kind,
            "seconds": index,
            "residual": fresh,
            "fresh_residual": fresh,
            "bands": BandPair(network=network, refined=refined),
        }
    )


def test_sentence_has_the_figures_of_the_steps() -> None:
    steps = [
        step(0, 0, "start", 9.0, BANDS[0], None),
        step(1, 1, "lsr", 1e-5, BANDS[0], BANDS[1]),
        step(2, 1, "align", 1e-1, BANDS[2], BANDS[1]),
        step(3, 2, "lsr", 2e-5, BANDS[2], BANDS[1]),
    ]
    words = sentence(steps)
    numbers = re.findall(r"(low|middle|high) (\S+) to ([0-9.e+-]+[0-9])", words)
    expected = []
    for before, after in ((BANDS[0], BANDS[1]), (BANDS[0], BANDS[2])):
        for name in Bands.model_fields:
            expected.append((name, f"{getattr(before, name):.1e}", f"{getattr(after, name):.1e}"))
    assert numbers == expected
    assert "round 1" in words
    assert "no gain in the middle band" in words
    assert "alignment gained nothing" in words
    better = [*steps[:3], step(3, 2, "lsr", 1e-7, BANDS[2], BANDS[1])]
    assert "alignment gained nothing" not in sentence(better)
    assert "round 2" in sentence(better)
    assert sentence(steps[:1]) == ""


def test_state_survives_the_disk_and_is_checked(tmp_path: Path) -> None:
    theta = torch.linspace(0, 1, 5, dtype=torch.float64)
    state = IterationState(theta, IterationProgress(index=2, round=1, seconds=1.5, notes=["one"]))
    write_state(tmp_path, state)
    found = read_state(tmp_path, 5)
    assert found is not None
    assert torch.equal(found.theta, theta)
    assert found.progress == state.progress
    assert read_state(tmp_path / "none", 5) is None
    with pytest.raises(InputError, match="float64 numbers"):
        read_state(tmp_path, 6)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:-3])
    with pytest.raises(InputError, match="truncated"):
        read_state(tmp_path, 5)
    write_state(tmp_path, IterationState(theta / 0, IterationProgress()))
    with pytest.raises(InputError, match="NaN"):
        read_state(tmp_path, 5)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    save_problem(tmp_path / "bundle", poisson())
    settings = IterateConfig(steps=2, align_steps=20, baselines=False).model_dump(mode="json")
    return queue.create(
        RunStore(tmp_path / "runs"), tmp_path / "bundle", REFINE, owner="test", kind="iterate", settings=settings
    )


def test_job_leaves_a_run_that_can_be_looked_at_and_used(run: Run) -> None:
    execute(run)
    store = StepStore(run.path)
    steps, summary, grid = store.steps(), store.summary(), store.grid()
    assert run.status().status == "complete"
    assert len(steps) == 5
    assert summary is not None
    assert grid is not None
    assert list(grid.axes) == ["x", "y"]
    assert max(len(axis) for axis in grid.axes.values()) <= 65
    assert summary.sentence == sentence(steps)
    assert summary.best_relative_l2 == steps[summary.best_index].relative_l2.refined
    assert "sine" in summary.transform
    for one in steps:
        fields = store.fields(one.index)
        assert fields is not None
        assert fields.network.shape == grid.truth.shape
        assert (fields.refined is None) == (one.kind == "start")
    problem = load_problem(run.refined_path)
    assert isinstance(problem, PhysicsProblem)
    assert problem.test is not None
    refined = predictor_of(problem, read_delta(run), torch.float64).predict(problem.test.inputs)
    relative = float((refined - problem.test.targets).norm() / problem.test.targets.norm())
    assert run.summary.refined.relative_l2 == summary.best_relative_l2
    assert relative == pytest.approx(summary.best_relative_l2, rel=0.05)  # on the equation's own, finer grid


def test_asking_to_stop_keeps_figures_and_predictor(run: Run) -> None:
    def impatient(stage: str, fraction: float) -> None:
        if "round 2" in stage:
            raise Cancelled("asked to stop")

    with pytest.raises(Cancelled):
        execute(run, impatient)
    assert run.status().status == "cancelled"
    summary = StepStore(run.path).summary()
    assert summary is not None
    assert summary.stopped == "asked"
    assert len(StepStore(run.path).steps()) == 3
    assert len(read_delta(run)) == 105
    execute(run)
    assert [step.index for step in StepStore(run.path).steps()] == [0, 1, 2, 3, 4]
    assert run.status().status == "complete"


def test_data_are_refused_with_a_sentence(tmp_path: Path) -> None:
    bundles.write(tmp_path / "bundle")
    data = queue.create(RunStore(tmp_path / "runs"), tmp_path / "bundle", RefineConfig(), owner="test", kind="iterate")
    with pytest.raises(InputError, match="needs an equation"):
        execute(data)
    assert data.status().status == "failed"


def test_unknown_settings_fail_the_run_in_words(run: Run) -> None:
    run.write_manifest(run.manifest.model_copy(update={"settings": {"steps": 0}}))
    with pytest.raises(InputError, match="steps"):
        execute(run)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_process_goes_on_from_its_last_half_step(run: Run, tmp_path: Path) -> None:
    long = IterateConfig(steps=200, align_steps=15, baselines=False, seconds=100).model_dump(mode="json")
    run.write_manifest(run.manifest.model_copy(update={"settings": long}))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    worker = subprocess.Popen([sys.executable, "-m", "lsr_core.jobs", str(run.path / "run.json")], env=environment)
    store = StepStore(run.path)
    deadline = time.time() + 120
    while len(store.steps()) < 4 and time.time() < deadline:
        time.sleep(0.05)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    state = read_state(run.path, 105)
    assert state is not None
    before = {step.index: step for step in store.steps() if step.index <= state.progress.index}
    with (run.path / "steps.jsonl").open("a") as stream:
        stream.write('{"index": 99, "rou')  # a line that the kill cut short
    assert run.status().status == "failed"
    more = {**long, "steps": state.progress.round + 1}
    run.write_manifest(run.manifest.model_copy(update={"settings": more}))
    execute(run)
    after = store.steps()
    assert [step.index for step in after] == list(range(len(after)))
    assert len(after) > len(before)
    assert all(
        json.loads(after[index].model_dump_json()) == json.loads(one.model_dump_json()) for index, one in before.items()
    )
    assert all(step.seconds >= state.progress.seconds for step in after[len(before) :])


def test_summary_before_the_first_solve_is_none() -> None:
    assert summarise("p", [], IterationProgress(), "") is None


def test_normal_equations_of_an_alignment_are_those_of_its_loss() -> None:
    problem = poisson()
    alignment = SupervisedAlignment(problem.model, problem.fitted_inputs().double(), lambda points: points[:, :1] + 1)
    theta = alignment.theta0.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(alignment.loss(theta), theta)
    system = alignment.normal_equations(theta.detach())
    torch.testing.assert_close(2 * system.gradient, gradient, rtol=1e-9, atol=1e-12)
    assert system.loss == pytest.approx(float(alignment.loss(theta).detach()), rel=1e-12)


def test_levenberg_marquardt_aligns_to_values_of_small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="pseudo time"):
        IterateConfig(align="pseudo-time", optimiser="levenberg-marquardt")
    monkeypatch.setattr("lsr_core.iteration.alignment.LARGEST", 50)
    with pytest.raises(InputError, match="up to 50 parameters"):
        iterated(poisson(), optimiser="levenberg-marquardt")
