"""The verdict: each rule, its thresholds, and small problems built to have one limit."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import nn

from benchmarks import _labelled as labelled
from benchmarks import _typed as typed
from benchmarks._statements import contradictions
from lsr_core.diagnosis import statements, words
from lsr_core.diagnosis.conditions import missing_conditions
from lsr_core.diagnosis.evidence import Figures, NoiseFigures, figures, weight_rounding
from lsr_core.diagnosis.further import Further, further, why_no_further
from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.other_starts import OtherStarts
from lsr_core.diagnosis.restarts import Restarts, restarts, why_not
from lsr_core.diagnosis.solved import Solved
from lsr_core.diagnosis.units import LayerUnits, Units
from lsr_core.diagnosis.verdict import needs_restarts, signatures, verdict, verdict_of
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.summary import Limit, Verdict
from lsr_core.training.adam import adam
from lsr_core.training.levenberg_marquardt import levenberg_marquardt
from lsr_core.validation import checked

PLAIN = Figures(
    rank=10,
    best_rank=10,
    fitted=0.4,
    best=0.6,
    degradation=1.0,
    condition_number=1e6,
    solved_condition_number=1.0,
    epsilon=2.2e-16,
    weight_rounding=1.1e-16,
    disagreement=0.0,
    errors={"validation error": (1.0, 0.6)},
    gradient_steps=1e9,
    base_error=0.1,
    refined_error=0.06,
)
EQUATION = replace(
    PLAIN,
    is_equation=True,
    best=1e-6,
    fitted=1e-6,
    errors={"residual at fresh points": (1.0, 1e-6)},
    base_error=None,
    refined_error=None,
    true_residual=1e-6,
    solved=Solved(1e-6, "interior", 1e-4),
)
IDLE = Units(100, (LayerUnits("0", 10, 3, 2, 1),), 17, 31)


@pytest.mark.parametrize(
    ("steps", "said"), [(1.0, "take 1 step to"), (2.0, "take 2 steps to"), (8200.0, "take 8,200 steps to"), (9.4e12, "about 9.4e+12 steps")]
)  # fmt: skip
def test_steps_are_counted_as_a_person_counts(steps: float, said: str) -> None:
    assert said in statements.gradient_steps(replace(PLAIN, gradient_steps=steps), 1e4)[0].sentence


def gained(left: float) -> dict[str, object]:
    """One solve leaves this share of the error, at the rank of the run."""
    return {"best": left, "errors": {"validation error": (1.0, left)}}


def anew(fall: float, here: float | None = None) -> Restarts:
    return Restarts(best=fall, base=1.0, starts=3, steps=60, here=here)


def tanh_network(width: int, seed: int, outputs: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Linear(1, width, dtype=torch.float64), nn.Tanh(), nn.Linear(width, outputs, dtype=torch.float64)]
    return nn.Sequential(*layers).eval()


def sine_data(count: int, waves: float, seed: int, noise: float = 0.0) -> Split:
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(count, 1, generator=generator, dtype=torch.float64) - 1
    return Split(x, torch.sin(waves * x) + noise * torch.randn(count, 1, generator=generator, dtype=torch.float64))


def trained(model: nn.Module, split: Split, steps: int) -> nn.Module:
    objective = DataResidual(ParametricFunction.from_module(model, dtype=torch.float64), split)
    theta = levenberg_marquardt(objective, steps=steps, redraw_every=None).theta
    nn.utils.vector_to_parameters(theta, model.parameters())
    return model


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        (gained(1e-4), "conditioning"),
        (gained(0.49), "conditioning"),
        (gained(0.49) | {"gradient_steps": 9e3}, "unfinished"),
        (gained(0.49) | {"gradient_steps": None}, "conditioning"),
        (gained(0.51), "open"),
        (gained(0.51) | {"restarted": anew(0.31)}, "capacity"),
        (gained(0.51) | {"restarted": anew(0.29)}, "nonconvexity"),
        (gained(1e-4) | {"restarted": anew(0.01)}, "conditioning"),
        (gained(0.995) | {"fitted": 0.995}, "stationary"),
        (gained(0.995) | {"fitted": 0.985}, "open"),
        (gained(0.995) | {"fitted": 0.995, "restarted": anew(0.1)}, "nonconvexity"),
        ({"degradation": 1.51}, "overfitting"),
        ({"degradation": 1.49}, "open"),
        ({"degradation": 9.0, "fitted": 0.51}, "open"),
        ({"degradation": 11.0, "fitted": 0.89}, "overfitting"),
        ({"degradation": 11.0, "fitted": 0.91}, "open"),
        ({"noise": NoiseFigures(0.51, "told", 9.0, 100, 1.0)}, "noise"),
        ({"noise": NoiseFigures(0.49, "told", 9.0, 100, 1.0)}, "open"),
        (gained(0.2) | {"noise": NoiseFigures(0.51, "told", 9.0, 100, 1.0)}, "noise"),
        (gained(0.01) | {"degradation": 5.0}, "conditioning"),
        ({"degradation": 9.0, "compared": "training error"}, "open"),
        ({"base_error": 2e-13}, "precision"),
        (gained(1e-3) | {"base_error": 2e-13}, "precision"),
        (gained(1e-3) | {"first_step": 1e-4, "weight_rounding": 4.9e-4}, "precision"),
        (gained(1e-3) | {"first_step": 1e-3, "weight_rounding": 4.9e-4}, "conditioning"),
        ({"units": IDLE}, "units"),
        ({"units": IDLE, "restarted": anew(0.9)}, "units"),
        ({"units": IDLE, "restarted": anew(0.1)}, "nonconvexity"),
        ({"units": Units(100, (LayerUnits("0", 13, 3, 2, 1),), 17, 31)}, "open"),
        (gained(0.2) | {"units": IDLE, "refined_error": 0.11}, "units"),
        (gained(0.2) | {"units": IDLE, "refined_error": 0.09}, "conditioning"),
        ({"degradation": 9.0, "units": Units(100, (LayerUnits("0", 12, 9, 0, 0),), 17, 31)}, "units"),
        ({"degradation": 9.0, "units": Units(100, (LayerUnits("0", 13, 9, 0, 0),), 17, 31)}, "overfitting"),
        (gained(1e-4) | {"further": Further(300, 3e-3, 0.29)}, "unfinished"),
        (gained(1e-4) | {"further": Further(300, 3e-3, 0.31)}, "conditioning"),
        (gained(0.2) | {"restarted": anew(0.05, here=0.2)}, "nonconvexity"),
        (gained(0.2) | {"restarted": anew(0.07, here=0.2)}, "conditioning"),
        (gained(0.2) | {"restarted": anew(0.01, here=0.09)}, "conditioning"),
        (gained(0.09) | {"restarted": anew(0.001, here=0.2)}, "conditioning"),
    ],
)
def test_each_rule_has_its_threshold(changes: dict[str, object], limit: str) -> None:
    found = verdict(replace(PLAIN, **changes))  # type: ignore[arg-type]
    assert found.limit == limit
    assert found.evidence
    assert found.advice
    assert found.because


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({}, "conditioning"),
        ({"solved": Solved(0.031, "initial", 1e-4)}, "unsolved"),
        ({"solved": Solved(0.029, "initial", 1e-4)}, "conditioning"),
        ({"solved": Solved(1e-3, "initial", 0.11)}, "unsolved"),
        ({"solved": Solved(1e-9, "initial", 0.11)}, "undetermined"),
        ({"solved": Solved(1e-9, "initial", 0.09)}, "conditioning"),
        ({"solved": Solved(1e-3, "initial", 0.031, nonlinear=True)}, "unsolved"),
        ({"solved": Solved(1e-3, "initial", 0.029, nonlinear=True)}, "conditioning"),
        ({"solved": Solved(8e-3, "initial", 0.23, course=0.03)}, "conditioning"),
        ({"solved": Solved(8e-3, "initial", 0.23, course=0.11)}, "unsolved"),
        (
            {"solved": Solved(8e-3, "initial", 9.0, course=0.01)},
            "unsolved",
        ),  # whatever the residual, other fields are far
        ({"solved": Solved(1e-9, "initial", 0.11, course=1e-9)}, "undetermined"),
        ({"solved": Solved(0.031, "initial", 0.23, course=0.03)}, "unsolved"),
        ({"solved": Solved(8e-3, "initial", 0.23, course=0.03), "missing": "none is written"}, "undetermined"),
        ({"solved": Solved(math.nan, "initial", 1e-4)}, "unsolved"),
        ({"solved": Solved(0.5, "initial", 9.0), "refined_error": 0.01}, "conditioning"),
        ({"refined_error": 0.11}, "undetermined"),
        ({"solved": Solved(0.01, "initial", 1e-4), "refined_error": 0.11}, "unsolved"),
        ({"jump": "at y = 0.5"}, "undetermined"),
        ({"jump": "at y = 0.5", "refined_error": 1e-3}, "conditioning"),
        ({"solved": Solved(0.5, "interior", 9.0), "true_residual": 30.0, "best": 1.0}, "unsolved"),
        ({"solved": Solved(0.5, "interior", 9.0), "missing": "none is written"}, "undetermined"),
        ({"solved": Solved(1e-9, "interior", 1e-4), "missing": "none is written"}, "conditioning"),
        ({"solved": Solved(8e-6, "interior", 0.087, course=0.005), "missing": "one is written"}, "undetermined"),
        ({"solved": Solved(8e-6, "interior", 0.087, course=0.005)}, "conditioning"),
        ({"others": OtherStarts(3, 2, 0.11, 1e-9)}, "undetermined"),
        ({"others": OtherStarts(3, 2, 0.09, 1e-9)}, "conditioning"),
        ({"others": OtherStarts(3, 0)}, "conditioning"),
        ({"others": OtherStarts(1, 1, 2.0, 1e-9, mirrored=True)}, "undetermined"),
    ],
)
def test_of_an_equation_not_solved_comes_before_any_praise(changes: dict[str, object], limit: str) -> None:
    found = verdict(replace(EQUATION, **changes))  # type: ignore[arg-type]
    assert found.limit == limit
    assert found.use == (limit == "conditioning")
    assert ("Use the refined predictor" in found.advice) == found.use


def test_only_what_was_measured_is_said() -> None:
    silent = verdict(replace(PLAIN, **gained(0.9), no_restart="it has 9,000 parameters"))  # type: ignore[arg-type]
    assert "anew" not in " ".join([silent.sentence, silent.advice, *(item.sentence for item in silent.evidence)])
    assert any("9,000 parameters" in words for words in silent.untested)
    spoken = verdict(replace(PLAIN, **gained(0.9), restarted=anew(0.9)))  # type: ignore[arg-type]
    assert "training anew" in spoken.sentence
    assert not any("another start" in words for words in spoken.untested)
    alone = verdict(replace(PLAIN, compared="training error", best=0.01, errors={"training error": (1.0, 0.01)}))
    assert (alone.limit, alone.confidence) == ("open", "uncertain")
    assert "no samples were held out" in alone.sentence
    assert "training error" in alone.evidence[0].sentence
    assert not alone.use
    assert any("held out" in words for words in alone.untested)
    kept = verdict(replace(PLAIN, compared="training error", best=0.7, kept=True, rank=0, restarted=anew(0.9)))
    assert kept.limit == "open"
    assert "keeps the network as it is" in kept.sentence
    assert "larger network" not in kept.advice


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"refined_error": 0.11}, "differs by 11 %"),
        ({"errors": {"validation error": (1.0, 0.01), "test error": (1.0, 1.1)}}, "rise"),
        ({"errors": {"validation error": (1.0, 0.01), "test log-loss": (1.0, 1.1)}}, "rise"),
        ({"rank": 0, "errors": {"validation error": (1.0, 1.0)}}, "rank 0"),
        ({"rank": 3, "at_rank": 0.9, "errors": {"validation error": (1.0, 0.9)}}, "rank 10 leaves 0.01"),
        ({"refined_error": None}, "No relative error"),
    ],
)
def test_nobody_is_told_to_use_what_is_wrong_or_worse(changes: dict[str, object], word: str) -> None:
    known = replace(PLAIN, **gained(0.01))  # type: ignore[arg-type]
    assert verdict(known).use
    found = verdict(replace(known, **changes))  # type: ignore[arg-type]
    assert not found.use
    assert word in found.advice


def test_ranks_that_were_not_tried_are_named_where_the_error_still_falls() -> None:
    found = verdict(replace(PLAIN, restarted=anew(0.9), last_rank=60))
    assert (found.limit, found.confidence) == ("open", "uncertain")
    assert "larger rank than 60" in found.advice
    assert any("ranks beyond 60" in words for words in found.untested)
    problem = SupervisedProblem("short", tanh_network(30, 0), sine_data(200, 6, 0), sine_data(100, 6, 1))
    assert figures(refine(problem, rank=2, max_rank=2)).last_rank == 2
    assert figures(refine(problem, max_rank=91)).last_rank is None


def test_the_condition_number_named_solved_is_the_solved_one() -> None:
    found = verdict(replace(PLAIN, **gained(0.01), condition_number=3.6e15, solved_condition_number=1.0))  # type: ignore[arg-type]
    said = {item.name: item.sentence for item in found.evidence}
    assert "3.6e+15" in said["condition_number"]
    assert "solved" not in said["condition_number"]
    assert "solved" in said["solved_condition_number"]
    assert said["solved_condition_number"].endswith("the condition number 1.0")


def test_the_signatures_of_the_paper_have_their_thresholds() -> None:
    assert signatures(replace(PLAIN, degradation=1.5)) == ["degradation"]
    assert signatures(replace(PLAIN, degradation=1.49)) == []
    assert signatures(replace(PLAIN, linear_at_one=0.09, nonlinear_at_one=1.01)) == ["divergence on update"]
    assert signatures(replace(PLAIN, linear_at_one=0.11, nonlinear_at_one=50.0)) == []
    assert signatures(replace(PLAIN, linear_at_one=0.09, nonlinear_at_one=0.99)) == []
    assert signatures(replace(PLAIN, fitted=0.991)) == ["zero correction"]
    assert signatures(replace(PLAIN, fitted=0.989)) == []


def test_confidence_is_a_word_with_its_reason() -> None:
    near, far = (verdict(replace(PLAIN, **gained(left))) for left in (0.45, 1e-3))  # type: ignore[arg-type]
    assert (near.confidence, far.confidence) == ("uncertain", "clear")
    assert "close to its threshold" in near.because
    assert "500 times" in far.because
    alone, tried = (verdict(replace(PLAIN, **gained(0.97), restarted=other)) for other in (None, anew(0.9)))  # type: ignore[arg-type]
    assert (alone.confidence, tried.confidence) == ("uncertain", "clear")
    assert alone.because == "no other start was tried"


def test_numbers_of_earlier_runs_are_read_as_words() -> None:
    old = {"limit": "capacity", "sentence": "s", "evidence": [], "advice": "a", "signatures": []}
    words = [Verdict.model_validate({**old, "confidence": value}).confidence for value in (0.95, 0.7, 0.5)]
    assert words == ["clear", "likely", "uncertain"]


def test_a_verdict_goes_through_json_whatever_the_figures() -> None:
    for changes in (
        {"condition_number": None},
        {"restarted": anew(math.inf)},
        {"nonlinear_at_one": math.inf},
        gained(0.1) | {"errors": {"test error": (0.0, 0.0)}},
    ):
        found = verdict(replace(PLAIN, **changes))  # type: ignore[arg-type]
        text = found.model_dump_json()
        json.loads(text, parse_constant=lambda name: pytest.fail(name))
        assert Verdict.model_validate_json(text) == found


def test_all_rules_end_in_a_known_limit_with_words_for_it() -> None:
    assert set(words.SENTENCES) == set(words.ADVICE) == set(get_args(Limit))


def test_a_stuck_network_is_held_back_by_conditioning() -> None:
    torch.manual_seed(0)
    model = tanh_network(30, 0)
    problem = SupervisedProblem("stuck", model, sine_data(400, 6, 0), sine_data(200, 6, 1))
    refinement = refine(problem)
    known = figures(refinement, loss_paths(refinement))
    assert known.best < 1e-3
    assert not needs_restarts(known)
    found = verdict_of(refinement, loss_paths(refinement))
    assert found.limit == "conditioning"
    assert found.use
    assert contradictions(found, refinement) == []


def test_a_converged_network_on_noise_is_at_a_stationary_point() -> None:
    train = sine_data(3000, 3, 0, noise=0.2)
    model = trained(tanh_network(4, 1), train, 150)
    refinement = refine(SupervisedProblem("noise", model, train, sine_data(800, 3, 1, noise=0.2)))
    found = verdict_of(refinement)
    assert found.limit == "stationary"
    assert found.signatures == ["zero correction"]
    assert {item.name for item in found.evidence} == {"fitted", "rough"}
    assert found.confidence == "clear"
    assert contradictions(found, refinement) == []


def test_rounded_weights_are_seen() -> None:
    train = sine_data(400, 2, 0)
    model = trained(tanh_network(12, 2), train, 150)
    assert weight_rounding(SupervisedProblem("x", model, train)) == pytest.approx(1.1e-16, rel=0.01)
    for value in model.parameters():
        value.data = value.data.half().double()
    problem = SupervisedProblem("x", model, train, sine_data(200, 2, 1))
    assert weight_rounding(problem) == pytest.approx(4.9e-4, rel=0.01)
    assert verdict_of(refine(problem)).limit == "precision"


def test_noise_names_its_size_and_what_may_be_claimed() -> None:
    found = verdict(replace(PLAIN, noise=NoiseFigures(0.2, "from repeated measurements", 4.0, 100, 0.25)))
    assert "off by about 0.2, and the refined mean, by that noise, still by about 0.04" in found.sentence
    assert any("takes at least 400 values, 300 more" in item.sentence for item in found.evidence)


def test_nobody_who_smooths_is_told_to_smooth() -> None:
    alone = replace(PLAIN, **gained(0.2), compared="training error")  # type: ignore[arg-type]
    assert "(regularise)" in verdict(alone).advice
    kept = verdict(replace(alone, kept=True, rank=0))
    assert kept.sentence.startswith("Smoothing keeps the network")
    assert "(regularise)" not in kept.advice
    smoothed = verdict(replace(alone, noise=NoiseFigures(0.1, "told", 6.0, 80, 0.5)))
    assert smoothed.limit == "conditioning"
    assert "(regularise)" not in smoothed.advice


def test_nobody_who_has_taken_a_prior_of_the_weights_is_told_to_and_nothing_worse_is_called_nearer() -> None:
    kept = replace(PLAIN, **gained(0.2), compared="training error", kept=True, rank=0)  # type: ignore[arg-type]
    assert "may gain with prior=weights" in verdict(kept).advice
    assert "may gain" not in verdict(replace(kept, of_weights=True)).advice
    wrong = replace(PLAIN, refined_error=0.35, noise=NoiseFigures(0.2, "told", 4.0, 100, 0.25))
    nearer, farther = (verdict(replace(wrong, errors={"test error": (1.0, after)})).advice for after in (0.6, 1.01))
    assert "is nearer, but still differs by 35 %" in nearer
    assert "nearer" not in farther
    assert "differs by 35 %" in farther


def test_what_fits_is_said_as_that() -> None:
    fits = verdict(replace(PLAIN, degradation=9.0, fitted=3e-15))
    assert any("some rank leaves 3e-15 of the training residual" in item.sentence for item in fits.evidence)


def test_a_rank_that_does_not_overfit_is_not_said_to() -> None:
    spared = verdict(replace(PLAIN, degradation=3.0, rank=PLAIN.best_rank))
    assert spared.limit == "overfitting"
    assert "Ranks beyond" in spared.sentence
    assert f"Keep rank {PLAIN.best_rank}" in spared.advice
    lost = verdict(replace(PLAIN, degradation=3.0, rank=PLAIN.best_rank + 5))
    assert lost.sentence.startswith("The refinement overfits")


def test_few_noisy_samples_overfit() -> None:
    model = trained(tanh_network(30, 3), sine_data(400, 2, 5), 60)  # as good as samples without noise make it
    train, validation = sine_data(40, 2, 0, noise=0.3), sine_data(400, 2, 1, noise=0.3)
    refinement = refine(SupervisedProblem("few", model, train, validation))
    found = verdict_of(refinement)
    assert found.limit == "overfitting"
    assert contradictions(found, refinement) == []
    assert "degradation" in found.signatures


def test_starting_again_is_offered_only_where_it_can_be_done() -> None:
    train = sine_data(100, 2, 0)
    fixed = nn.Module()
    fixed.register_parameter("weight", nn.Parameter(torch.ones(1, dtype=torch.float64)))
    fixed.forward = lambda x: fixed.weight * x  # type: ignore[method-assign]
    own = SupervisedProblem("own", fixed.eval(), train)
    assert restarts(own) is None
    assert "initialised" in why_not(own)
    assert "parameters" in why_not(SupervisedProblem("wide", tanh_network(600, 0), train))
    problem = SupervisedProblem("mlp", tanh_network(8, 0), train)
    assert why_not(problem) == ""
    found = restarts(problem)
    assert found is not None
    assert found.fall < 0.1


def test_a_training_that_was_ended_early_is_not_called_conditioning() -> None:
    train, held = sine_data(400, 3, 0), sine_data(200, 3, 1)
    early = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()
    theta = adam(DataResidual(ParametricFunction.from_module(early, dtype=torch.float64), train), steps=30).theta
    nn.utils.vector_to_parameters(theta, early.parameters())
    refinement = refine(SupervisedProblem("early", early.eval(), train, held), max_rank=60)
    found = verdict_of(refinement)
    assert (found.limit, found.use) == ("unfinished", True)
    assert "ended early" in found.sentence
    assert any("comes to a halt" in what for what in found.untested)
    assert contradictions(found, refinement) == []


def test_further_steps_are_those_that_are_told() -> None:
    train, held = sine_data(1200, 3, 0), sine_data(200, 3, 1)
    model = tanh_network(16, 0)
    found = further(SupervisedProblem("on", model, train, held))
    assert found is not None
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    some = Split(train.inputs[::3], train.targets[::3])
    theta = adam(DataResidual(function, some), steps=found.steps, lr=found.rate).theta
    errors = [(function.outputs(held.inputs, at) - held.targets).norm() for at in (theta, None)]
    assert found.left == pytest.approx(float(errors[0] / errors[1]), rel=1e-9)
    wide = SupervisedProblem("wide", tanh_network(400_000, 0), train)
    assert further(wide) is None
    assert "1,200,001 parameters" in why_no_further(wide)
    assert "up to 666,666" in why_no_further(wide)


def test_what_was_not_gone_on_with_is_named() -> None:
    said = verdict(replace(PLAIN, **gained(1e-4), no_further="it is too large")).untested  # type: ignore[arg-type]
    assert "whether training had come to a halt by itself: it is too large" in said


def test_a_small_network_in_a_bad_valley_is_not_called_conditioning() -> None:
    """A solve gains here, and second-order steps from these weights do not: other weights are what is wanted."""
    data = labelled.samples(lambda x: torch.sin(4 * x), 1, 300, 200, 21)
    model = labelled.trained_by_adam(labelled.network([1, 3, 1], 21, stretch=15.0), data[0], 1500)
    refinement = refine(SupervisedProblem("valley", model, *data))
    found = verdict_of(refinement)
    assert figures(refinement).best < 0.4
    assert found.limit == "nonconvexity"
    assert "comes much further" in found.sentence
    assert {"onward", "restarted"} <= {item.name for item in found.evidence}
    assert contradictions(found, refinement) == []


def test_training_anew_is_bounded_by_work_and_not_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that runs a thousand times faster the same starts and steps are taken, to the same errors."""
    problem = SupervisedProblem("mlp", tanh_network(3, 0), sine_data(40, 40, 0))
    first = restarts(problem, seed=3)
    clock = time.perf_counter
    monkeypatch.setattr(time, "perf_counter", lambda: 1000 * clock())
    assert restarts(problem, seed=3) == first
    assert first is not None
    assert first.starts == 8


