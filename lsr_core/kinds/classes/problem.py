"""Classification: a network of logits, and inputs with the class that each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.kinds import ProblemKind

CLIP = 1e-6
BINS = 15  # of the calibration error, as is usual since Guo et al. (2017)


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationProblem(SupervisedProblem):
    """A network of logits (n, k); targets are one-hot rows (n, k), see `one_hot`.

    Raises:
        InputError: targets that are not one-hot.
    """

    kind: ClassVar[ProblemKind] = "classification"

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, split in self.splits().items():
            targets = split.targets
            valid = targets.ndim == 2 and targets.shape[1] >= 2 and bool(((targets == 0) | (targets == 1)).all())
            if not valid or not bool((targets.sum(dim=1) == 1).all()):
                raise InputError(
                    f"classes are given as rows of zeros with a single one, (n, classes); these targets are {tuple(targets.shape)} "
                    "and something else: use `one_hot(labels, classes)`",
                    key=f"{key}_targets",
                )


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """Rows (n, classes), float32, of labels (n,) from 0.

    Raises:
        InputError: a label that is none of the classes.
    """
    if labels.ndim != 1 or labels.is_floating_point() or len(labels) == 0:
        raise InputError(f"labels are whole numbers (n,), not {labels.dtype} {tuple(labels.shape)}", key="labels")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise InputError(
            f"labels run from {low} to {high}; with {classes} classes they are 0 to {classes - 1}", key="labels"
        )
    return torch.nn.functional.one_hot(labels.long(), classes).float()


def clipped(probabilities: Tensor) -> Tensor:
    """Within [1e-6, 1] and with the sum 1 over the second axis; linearised probabilities may be neither."""
    inside = probabilities.clamp(CLIP, 1.0)
    return inside / inside.sum(dim=1, keepdim=True)


def log_losses(probabilities: Tensor, targets: Tensor) -> Tensor:
    """−log of the clipped probability of the right class, (n, …) for probabilities (n, k, …) and one-hot rows (n, k)."""
    right = targets.argmax(dim=1)
    return -torch.log(clipped(probabilities)[torch.arange(len(right), device=right.device), right])
