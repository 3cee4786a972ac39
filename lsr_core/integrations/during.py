"""A refinement every few epochs of a training, of a copy of the network: the training goes on as if nothing had been looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from lsr_core.errors import InputError, LSRError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.copies import copied
from lsr_core.networks.taking import ArrayLike
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Errors
from lsr_core.validation import checked

Pair = Sequence[ArrayLike]


@dataclass(frozen=True)
class Gain:
    """What one solve gives after an epoch: mean squared errors on the test data, or on those for validation where there are none.

    Attributes:
        epoch: after which, counted from 0.
        rank: at which the refined predictor was taken.
        network: mean squared error of the network.
        refined: the same of the refined predictor.
    """

    epoch: int
    rank: int
    network: float
    refined: float

    @property
    def metrics(self) -> Mapping[str, float]:
        """By the names under which loggers get them."""
        return {"lsr/network_mse": self.network, "lsr/refined_mse": self.refined, "lsr/rank": float(self.rank)}


class RefineDuring:
    """Call it with the network after every epoch; every `every` epochs it refines a copy.

    Args:
        train: pair of inputs and targets, as those of `SupervisedProblem`.
        validation: the same, to choose the rank by.
        test: the same, to report errors on.
        every: epochs from one refinement to the next; the first follows that many.
        name: of the problem, and of its runs.
        on_result: called with the epoch and the refinement, for example to keep it as a run.
        settings: of `RefineConfig`.

    Attributes:
        gains: what was found so far.
        failures: the sentence of each refinement that was refused, by epoch; the training goes on.

    Raises:
        InputError: `every` below 1, a setting that there is not, or neither validation nor test data to tell a gain by.
    """

    def __init__(
        self,
        train: Pair,
        validation: Pair | None = None,
        test: Pair | None = None,
        *,
        every: int = 10,
        name: str = "training",
        on_result: Callable[[int, Refinement], object] | None = None,
        **settings: object,
    ) -> None:
        if every < 1:
            raise InputError(f"is {every}; a refinement every 1 or more epochs can be asked for", key="every")
        if validation is None and test is None:
            raise InputError(
                "give data for validation or for test: on those of the training a solve always gains", key="validation"
            )
        self.every, self.name = every, name
        self.gains: list[Gain] = []
        self.failures: dict[int, str] = {}
        self._splits, self._config, self._on_result = (
            (train, validation, test),
            checked(RefineConfig, settings),
            on_result,
        )

    def __call__(self, model: nn.Module, epoch: int) -> Gain | None:
        """Refine a copy if this epoch is one of those; the network, its mode and torch's random numbers stay as they are."""
        if (epoch + 1) % self.every:
            return None
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            try:
                found = refine(self._problem(copied(model).eval()), self._config)
            except LSRError as error:
                self.failures[epoch] = str(error)
                return None
        gain = Gain(epoch, found.rank, _measured(found.summary.base), _measured(found.summary.refined))
        self.gains.append(gain)
        if self._on_result is not None:
            self._on_result(epoch, found)
        return gain

    def _problem(self, model: nn.Module) -> SupervisedProblem:
        train, validation, test = self._splits
        return SupervisedProblem(self.name, model, train, validation, test)  # type: ignore[arg-type]  # pairs become splits there


def keep_in(runs: Path, owner: str = "local") -> Callable[[int, Refinement], object]:
    """For `on_result`: each refinement becomes a run of this folder, which `lsr dashboard` shows while the training goes on."""

    def keep(_: int, found: Refinement) -> object:
        from lsr_core.jobs.keeping import keep_result

        return keep_result(found, runs, owner)

    return keep


def _measured(errors: Errors) -> float:
    value = errors.test_mse if errors.test_mse is not None else errors.val_mse
    assert value is not None  # one of the two splits is there
    return value
