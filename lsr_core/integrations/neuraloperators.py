"""neuraloperator: refinements on the way of its `Trainer`, and its data as a network sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.integrations.during import RefineDuring


def watch(trainer: Any, during: RefineDuring) -> None:
    """From now on, `trainer.train` refines a copy of its model after the epochs that `during` names.

    Args:
        trainer: a `neuralop.Trainer`.
        during: with data as the model sees them; see `samples`.

    Raises:
        InputError: it has no `train_one_epoch`.
    """
    plain = getattr(trainer, "train_one_epoch", None)
    if plain is None:
        raise InputError("has no train_one_epoch; it is no Trainer of neuraloperator 1.0 or later", key="trainer")

    def train_one_epoch(epoch: int, *given: Any, **named: Any) -> Any:
        found = plain(epoch, *given, **named)
        mode = trainer.model.training
        during(trainer.model, epoch)
        trainer.model.train(mode)
        return found

    trainer.train_one_epoch = train_one_epoch


def samples(batches: Iterable[Mapping[str, Any]], data_processor: Any = None) -> tuple[Tensor, Tensor]:
    """Inputs and targets (n, channels, …grid) of a loader, as the model sees them in training.

    Args:
        batches: dictionaries with `x` and `y`.
        data_processor: of the trainer, which normalises both.

    Raises:
        InputError: no batches, or batches without `x` or `y`.
    """
    inputs, targets = [], []
    training = getattr(data_processor, "training", None)
    for batch in batches:
        if not {"x", "y"} <= set(batch):
            raise InputError(f"has {', '.join(map(str, batch))[:100]}; a batch needs x and y", key="batches")
        given = {key: value.clone() if isinstance(value, Tensor) else value for key, value in batch.items()}
        if data_processor is not None:
            data_processor.train()  # in evaluation it leaves the targets as they are
            given = data_processor.preprocess(given)
        inputs.append(given["x"].detach())
        targets.append(given["y"].detach())
    if not inputs:
        raise InputError("there are no batches", key="batches")
    if training is not None:
        data_processor.train(training)
    return torch.cat(inputs), torch.cat(targets)
