"""Whether data fit the network of their bundle."""

from __future__ import annotations

import torch
from torch import nn

from lsr_core.errors import InputError
from lsr_core.problems.splits import Split
from lsr_core.storage.bundle_files import DESCRIPTION
from lsr_core.storage.bundle_schema import ProblemDescription
from lsr_core.storage.data import DATA, shape_of


def check_fit(model: nn.Module, train: Split, description: ProblemDescription, key: str = "train") -> None:
    """The network must take a row of the data and the names must be as many as the columns.

    Raises:
        InputError: they do not, with the array at fault.
    """
    inputs, targets = train
    try:
        with torch.no_grad():
            answer = model(inputs[:1].to(getattr(torch, description.dtype)))
    except (RuntimeError, IndexError, ValueError) as error:
        if "allocate memory" in str(error):  # torch has no class for it
            raise InputError(
                "needs more memory for a single row than there is; use a smaller network",
                file=DESCRIPTION,
                key="network",
            ) from error
        raise InputError(
            f"the network does not take rows of the shape {shape_of(inputs)}", file=DATA, key=f"{key}_inputs"
        ) from error
    if answer.shape != targets[:1].shape:
        raise InputError(
            f"one row has the shape {shape_of(targets)}, the network gives {shape_of(answer)}",
            file=DATA,
            key=f"{key}_targets",
        )
    for side, entries, tensor in (("inputs", description.inputs, inputs), ("outputs", description.outputs, targets)):
        if entries and len(entries) != tensor[0].numel():
            raise InputError(
                f"{len(entries)} names for {tensor[0].numel()} columns in {DATA}; they must be as many",
                file=DESCRIPTION,
                key=side,
            )
