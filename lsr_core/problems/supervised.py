"""Supervised regression: a network, and inputs with the values it should take there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.taking import ArrayLike, as_tensor

CHECKED = 2**16  # samples looked at together, so that rows beyond memory can be checked


class Split(NamedTuple):
    """Inputs (n, d) or (n, …) and targets (n, o) or (n, …) of one part of the data; a problem takes NumPy arrays and lists as well."""

    inputs: Tensor
    targets: Tensor


class MappedSplit(Split):
    """A split whose rows lie in files mapped into memory: the system drops their pages when it needs the room.

    Where nothing has to be converted, such rows are not counted as memory that a refinement takes.
    """


@dataclass(frozen=True)
class Quantity:
    """Name and unit of an input or output, as shown on axes."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Architecture:
    """A network that can be built from a registered name and JSON arguments."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SupervisedProblem:
    """A network q(θ, x) and data (x, y): the residual rows are (q(θ0, x) − y)/√N over the N training values.

    Args:
        model: any module that maps a batch of inputs to a batch of outputs, in eval mode.
        train: what the refinement solves on.
        validation: what the rank is chosen by; without it the automatic choice has nothing to go by.
        test: what is reported, never used to choose.
        grid: optional points to draw fields on; otherwise the test points are drawn.
        architecture: registered name and arguments, needed to export a predictor that loads by itself.
    """

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
        named = {"train": self.train, "validation": self.validation, "test": self.test, "grid": self.grid}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def n_rows(self) -> int:
        """Training values."""
        return self.train.targets.numel()

    @property
    def display(self) -> tuple[str, Split]:
        """The split whose fields are drawn: the grid, else test, else validation, else train."""
        splits = self.splits()
        name = next(name for name in ("grid", "test", "validation", "train") if name in splits)
        return name, splits[name]


def split_of(split: Sequence[ArrayLike], key: str) -> Split:
    """A pair of inputs and targets as a split: tensors as they are, NumPy arrays and lists turned into tensors.

    Raises:
        InputError: no pair, or something that is no array.
    """
    if not isinstance(split, tuple | list) or len(split) != 2:
        raise InputError(
            f"is of type {type(split).__name__}; give a pair, `Split(inputs, targets)`, of tensors or arrays", key=key
        )
    if all(isinstance(part, Tensor) for part in split) and isinstance(split, Split):
        return split
    return Split(*(as_tensor(part, f"{key}_{name}") for part, name in zip(split, Split._fields, strict=True)))


def check_split(split: Split, key: str) -> None:
    """Refuse data that no refinement can use.

    Raises:
        InputError: no rows, different numbers of rows, values that are not finite, or complex targets.
    """
    inputs, targets = split
    if inputs.ndim == 0 or targets.ndim == 0 or len(inputs) == 0:
        raise InputError("has no rows; at least one sample is needed", key=key)
    if len(inputs) != len(targets):
        raise InputError(f"{len(inputs)} inputs but {len(targets)} targets; they must be as many", key=key)
    if targets.is_complex():
        raise InputError(
            "are complex, and the error of a refinement is that of real outputs; give real and imaginary parts as two outputs, "
            "`torch.view_as_real(targets).flatten(1)`, of a network that has both",
            key=f"{key}_targets",
        )
    for part, values in (("inputs", inputs), ("targets", targets)):
        floats = values.is_floating_point() or values.is_complex()
        blocks = values.split(CHECKED) if floats else ()
        bad = sum(int((~torch.isfinite(block)).sum()) for block in blocks)
        if bad:
            raise InputError(
                f"{bad} of {values.numel()} values are NaN or infinite; remove or repair them", key=f"{key}_{part}"
            )
