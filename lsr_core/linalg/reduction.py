"""Rows that are shared among processes, and what is said of all of them; in one process every verb gives back what it was given.

Everybody knows all rows by number and works on a consecutive part of them. What belongs to all rows goes up a binary tree to process 0, which has the
last word, and down again, so that all processes hold the same bits: sums, triangles (TSQR after Demmel, Grigori, Hoemmen & Langou 2012), rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.groups import Alone, Group

Combine = Callable[[Tensor, Tensor], Tensor]


class Reduction:
    """What this process has to do of the rows, and what all processes find.

    Args:
        group: the processes; this one alone if not given.
    """

    def __init__(self, group: Group | None = None) -> None:
        self._group: Group = Alone() if group is None else group

    @property
    def rank(self) -> int:
        """Number of this process."""
        return self._group.rank

    @property
    def size(self) -> int:
        """Number of processes."""
        return self._group.size

    @property
    def sent(self) -> int:
        """Bytes that this process has given to others."""
        return self._group.sent

    def part(self, count: int) -> slice:
        """Which of `count` rows or samples are this process's own; all parts in order are all of them, and differ by one at most."""
        return slice(self.rank * count // self.size, (self.rank + 1) * count // self.size)

    def blocks(self, count: int, most: int) -> Iterator[slice]:
        """The own part in consecutive blocks of at most `most`."""
        own = self.part(count)
        for start in range(own.start, own.stop, most):
            yield slice(start, min(start + most, own.stop))

    def n_blocks(self, count: int, most: int) -> int:
        """How many these are."""
        own = self.part(count)
        return -(-(own.stop - own.start) // most)

    def sum(self, values: Tensor) -> Tensor:
        """Sum over the processes of tensors of one shape."""
        return self._all(values, lambda mine, theirs: mine + theirs)

    def triangle(self, factor: Tensor) -> Tensor:
        """R of the rows of all processes from that of the own ones, (k, n) upper trapezoidal with k ≤ n: (min(rows, n), n)."""
        columns = factor.shape[1]

        def below(mine: Tensor, theirs: Tensor) -> Tensor:
            stacked = torch.cat([_unpacked(mine, columns), _unpacked(theirs, columns)])
            return _packed(torch.geqrf(stacked)[0][:columns].triu())

        return factor if self.size == 1 else _unpacked(self._all(_packed(factor), below), columns).to(factor)

    def joined(self, rows: Tensor) -> Tensor:
        """The rows (n, …) of all processes, in their order."""
        return self._all(rows, lambda mine, theirs: torch.cat([mine, theirs]))

    def share(self, *values: Tensor) -> tuple[Tensor, ...]:
        """As process 0 has them: what follows from equal numbers need not be equal in its last bits where machines differ."""
        return tuple(self._down(value) for value in values)

    def agree(self, what: str, value: str) -> None:
        """Refuse to work together on different things.

        Args:
            what: in words, as the subject of "differ".

        Raises:
            InputError: a process has another value than process 0; the same in all processes.
        """
        digest = torch.frombuffer(bytearray(hashlib.sha256(value.encode()).digest()), dtype=torch.uint8)
        every = self.joined(digest[None])
        others = (every != every[0]).any(dim=1).nonzero()[:, 0].tolist()
        if others:
            raise InputError(
                f"{what} of process {others[0]} differ from those of process 0, so that they cannot work on one refinement; "
                "give all processes the same run folder and install the same versions",
                key="processes",
            )

    def _all(self, values: Tensor, combine: Combine) -> Tensor:
        if self.size == 1:
            return values
        found = values.detach().cpu().contiguous()
        for step, is_sender in self._steps():
            if is_sender:
                self._send(found, self.rank - step)
            elif self.rank + step < self.size:
                found = combine(found, self._receive(found, self.rank + step))
        return self._down(found).to(values)

    def _down(self, values: Tensor) -> Tensor:
        """What process 0 has, by the same tree."""
        if self.size == 1:
            return values
        found = values.detach().cpu().contiguous()
        for step, was_sender in reversed(list(self._steps())):
            if was_sender:
                found = self._receive(found, self.rank - step)
            elif self.rank + step < self.size:
                self._send(found, self.rank + step)
        return found.to(values)

    def _steps(self) -> Iterator[tuple[int, bool]]:
        """Distances in the tree up to that at which this process has sent, and whether it is that one."""
        step = 1
        while step < self.size:
            sends = bool(self.rank & step)
            yield step, sends
            if sends:
                return
            step *= 2

    def _send(self, values: Tensor, to: int) -> None:
        self._group.send(torch.tensor([values.ndim, *values.shape, *[0] * (7 - values.ndim)]), to)
        if values.numel():
            self._group.send(values.contiguous(), to)

    def _receive(self, like: Tensor, source: int) -> Tensor:
        header = torch.zeros(8, dtype=torch.int64)
        self._group.receive(header, source)
        found = torch.empty(header[1 : 1 + int(header[0])].tolist(), dtype=like.dtype)
        if found.numel():
            self._group.receive(found, source)
        return found


def _packed(factor: Tensor) -> Tensor:
    """The entries of an upper trapezoid (k, n) on and above its diagonal."""
    return factor[torch.ones(factor.shape, dtype=torch.bool).triu()]


def _unpacked(entries: Tensor, columns: int) -> Tensor:
    """The trapezoid: its k rows have n, n − 1, … entries."""
    rows, left = 0, len(entries)
    while left > 0:
        left -= columns - rows
        rows += 1
    factor = entries.new_zeros(rows, columns)
    factor[torch.ones(rows, columns, dtype=torch.bool).triu()] = entries
    return factor


ALONE = Reduction()
