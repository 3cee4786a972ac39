"""A PINN that DeepXDE trained (tests/foreign/make.py), with its equation typed: the same network, and a far smaller error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lsr_core import refine
from lsr_core.errors import InputError
from lsr_core.intake import compare, guess, state_dicts, tables
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.catalogue import READY
from lsr_core.problems.physics.typed.network import problem_with
from lsr_core.problems.supervised import Architecture
from lsr_core.storage.bundles import load_problem, save_problem

FOREIGN = Path(__file__).parents[1] / "foreign"


def brought(equation: str = "heat", weights: str = "deepxde_pinn", activation: str = "tanh") -> PhysicsProblem:
    tensors = state_dicts.read(FOREIGN / f"{weights}.pt")
    found = guess.guess(tensors)
    arguments = {**found.arguments, "activation": activation}
    model = compare.network(found.architecture, arguments, found, tensors)
    typed = TypedArguments.model_validate(READY[equation])
    return problem_with(typed, model, Architecture(found.architecture, arguments))


def test_problem_has_the_network_as_it_was_brought(tmp_path: Path) -> None:
    data = tables.read(FOREIGN / "deepxde_pinn.npz", ["inputs", "predictions"])
    stored = load_problem(save_problem(tmp_path / "pinn", brought()))
    for problem in (brought(), stored):
        with torch.no_grad():
            answer = problem.model.float()(
                torch.from_numpy(data["inputs"])
            ).numpy()  # in the precision it was trained in
        assert np.abs(answer - data["predictions"]).max() <= 1e-6


def test_refinement_of_a_trained_pinn_lowers_its_error_by_orders_of_magnitude() -> None:
    found = refine(brought(), max_rank=400).summary
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
        brought(equation, weights)