def test_dead_units_are_named_and_no_larger_network_is_asked_for() -> None:
    train = sine_data(300, 4, 0)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 600), nn.ReLU(), nn.Linear(600, 1)).double().eval()
    with torch.no_grad():
        model[0].bias[6:] = -8.0
    count = int((model[0](train.inputs) <= 0).all(dim=0).sum())
    refinement = refine(SupervisedProblem("dead", model, train, sine_data(150, 4, 1)), max_rank=50)
    found = verdict_of(refinement)
    assert found.limit == "units"
    named = next(item for item in found.evidence if item.name == "idle_units")
    assert named.numbers["dead"] == count
    assert f"{count} dead" in named.sentence
    assert "anew" not in found.sentence
    assert contradictions(found, refinement) == []


def test_a_field_that_solves_an_equation_is_told_from_one_that_does_not() -> None:
    for made, limits in (
        (typed.oscillator(0, 6), {"conditioning", "unfinished"}),
        (typed.well(0, 1), {"undetermined"}),
        (typed.one_end(0, 1), {"undetermined"}),
        (typed.convection(0, 60), {"unsolved"}),
    ):
        problem, settings, truth = made
        assert problem.test is None  # the run cannot know
        refinement = refine(problem, **(settings | {"max_rank": 60}))
        found = verdict_of(refinement)
        wrong = typed.field_error(problem, refinement.predictor, truth) > 0.1
        assert found.limit in limits
        assert found.use != wrong
        assert contradictions(found, refinement) == []


