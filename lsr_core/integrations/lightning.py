"""Lightning: a callback that refines on the way and gives the figures to the trainer's loggers, MLflow's among them."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import Callback
from torch import nn

from lsr_core.errors import InputError
from lsr_core.integrations.during import RefineDuring


class RefineCallback(Callback):  # type: ignore[misc]  # no types where the library is not installed
    """Refine a copy of the network after some epochs, and log what one solve would give.

    Args:
        during: when and on which data.
        part: attribute of the LightningModule that is the network, one tensor in and one out; solvers of PINA have it as `model`.

    Raises:
        InputError: at the first refinement, if there is no such part.
    """

    def __init__(self, during: RefineDuring, part: str = "model") -> None:
        super().__init__()
        self.during, self.part = during, part

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Called by the trainer."""
        network = dict(pl_module.named_modules()).get(self.part, getattr(pl_module, self.part, None))
        if not isinstance(network, nn.Module):
            parts = ", ".join(name for name, _ in pl_module.named_children())
            raise InputError(
                f"is no part of the module, which has {parts}; name the one that is the network", key=self.part
            )
        gain = self.during(network, trainer.current_epoch)
        if gain is not None:
            for logger in trainer.loggers:
                logger.log_metrics(dict(gain.metrics), step=trainer.global_step)
