"""The files of this folder as problems."""

from __future__ import annotations

from pathlib import Path

from lsr_core.intake import compare, guess, state_dicts
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.catalogue import READY
from lsr_core.problems.physics.typed.network import problem_with
from lsr_core.problems.splits import Architecture

FOREIGN = Path(__file__).parent


def with_equation(equation: str = "heat", weights: str = "deepxde_pinn") -> PhysicsProblem:
    """A ready-made equation with weights of this folder, by default the PINN that was trained for it."""
    tensors = state_dicts.read(FOREIGN / f"{weights}.pt")
    found = guess.guess(tensors)
    model = compare.network(found.architecture, found.arguments, found, tensors)
    typed = TypedArguments.model_validate(READY[equation])
    return problem_with(typed, model, Architecture(found.architecture, found.arguments))