BRATU = [{"equation": "u_xx + 2*exp(u) = 0", "points": 80}]
CHAIN = {"widths": [12, 12]}


def written(equations: list[dict[str, object]], conditions: list[dict[str, object]], **more: object) -> PhysicsProblem:
    arguments = {"inputs": {"x": [0, 1]}, "equations": equations, "conditions": conditions, **more}
    return problem_of(checked(TypedArguments, arguments), checked(StartingNetwork, CHAIN))


def at_ends(text: str) -> list[dict[str, object]]:
    return [{"where": "x = 0, x = 1", "equation": text, "points": 2}]


@pytest.mark.slow
def test_another_solution_of_the_equation_is_found_from_another_start() -> None:
    """Bratu's problem has two: by u = 2 ln(cosh(θ/4)/cosh((x − ½) θ/2)), θ = 2 cosh(θ/4), 0.329 and 2.896 at the middle."""
    problem = written(BRATU, at_ends("u = 0"))
    with torch.no_grad():
        list(problem.model.parameters())[-1].add_(3.0)
    refinement = refine(problem, max_rank=60, gauss_newton=12)
    here = float(refinement.predictor.predict(torch.tensor([[0.5]], dtype=torch.float64)))
    assert here == pytest.approx(2.896, abs=1e-3)
    found = verdict_of(refinement)
    assert (found.limit, found.use) == ("undetermined", False)
    assert "several solutions" in found.sentence
    assert contradictions(found, refinement) == []


