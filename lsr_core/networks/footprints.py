"""What a sample takes of memory and work on its way through a network, measured on a few samples."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import flop_registry

FORWARD_BYTES = 64 * 2**20  # of a pass by blocks of samples


@dataclass(frozen=True)
class Footprint:
    """By sample of a forward pass.

    Attributes:
        live: the most bytes that are held at a time.
        kept: bytes that reverse mode finds at its end.
        flops: floating-point operations of its matrix products and convolutions.
    """

    live: int
    kept: int
    flops: float = 0.0


class Passed(Protocol):
    """A function of flat parameters (m,) and inputs (n, …)."""

    @property
    def theta0(self) -> Tensor: ...
    def __call__(self, theta: Tensor, inputs: Tensor, /) -> Tensor: ...


_known: weakref.WeakKeyDictionary[Any, dict[tuple[int, ...], Footprint]] = weakref.WeakKeyDictionary()


def footprint(function: Passed, inputs: Tensor) -> Footprint:
    """Of one sample of these inputs (n, …), n ≥ 1; measured once for a function and a shape, by passes of two and of four samples."""
    known = _known.setdefault(function, {})
    shape = tuple(inputs.shape[1:])
    if shape not in known:
        few = inputs[:1].expand(2, *shape)
        (live, flops), (kept, _) = (_by_sample(function, few, graph=graph) for graph in (False, True))
        known[shape] = Footprint(live, kept, flops)
    return known[shape]


def samples_within(n_bytes: int, per_sample: int, most: int) -> int:
    """How many samples fit, at least one and at most `most`."""
    return max(1, min(most, n_bytes // max(1, per_sample)))


def _by_sample(function: Passed, two: Tensor, *, graph: bool) -> tuple[int, float]:
    """Bytes and operations."""
    theta = function.theta0.detach().requires_grad_(graph)

    def taken(inputs: Tensor) -> tuple[int, float]:
        with torch.set_grad_enabled(graph), _Tracker() as tracker:
            result = function(theta, inputs)
        del result
        return tracker.peak, tracker.flops

    (few, less), (many, more) = taken(two.clone()), taken(torch.cat([two, two]))
    return max(0, many - few) // 2, (more - less) / 2


def peak_of(work: Callable[[], object]) -> int:
    """The most bytes of tensors made by `work` that live at a time; its result counts."""
    with _Tracker() as tracker:
        result = work()
    del result
    return tracker.peak


class _Tracker(TorchDispatchMode):
    """Sums the sizes of living storages that operators have made, and counts operations as torch's own counter does, which loads the compiler."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.living, self.peak, self.flops = 0, 0, 0.0
        self._seen: dict[int, weakref.ref[Any]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True, the default, loads torch's compiler at the first operation, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before = {_key(value) for value in tree_iter((args, kwargs)) if _stored(value)}
        result = func(*args, **(kwargs or {}))
        if (count := flop_registry.get(func._overloadpacket)) is not None:
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        for value in tree_iter(result):
            if _stored(value) and _key(value) not in before:
                self._add(value)
        return result

    def _add(self, value: Tensor) -> None:
        storage, key = value.untyped_storage(), _key(value)
        if key in self._seen:
            return
        size = storage.nbytes()

        def gone(_: Any) -> None:
            self.living -= size
            self._seen.pop(key, None)

        self._seen[key] = weakref.ref(storage, gone)
        self.living += size
        self.peak = max(self.peak, self.living)


def _stored(value: Any) -> TypeGuard[Tensor]:
    """Whether it has a storage of its own; a sparse tensor has those of its parts."""
    return isinstance(value, Tensor) and value.layout == torch.strided


def _key(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)
