"""Supervised regression: a network, and inputs with the values it should take there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.problems.kinds import ProblemKind
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture, MappedSplit, Quantity, Split, check_split, existing, split_of


@dataclass(frozen=True, eq=False, repr=False)
class SupervisedProblem(Problem):
    """A network q(θ, x) and data (x, y): the residual rows are (q(θ0, x) − y)/√N over the N training values.

    Args:
        model: any module that maps a batch of inputs to a batch of outputs, in eval mode.
        train: what the refinement solves on.
        validation: what the rank is chosen by; without it the automatic choice has nothing to go by.
        test: what is reported, never used to choose.
        grid: optional points to draw fields on; otherwise the test points are drawn.
        architecture: registered name and arguments, needed to export a predictor that loads by itself.
    """

    kind: ClassVar[ProblemKind] = "supervised"

    name: str
    model: nn.Module
    train: Split
    validation: Split | None = None
    test: Split | None = None
    grid: Split | None = None
    title: str = ""
    description: str = ""
    input_quantities: tuple[Quantity, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    architecture: Architecture | None = None

    def __post_init__(self) -> None:
        for key, split in self.splits().items():
            object.__setattr__(self, key, split_of(split, key))
        shape = self.train.targets.shape[1:]
        for key, split in self.splits().items():
            check_split(split, key)
            if split.targets.shape[1:] != shape or split.inputs.shape[1:] != self.train.inputs.shape[1:]:
                raise InputError(
                    f"one sample has inputs {tuple(split.inputs.shape[1:])} and targets {tuple(split.targets.shape[1:])}, "
                    f"those of train have {tuple(self.train.inputs.shape[1:])} and {tuple(shape)}; they must agree",
                    key=key,
                )

    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name, train first."""
        return existing(train=self.train, validation=self.validation, test=self.test, grid=self.grid)

    def joined(self) -> Self:
        """With the validation samples among the training samples; as it is where rows lie in mapped files."""
        if self.validation is None or any(isinstance(split, MappedSplit) for split in (self.train, self.validation)):
            return self
        parts = zip(self.train, self.validation, strict=True)
        return self.changed(train=Split(*(torch.cat(pair) for pair in parts)), validation=None)

    def fitted_inputs(self) -> Tensor:
        return self.train.inputs

    @property
    def output_shape(self) -> torch.Size:
        return self.train.targets.shape[1:]

    @property
    def n_rows(self) -> int:
        """Training values."""
        return self.train.targets.numel()