def test_an_eigenfunction_whose_sign_nothing_tells_is_not_recommended() -> None:
    """Other starts may come to the same one of both; the number that is found keeps its sign."""
    norm = {"where": "domain", "equation": "integral(u^2) = 1"}
    modes = written([{"equation": "u_xx + lam*u = 0", "points": 60}], [*at_ends("u = 0"), norm], unknown={"lam": 8.0})
    refinement = refine(modes, max_rank=60, gauss_newton=15)
    found = verdict_of(refinement)
    assert (found.limit, found.use) == ("undetermined", False)
    assert "sign turned" in found.sentence
    assert contradictions(found, refinement) == []


@pytest.mark.parametrize(("square", "settled"), [("4", True), ("pi^2", False)])
def test_where_nothing_but_zero_is_asked_for_it_is_the_solution_unless_a_mode_is_another(
    square: str, *, settled: bool
) -> None:
    """Beside a field of rounding nothing is small: a zero was called not solved, and recommended where any sin(πx) solves it as well."""
    equation = {"equation": f"u_xx + {square}*u = 0", "points": 60}
    refinement = refine(written([equation], at_ends("u = 0")), max_rank=60)
    found = verdict_of(refinement)
    assert (found.use, found.limit == "undetermined") == (settled, not settled)
    if settled:
        assert any("nothing but zero is asked for" in item.sentence for item in found.evidence)


