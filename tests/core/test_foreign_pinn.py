"""A PINN that DeepXDE trained (tests/foreign/make.py), with its equation typed: the same network, and a far smaller error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lsr_core import refine
from lsr_core.errors import InputError
from lsr_core.intake import tables
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.storage.bundles import load_problem, save_problem
from tests.foreign.networks import FOREIGN, with_equation


def test_problem_has_the_network_as_it_was_brought(tmp_path: Path) -> None:
    data = tables.read(FOREIGN / "deepxde_pinn.npz", ["inputs", "predictions"])
    stored = load_problem(save_problem(tmp_path / "pinn", with_equation()))
    for problem in (with_equation(), stored):
        assert isinstance(problem, PhysicsProblem)
        with torch.no_grad():
            answer = problem.model.float()(
                torch.from_numpy(data["inputs"])
            ).numpy()  # in the precision it was trained in
        assert np.abs(answer - data["predictions"]).max() <= 1e-6


def test_refinement_of_a_trained_pinn_lowers_its_error_by_orders_of_magnitude() -> None:
    found = refine(with_equation(), max_rank=400).summary
    assert found.base.relative_l2 is not None
    assert found.refined.relative_l2 is not None
    assert 1e-4 < found.base.relative_l2 < 0.1  # trained, and not to the end
    assert found.refined.relative_l2 < found.base.relative_l2 / 1e5


@pytest.mark.parametrize(
    ("equation", "weights", "sentence"),
    [
        ("boundary-layer", "deepxde_pinn", "has 2 inputs, the equation has 1 .x."),
        ("heat", "neuraloperator_1d", "is a neuraloperator-fno; an equation needs a chain of linear layers"),
    ],
)
def test_a_network_of_another_form_is_refused_in_a_sentence(equation: str, weights: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        with_equation(equation, weights)
