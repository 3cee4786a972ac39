"""Classifiers: what is solved, and how it is measured."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.errors import InputError
from lsr_core.kinds.classes.evaluation import calibration_error
from lsr_core.kinds.classes.problem import ClassificationProblem, clipped, log_losses, one_hot
from lsr_core.networks import architectures
from lsr_core.networks.classifiers import FISHER_FLOOR, class_rows
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.storage.bundles import load_problem, save_problem
from tests.core import twins

CLASSES = 3
LAYERS = [2, 10, CLASSES]


def labelled(rows: int, seed: int) -> Split:
    """Three sectors of the plane."""
    inputs = twins.data(rows, seed=seed).inputs
    angle = torch.atan2(inputs[:, 1], inputs[:, 0]) + math.pi
    return Split(inputs, one_hot((angle * CLASSES / (2 * math.pi)).long().clamp(max=CLASSES - 1), CLASSES))


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return architectures.build("mlp", {"layers": LAYERS}).double()


@pytest.fixture(scope="module")
def problem() -> ClassificationProblem:
    splits = [labelled(rows, seed) for rows, seed in ((120, 1), (60, 2), (300, 3))]
    return ClassificationProblem("sectors", network(), *splits, architecture=Architecture("mlp", {"layers": LAYERS}))


@pytest.fixture(scope="module", params=["logits", "probabilities"])
def result(request: Any, problem: ClassificationProblem) -> Refinement:
    return refine(problem, linearised=request.param, max_rank=40)


def linear_parts(result: Refinement, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Logits at θ0 and J Δθ, by the dense Jacobian."""
    model = result.problem.model
    with torch.no_grad():
        logits = model(inputs)
    return logits, (twins.jacobian(model, inputs) @ result.delta).view_as(logits)


def test_an_untrained_classifier_learns(result: Refinement) -> None:
    base, refined = result.summary.base, result.summary.refined
    assert base.test_accuracy is not None
    assert refined.test_accuracy is not None
    assert base.test_accuracy < 0.7 < 0.9 < refined.test_accuracy
    assert refined.test_log_loss is not None
    assert refined.test_log_loss < 0.5 * (base.test_log_loss or 0.0)


def test_figures_are_those_of_the_linearised_classifier(result: Refinement) -> None:
    """Everything again from the dense Jacobian and textbook formulas."""
    test = result.problem.test
    assert test is not None
    logits, correction = linear_parts(result, test.inputs)
    p = torch.softmax(logits, dim=1)
    if result.setting.config.linearised == "logits":
        found = torch.softmax(logits + correction, dim=1)
    else:
        found = p + torch.einsum("nij,nj->ni", torch.diag_embed(p) - p[:, :, None] * p[:, None, :], correction)
    labels = test.targets.argmax(dim=1)
    refined = result.summary.refined
    safe = found.clamp(1e-6, 1) / found.clamp(1e-6, 1).sum(dim=1, keepdim=True)
    assert refined.test_accuracy == pytest.approx(float((found.argmax(dim=1) == labels).double().mean()))
    assert refined.test_log_loss == pytest.approx(float(nn.functional.nll_loss(safe.log(), labels)), rel=1e-9)
    assert refined.test_clipped == pytest.approx(float(((found < 0) | (found > 1)).double().mean()))
    assert refined.test_mse == pytest.approx(float((found - test.targets).square().mean()), rel=1e-9)
    assert result.sweep.test_mse[result.rank] == pytest.approx(refined.test_mse, rel=1e-6)
    place = result.fields.ranks.tolist().index(result.rank)
    torch.testing.assert_close(
        torch.from_numpy(result.fields.targets + result.fields.refined_error[place]), found, atol=1e-5, rtol=0
    )
    torch.testing.assert_close(torch.from_numpy(result.fields.network), p, atol=1e-9, rtol=0)


def test_the_confusion_counts_every_sample_once(result: Refinement) -> None:
    classes = result.summary.classes
    assert classes is not None
    table = np.array(classes.refined_confusion)
    assert table.sum() == 300
    assert np.trace(table) / 300 == pytest.approx(result.summary.refined.test_accuracy)
    assert np.trace(np.array(classes.base_confusion)) / 300 == pytest.approx(result.summary.base.test_accuracy)
    assert len(classes.changed) == classes.n_changed > 0


