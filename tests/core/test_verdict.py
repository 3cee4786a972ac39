"""The verdict: each rule, its thresholds, and small problems built to have one limit."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from lsr_core.diagnosis import verdict as rules
from lsr_core.diagnosis.evidence import Figures, figures, weight_rounding
from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.restarts import restarts
from lsr_core.diagnosis.verdict import needs_restarts, signatures, verdict, verdict_of
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.supervised import Split, SupervisedProblem
from lsr_core.refinement.refine import refine
from lsr_core.refinement.summary import Verdict
from lsr_core.training.data import DataObjective
from lsr_core.training.levenberg_marquardt import levenberg_marquardt

PLAIN = Figures(
    fitted=0.4,
    held_out=0.6,
    has_held_out=True,
    degradation=1.0,
    condition_number=1e6,
    epsilon=2.2e-16,
    weight_rounding=1.1e-16,
    disagreement=0.0,
    base_error=0.1,
)


def tanh_network(width: int, seed: int, outputs: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    layers = [nn.Linear(1, width, dtype=torch.float64), nn.Tanh(), nn.Linear(width, outputs, dtype=torch.float64)]
    return nn.Sequential(*layers).eval()


def sine_data(count: int, waves: float, seed: int, noise: float = 0.0) -> Split:
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(count, 1, generator=generator, dtype=torch.float64) - 1
    return Split(x, torch.sin(waves * x) + noise * torch.randn(count, 1, generator=generator, dtype=torch.float64))


def trained(model: nn.Module, split: Split, steps: int) -> nn.Module:
    objective = DataObjective(ParametricFunction.from_module(model, dtype=torch.float64), split)
    theta = levenberg_marquardt(objective, steps=steps, redraw_every=None).theta
    nn.utils.vector_to_parameters(theta, model.parameters())
    return model


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"held_out": 1e-4}, "conditioning"),
        ({"held_out": 0.49}, "conditioning"),
        ({"held_out": 0.51}, "capacity"),
        ({"held_out": 0.51, "restarted": 0.31}, "capacity"),
        ({"held_out": 0.51, "restarted": 0.29}, "nonconvexity"),
        ({"held_out": 1e-4, "restarted": 0.01}, "conditioning"),
        ({"held_out": 0.995, "fitted": 0.995}, "stationary"),
        ({"held_out": 0.995, "fitted": 0.985}, "capacity"),
        ({"held_out": 0.995, "fitted": 0.995, "restarted": 0.1}, "nonconvexity"),
        ({"held_out": 0.6, "degradation": 1.51}, "overfitting"),
        ({"held_out": 0.6, "degradation": 1.49}, "capacity"),
        ({"held_out": 0.6, "degradation": 9.0, "fitted": 0.51}, "capacity"),
        ({"held_out": 0.01, "degradation": 5.0}, "conditioning"),
        ({"held_out": 0.6, "degradation": 9.0, "has_held_out": False}, "capacity"),
        ({"base_error": 2e-13}, "precision"),
        ({"base_error": 2e-13, "held_out": 1e-3}, "precision"),
        ({"held_out": 1e-3, "first_step": 1e-4, "weight_rounding": 4.9e-4}, "precision"),
        ({"held_out": 1e-3, "first_step": 1e-3, "weight_rounding": 4.9e-4}, "conditioning"),
        ({"fitted": 1e-6, "held_out": 1.0, "true_residual": 30.0, "base_error": None}, "nonconvexity"),
        ({"fitted": 1e-6, "held_out": 1e-3, "true_residual": 30.0, "base_error": None}, "conditioning"),
    ],
)
def test_each_rule_has_its_threshold(changes: dict[str, float], limit: str) -> None:
    found = verdict(replace(PLAIN, **changes))  # type: ignore[arg-type]
    assert found.limit == limit
    assert found.evidence
    assert found.advice
    assert 0.5 <= found.confidence <= 0.95


def test_the_signatures_of_the_paper_have_their_thresholds() -> None:
    assert signatures(replace(PLAIN, degradation=1.5)) == ["degradation"]
    assert signatures(replace(PLAIN, degradation=1.49)) == []
    assert signatures(replace(PLAIN, linear_at_one=0.09, nonlinear_at_one=1.01)) == ["divergence on update"]
    assert signatures(replace(PLAIN, linear_at_one=0.11, nonlinear_at_one=50.0)) == []
    assert signatures(replace(PLAIN, linear_at_one=0.09, nonlinear_at_one=0.99)) == []
    assert signatures(replace(PLAIN, fitted=0.991)) == ["zero correction"]
    assert signatures(replace(PLAIN, fitted=0.989)) == []


def test_confidence_grows_away_from_the_threshold_and_needs_another_start_tried() -> None:
    near, far = verdict(replace(PLAIN, held_out=0.45)), verdict(replace(PLAIN, held_out=1e-3))
    assert near.confidence < 0.6 < 0.9 < far.confidence
    alone, tried = verdict(replace(PLAIN, held_out=0.97)), verdict(replace(PLAIN, held_out=0.97, restarted=0.9))
    assert alone.confidence <= 0.6 < tried.confidence


def test_a_verdict_goes_through_json_whatever_the_figures() -> None:
    for changes in ({"condition_number": None}, {"restarted": math.inf}, {"nonlinear_at_one": math.inf}):
        found = verdict(replace(PLAIN, **changes))  # type: ignore[arg-type]
        text = found.model_dump_json()
        json.loads(text, parse_constant=lambda name: pytest.fail(name))
        assert Verdict.model_validate_json(text) == found


def test_all_rules_end_in_a_known_limit_with_words_for_it() -> None:
    assert set(rules.SENTENCES) == set(rules.ADVICE)


def test_a_stuck_network_is_held_back_by_conditioning() -> None:
    torch.manual_seed(0)
    model = tanh_network(30, 0)
    problem = SupervisedProblem("stuck", model, sine_data(400, 6, 0), sine_data(200, 6, 1))
    refinement = refine(problem)
    known = figures(refinement, loss_paths(refinement))
    assert known.held_out < 1e-3
    assert not needs_restarts(known)
    assert verdict_of(refinement, loss_paths(refinement)).limit == "conditioning"


def test_a_converged_network_on_noise_is_at_a_stationary_point() -> None:
    train = sine_data(3000, 3, 0, noise=0.2)
    model = trained(tanh_network(4, 1), train, 150)
    refinement = refine(SupervisedProblem("noise", model, train, sine_data(800, 3, 1, noise=0.2)))
    found = verdict_of(refinement)
    assert found.limit == "stationary"
    assert found.signatures == ["zero correction"]
    assert {item.name for item in found.evidence} == {"fitted", "restarted"}


def test_rounded_weights_are_seen() -> None:
    train = sine_data(400, 2, 0)
    model = trained(tanh_network(12, 2), train, 150)
    assert weight_rounding(SupervisedProblem("x", model, train)) == pytest.approx(1.1e-16, rel=0.01)
    for value in model.parameters():
        value.data = value.data.half().double()
    problem = SupervisedProblem("x", model, train, sine_data(200, 2, 1))
    assert weight_rounding(problem) == pytest.approx(4.9e-4, rel=0.01)
    assert verdict_of(refine(problem)).limit == "precision"


def test_few_noisy_samples_overfit() -> None:
    model = trained(tanh_network(30, 3), sine_data(400, 2, 5), 60)  # as good as samples without noise make it
    train, validation = sine_data(40, 2, 0, noise=0.3), sine_data(400, 2, 1, noise=0.3)
    found = verdict_of(refine(SupervisedProblem("few", model, train, validation)))
    assert found.limit == "overfitting"
    assert "degradation" in found.signatures


def test_starting_again_is_offered_only_where_it_can_be_done() -> None:
    train = sine_data(100, 2, 0)
    fixed = nn.Module()
    fixed.register_parameter("weight", nn.Parameter(torch.ones(1, dtype=torch.float64)))
    fixed.forward = lambda x: fixed.weight * x  # type: ignore[method-assign]
    assert restarts(SupervisedProblem("own", fixed.eval(), train)) is None
    found = restarts(SupervisedProblem("mlp", tanh_network(8, 0), train), seconds=2.0)
    assert found is not None
    assert found.fall < 0.1
    assert found.seconds < 4
