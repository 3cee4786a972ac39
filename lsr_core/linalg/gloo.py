"""Processes that talk over gloo, PyTorch's own transport for tensors on processors; one group for a process."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import torch.distributed as dist
from torch import Tensor

from lsr_core.errors import InputError, LSRError

PATIENCE = timedelta(hours=2)  # with another process, which has the same share of the work


class Lost(LSRError):
    """Another process of the group ended, or did not answer."""


class Gloo:
    """This process among others.

    Args:
        meeting: a file that all of them can reach, which none but they may write; None where the environment says where to meet (torchrun's
            RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT).

    Raises:
        InputError: this PyTorch lacks `torch.distributed`.
        Lost: the others did not come.
    """

    def __init__(self, rank: int, size: int, meeting: Path | None) -> None:
        if not dist.is_available() or not dist.is_gloo_available():
            raise InputError("this PyTorch has no gloo to talk to other processes; use one", key="processes")
        self.rank, self.size, self.sent = rank, size, 0
        try:
            store = None if meeting is None else dist.FileStore(str(meeting), size)  # type: ignore[attr-defined]
            dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise Lost(f"the processes did not find each other: {str(error)[:200]}") from error

    def send(self, tensor: Tensor, to: int) -> None:
        self.sent += tensor.numel() * tensor.element_size()
        try:
            dist.send(tensor, to)
        except RuntimeError as error:
            raise Lost(f"process {to} does not take what process {self.rank} sends") from error

    def receive(self, into: Tensor, source: int) -> None:
        try:
            dist.recv(into, source)
        except RuntimeError as error:
            raise Lost(f"nothing comes from process {source}, which process {self.rank} waits for") from error

    def close(self) -> None:
        """Leave the group."""
        if dist.is_initialized():
            dist.destroy_process_group()