@pytest.mark.slow
def test_a_zero_beside_which_a_mode_solves_the_equation_is_not_recommended() -> None:
    """A rank that resolves the mode sin πx sin πy ends at zero all the same, whose residual is rounding; it was recommended."""
    arguments = {
        "inputs": {"x": [0, 1], "y": [0, 1]},
        "equations": [{"equation": "laplace(u) + 2*pi^2*u = 0", "points": 1000}],
        "conditions": [{"where": "boundary", "equation": "u = 0", "points": 400}],
    }
    network = StartingNetwork(widths=[40, 40])
    found = verdict_of(refine(problem_of(checked(TypedArguments, arguments), network), max_rank=400))
    assert (found.limit, found.use) == ("undetermined", False)


def test_an_equation_with_one_solution_is_confirmed_by_other_starts() -> None:
    refinement = refine(
        written([{"equation": "u_xx = u^3 - 1", "points": 60}], at_ends("u = 0")), max_rank=60, gauss_newton=12
    )
    found = verdict_of(refinement)
    assert found.use
    assert any(item.name == "other_starts" and item.value < 1e-3 for item in found.evidence)


@pytest.mark.parametrize(
    ("equation", "conditions", "said"),
    [
        ("u_xx = 1", [], "nothing is asked of the field at any edge"),
        (
            "u_xx = 1",
            [{"where": "x = 0", "equation": "u = 0", "points": 1}],
            "2 conditions at places of x, and 1 is written",
        ),
        ("u_xxxx = 1", at_ends("u = 0"), "4 conditions at places of x, and 2 are written"),
        ("u_xx = 1", at_ends("u_x = 0"), "a constant may be added"),
        ("u_xx = u", at_ends("u_x = 0"), ""),
        ("u_xx = 1", at_ends("u = 0"), ""),
        ("u_xx = u", [{"where": "x periodic", "equation": "u, u_x", "points": 1}], ""),
        (
            "u_xx = u",
            [{"where": "x periodic", "equation": "u", "points": 1}],
            "2 conditions at places of x, and 1 is written",
        ),
    ],
)
def test_conditions_that_are_missing_are_counted(equation: str, conditions: list[dict[str, object]], said: str) -> None:
    found = missing_conditions(written([{"equation": equation, "points": 50}], conditions))
    assert (said in found) if said else found == ""