def test_the_network_at_the_moved_parameters_is_shown_as_probabilities(result: Refinement) -> None:
    stepped = with_parameter_steps(result).stepped
    np.testing.assert_allclose(stepped.sum(axis=2), 1, atol=1e-4)
    np.testing.assert_allclose(stepped[0], result.fields.network[result.fields.stepped_points], atol=1e-5)


def test_rows_of_logits_are_the_cross_entropy_to_second_order(problem: ClassificationProblem) -> None:
    """½‖rows − targets‖² and the cross entropy have the same gradient at θ0, and but for the floor the same curvature."""
    inputs, targets = problem.train.inputs[:5], problem.train.targets[:5].double()
    rows = class_rows(problem.model, probabilities=False)
    with torch.no_grad():
        logits = problem.model(inputs)
        wanted = rows.targets(inputs, targets)

    def squares(c: Tensor) -> Tensor:
        return 0.5 * (rows.refined(inputs, logits, c) - wanted).square().sum()

    def entropy(c: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits + c, targets, reduction="sum")

    zero = torch.zeros_like(logits)
    torch.testing.assert_close(torch.func.grad(squares)(zero), torch.func.grad(entropy)(zero))
    hessians = [torch.func.hessian(part)(zero).flatten(2).flatten(0, 1) for part in (squares, entropy)]
    assert (hessians[0] - hessians[1]).abs().max() < FISHER_FLOOR
    torch.testing.assert_close(rows.probabilities(inputs, rows(inputs)), torch.softmax(logits, dim=1))


def test_layers_are_named_as_the_network_names_them(problem: ClassificationProblem) -> None:
    found = refine(problem, layers="linears.1.*", max_rank=10)
    assert found.summary.n_params == 10 * CLASSES + CLASSES
    with pytest.raises(InputError, match="no parameter name matches"):
        refine(problem, layers="nothing.*")


def test_a_bundle_keeps_the_kind(problem: ClassificationProblem, tmp_path: Path) -> None:
    loaded = load_problem(save_problem(tmp_path / "bundle", problem))
    assert isinstance(loaded, ClassificationProblem)
    assert loaded.train.targets.equal(problem.train.targets)


class TestMeasures:
    """Log-loss and calibration of linearised probabilities."""

    wild = torch.tensor([[1.2, -0.3, 0.1], [0.2, 0.5, 0.3]], dtype=torch.float64)
    right = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)

    def test_clipping(self) -> None:
        found = clipped(self.wild)
        torch.testing.assert_close(found.sum(dim=1), torch.ones(2, dtype=torch.float64))
        assert found[0, 1].item() == pytest.approx(1e-6 / (1 + 1e-6 + 0.1))
        torch.testing.assert_close(found[1], self.wild[1])

    def test_log_loss_of_a_sure_mistake_is_finite(self) -> None:
        assert log_losses(self.wild, self.right)[0].item() == pytest.approx(-math.log(1e-6 / (1 + 1e-6 + 0.1)))

    def test_calibration_of_an_honest_and_of_a_boastful_classifier(self) -> None:
        right = one_hot(torch.arange(1000) % 4 // 3, 2).double()  # three of four are class 0
        honest = torch.tensor([[0.75, 0.25]], dtype=torch.float64).expand(1000, 2)
        boastful = torch.tensor([[0.99, 0.01]], dtype=torch.float64).expand(1000, 2)
        assert calibration_error(honest, right) == pytest.approx(0, abs=1e-9)
        assert calibration_error(boastful, right) == pytest.approx(0.24, abs=1e-9)


@pytest.mark.parametrize(
    "labels", [torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.tensor([0.0, 1.0]), torch.zeros(0, dtype=torch.long)]
)
def test_labels_that_are_no_classes_are_refused(labels: Tensor) -> None:
    with pytest.raises(InputError, match="labels"):
        one_hot(labels, 3)


def test_targets_that_are_not_one_hot_are_refused() -> None:
    split = labelled(10, 1)
    with pytest.raises(InputError, match=r"train_targets: .*single one"):
        ClassificationProblem("bad", network(), Split(split.inputs, split.targets * 0.5))
