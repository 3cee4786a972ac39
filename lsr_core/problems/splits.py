"""What problems are made of: splits of data, quantities with their units, networks by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

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


def existing(**splits: Split | None) -> dict[str, Split]:
    """Those that there are, in this order."""
    return {name: split for name, split in splits.items() if split is not None}


def split_of(split: Sequence[ArrayLike], key: str) -> Split:
    """A pair of inputs and targets as a split: tensors as they are, NumPy arrays and lists turned into tensors.

    Raises:
        InputError: no pair, or something that is no array of all its values.
    """
    if not isinstance(split, tuple | list) or len(split) != 2:
        gathered = {
            DataLoader: "; of a loader, `Split(*map(torch.cat, zip(*loader)))`",
            Dataset: "; of a data set, that of its loader",
        }
        how = next((words for kind, words in gathered.items() if isinstance(split, kind)), "")
        raise InputError(
            f"is of type {type(split).__name__}; give a pair, `Split(inputs, targets)`, of tensors or arrays{how}",
            key=key,
        )
    if isinstance(split, Split) and all(map(_is_plain, split)):
        return split
    pairs = zip(split, Split._fields, strict=True)
    # points of an equation are often made to require a gradient, and targets come out of a graph: it would follow every product
    return Split(*(as_tensor(part, f"{key}_{name}").detach() for part, name in pairs))


def _is_plain(part: object) -> bool:
    return isinstance(part, Tensor) and part.layout == torch.strided and not part.requires_grad


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
