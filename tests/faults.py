"""Failing on purpose, as SQLite's tests do: the n-th write, the n-th large allocation, or death at the n-th write."""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Count:
    """How many writes, or allocations, there were, and whether the one that fails was among them."""

    def __init__(self, at: int, lasting: bool) -> None:
        self.at, self.lasting, self.seen = at, lasting, 0

    @property
    def reached(self) -> bool:
        return self.seen > self.at

    def hit(self) -> bool:
        """One more; whether it is to fail."""
        self.seen += 1
        return self.seen > self.at if self.lasting else self.seen == self.at + 1


@contextmanager
def failing_writes(root: Path, at: int, act: Callable[[], Any], *, lasting: bool = False) -> Iterator[Count]:
    """Below `root` the write number `at` does `act` first, which raises or ends the process; with `lasting` all later ones do too.

    A write is whatever a full disk can refuse: opening for writing, making a folder, renaming, flushing.
    """
    count = Count(at, lasting)

    def concerns(path: Any, more: dict[str, Any]) -> bool:
        if isinstance(path, int):
            return True
        named = Path(os.fsdecode(path))
        return not named.is_absolute() or named.is_relative_to(root)

    def guarded(function: Callable[..., Any], writes: Callable[..., bool]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **more: Any) -> Any:
            if writes(*args, **more) and concerns(path, more) and count.hit():
                act()
            return function(path, *args, **more)

        return call

    def opens(mode: str = "r", *args: Any, **more: Any) -> bool:
        return bool(set(mode) & set("wax+"))

    with ExitStack() as patched:
        for place, name, writes in (
            (os, "open", lambda flags=0, *_, **__: bool(flags & _WRITES)),
            (os, "mkdir", lambda *_, **__: True),
            (os, "replace", lambda *_, **__: True),
            (os, "rename", lambda *_, **__: True),
            (os, "fsync", lambda *_, **__: True),
            (io, "open", opens),
            (builtins, "open", opens),
        ):
            patched.enter_context(mock.patch.object(place, name, guarded(getattr(place, name), writes)))
        yield count


def refuse(number: int) -> Callable[[], None]:
    """Raises the error of this number."""

    def act() -> None:
        raise OSError(number, os.strerror(number))

    return act


class Scarce(TorchDispatchMode):
    """The allocation number `at` of tensors of at least `size` bytes fails."""

    def __init__(self, at: int, size: int) -> None:
        super().__init__()
        self.count, self.size = Count(at, lasting=False), size

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        for part in tree_leaves(made):
            if isinstance(part, torch.Tensor) and part.nbytes >= self.size and self.count.hit():
                raise MemoryError
        return made


def in_child(act: Callable[[], Any]) -> int:
    """Do something in a copy of this process; returns its exit code, 0 where nothing was raised."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        except BaseException:
            code = 3
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    os._exit(9)
