"""Levenberg-Marquardt as a step of its own before a refinement."""

from __future__ import annotations

import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.training.from_start import trained
from tests.core.test_solver import logistic


def test_training_lowers_the_loss_and_leaves_the_problem_as_it_was() -> None:
    problem = logistic()
    before = torch.nn.utils.parameters_to_vector(problem.model.parameters()).clone()
    made, found = trained(problem, steps=8, follow=False)
    assert found.loss < 0.5 * found.steps[0].loss
    assert torch.equal(torch.nn.utils.parameters_to_vector(problem.model.parameters()), before)
    assert not torch.equal(torch.nn.utils.parameters_to_vector(made.model.parameters()), before)
    assert made.points is problem.points


def test_a_network_too_large_for_normal_equations_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_core.training.from_start.MOST_PARAMETERS", 10)
    with pytest.raises(InputError, match="at most 10"):
        trained(logistic(), steps=1)
