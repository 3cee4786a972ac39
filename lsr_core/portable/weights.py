"""Weights for those who need a plain network: fitted to the refined field, with the accuracy that survives said beside them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from lsr_core.iteration.alignment import fit_field
from lsr_core.networks.functions import ParametricFunction
from lsr_core.portable.measured import predictor_of, relative_error, reported_split
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.storage import atomic
from lsr_core.training.records import OnStep

SECONDS = 120.0
DISTANCE = "Relative distance to the refined field"
CHUNK = 4096


@dataclass(frozen=True)
class Aligned:
    """Relative L2 errors ‖q − y‖/‖y‖ on a split: network, refined predictor, and the network with the new weights.

    Attributes:
        split: its name, or `DISTANCE` for an equation whose solution nobody knows: errors are then distances to the refined field.
        note: a sentence, where the fit gained nothing or diverged.
    """

    network: float
    refined: float
    aligned: float
    split: str
    note: str = ""

    @property
    def sentence(self) -> str:
        if self.split == DISTANCE:
            return f"{DISTANCE} of the network {self.network:.3e}, of the network with these weights {self.aligned:.3e}. {self.note}".strip()
        share = self.survives
        kept = "" if share is None else f" {share:.0%} of the gain, in powers of ten, survives."
        return (
            f"{self.split} error of the network {self.network:.3e}, of the refined predictor {self.refined:.3e}, of the network with "
            f"these weights {self.aligned:.3e}.{kept} {self.note}"
        ).strip()

    @property
    def survives(self) -> float | None:
        """log(network/aligned) over log(network/refined); None where the refinement gained nothing."""
        if not (0 < self.refined < self.network and self.aligned > 0):
            return None
        errors = torch.tensor([self.network, self.aligned, self.refined], dtype=torch.float64).log()
        return float((errors[0] - errors[1]) / (errors[0] - errors[2]))


def aligned_weights(
    path: Path, problem: Problem, delta: Tensor, *, seconds: float = SECONDS, on_step: OnStep | None = None
) -> Aligned:
    """Fit the network to the refined field at the fitted points and write its state dict as safetensors.

    The weights θ0 are the start; test points are not fitted. Names, shapes and dtype are those of the problem's own network.

    Args:
        path: the file, replaced if it is there.
        problem: whose model is θ0.
        delta: Δθ, flat (m,).
        seconds: deadline of the fit.
        on_step: told about every step; may raise `Cancelled`.

    Raises:
        InputError: Δθ does not belong to the network.
    """
    predictor = predictor_of(problem, delta, torch.float64)
    fitted = fit_field(problem.model, points_of(problem), predictor.predict, seconds=seconds, on_step=on_step)
    model = _with(problem.model, fitted.theta)
    state = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    name, split = reported_split(problem)
    field = predictor.predict(split.inputs)
    if not split.targets.any():  # no solution is known
        name, split = DISTANCE, Split(split.inputs, field)
    errors = [relative_error(_outputs(network, split), split) for network in (problem.model, model)]
    result = Aligned(errors[0], relative_error(field, split), errors[1], name, fitted.note)
    header = {"lsr_aligned_weights": result.sentence}
    atomic.write_with(path, lambda temporary: safetensors.torch.save_file(state, temporary, metadata=header))
    return result


def points_of(problem: Problem) -> Tensor:
    """Inputs at which the problem is fitted, (n, …) in float64."""
    choosing = [split.inputs for name, split in problem.splits().items() if name == "validation"]
    return torch.cat([problem.fitted_inputs(), *choosing]).double()


def _with(model: nn.Module, theta: Tensor) -> nn.Module:
    """A copy of the network with other free parameters, in its own dtype."""
    copied = copy.deepcopy(model)
    named = ParametricFunction.from_module(model, dtype=torch.float64).named(theta)
    with torch.no_grad():
        for name, value in named.items():
            copied.get_parameter(name).copy_(value)
    return copied


@torch.no_grad()
def _outputs(model: nn.Module, split: Split) -> Tensor:
    dtype = next(model.parameters()).dtype.to_real()
    return torch.cat([model(part.to(dtype)) for part in split.inputs.split(CHUNK)])
