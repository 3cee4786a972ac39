"""What every problem is: a trained network, and what it should meet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from lsr_core.networks.copies import scalars
from lsr_core.problems.kinds import ProblemKind
from lsr_core.problems.splits import Architecture, Quantity, Split

SHOWN_FIRST = ("grid", "test", "validation", "train")


class Problem(ABC):
    """A frozen dataclass with at least the fields below; `lsr_core.kinds` has the kinds.

    Attributes:
        kind: by the name that bundles give it.
        model: in eval mode.
        architecture: registered name and arguments, without which neither problem nor predictor can be stored.
        display: what `splits` names to draw fields on: the grid, else test, else validation, else train.
    """

    kind: ClassVar[ProblemKind]

    name: str
    model: nn.Module
    title: str
    description: str
    input_quantities: tuple[Quantity, ...]
    output_quantities: tuple[Quantity, ...]
    architecture: Architecture | None

    @abstractmethod
    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name, train first."""

    @abstractmethod
    def fitted_inputs(self) -> Tensor:
        """Where it is fitted: inputs of the training samples, or points of all blocks, (n, …)."""

    @property
    @abstractmethod
    def output_shape(self) -> torch.Size:
        """Of the network's answer to one input."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """Values, or points, that are fitted."""

    def __repr__(self) -> str:
        """One line: all the points and samples would be thousands."""
        count = sum(scalars(value) for value in self.model.parameters() if value.requires_grad)
        return f"<{type(self).__name__} {self.name!r}: {self.n_rows:,} rows, {count:,} parameters>"

    @property
    def has_truth(self) -> bool:
        """Whether the targets of `display` are what the network should give there."""
        return True

    @property
    def display(self) -> tuple[str, Split]:
        """The split whose fields are drawn: the grid, else test, else validation, else train."""
        splits = self.splits()
        name = next(name for name in SHOWN_FIRST if name in splits)
        return name, splits[name]

    def joined(self) -> Self:
        """The same with the samples held out for choosing among those that are fitted; as it is where there are none."""
        return self

    def varied_input(self) -> dict[str, Any] | None:
        """Arguments of the input function of an equation, where its network sees it and so others can be put in its place."""
        return None

    def changed(self, **fields: Any) -> Self:
        """The same with other fields."""
        return cast(Self, replace(cast(Any, self), **fields))
