"""The files of this folder as problems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.intake import compare, guess, state_dicts
from lsr_core.networks import architectures
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


def mionet() -> tuple[dict[str, Tensor], Tensor, Tensor, np.ndarray]:
    """A state dict with DeepXDE's names, the points of its trunk, inputs, and the outputs there."""
    torch.manual_seed(0)
    arguments = {
        "branches": [[4, 6, 5], [3, 6, 5]],
        "trunk": [2, 6, 5],
        "points": 12,
        "activation": "silu",
        "outputs": 1,
    }
    model = architectures.build("deeponet-points", arguments)
    points, inputs = torch.rand(12, 2), torch.rand(40, 7)
    model.points.copy_(points)  # type: ignore[operator]
    nn.init.constant_(model.bias, 0.3)  # type: ignore[arg-type]
    names = {"branches.0": "branch1", "branches.1": "branch2", "bias": "b"}
    state = {}
    for name, tensor in model.state_dict().items():
        own = next((name.replace(ours, theirs) for ours, theirs in names.items() if name.startswith(ours)), name)
        if name != "points":
            state[own] = tensor.reshape(()) if own == "b" else tensor
    return state, points, inputs, model(inputs).detach().numpy()
