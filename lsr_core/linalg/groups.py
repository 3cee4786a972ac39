"""Processes that work on one problem together, each on rows of its own: who is there, and how a tensor goes from one to another."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class Group(Protocol):
    """Some processes, numbered from 0; `rank` is the number of this one, and `sent` the bytes that it has given to others."""

    rank: int
    size: int
    sent: int

    def send(self, tensor: Tensor, to: int) -> None:
        """Give a contiguous tensor of the processor's memory to another process, which has to receive it."""
        ...

    def receive(self, into: Tensor, source: int) -> None:
        """Fill a contiguous tensor with what another process sends."""
        ...


class Alone:
    """One process, which has nobody to talk to."""

    rank, size, sent = 0, 1, 0

    def send(self, tensor: Tensor, to: int) -> None:
        raise ValueError(f"there is no process {to}: this one is alone")

    def receive(self, into: Tensor, source: int) -> None:
        raise ValueError(f"there is no process {source}: this one is alone")


class Thread:
    """One of several threads that stand for processes; at any time one of them runs, the others wait to receive.

    One at a time, because forward mode and modules whose parameters are exchanged are not made for threads. For tests, and for counting what
    many processes would send.
    """

    def __init__(self, rank: int, turn: threading.Lock, boxes: list[list[queue.Queue[Tensor]]]) -> None:
        self.rank, self.size, self.sent = rank, len(boxes), 0
        self._turn, self._boxes = turn, boxes

    def send(self, tensor: Tensor, to: int) -> None:
        self.sent += tensor.numel() * tensor.element_size()
        self._boxes[to][self.rank].put(tensor.clone())

    def receive(self, into: Tensor, source: int) -> None:
        self._turn.release()
        try:
            found = self._boxes[self.rank][source].get(timeout=300)
        finally:
            self._turn.acquire()
        into.copy_(found)


def in_threads(count: int, work: Callable[[Thread], T]) -> list[T]:
    """What `work` returns in each of `count` threads that stand for processes; raises what one of them raises."""
    turn = threading.Lock()
    boxes: list[list[queue.Queue[Tensor]]] = [[queue.Queue() for _ in range(count)] for _ in range(count)]

    def one(rank: int) -> T:
        with turn, torch.enable_grad():
            return work(Thread(rank, turn, boxes))

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
