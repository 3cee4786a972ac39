"""Floating-point operations of a network, counted while it is called."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from lsr_core.networks.functions import ParametricFunction


def pass_flops(function: ParametricFunction, example: Tensor) -> float:
    """Floating-point operations of matrix products and convolutions that one more sample costs in a forward pass; 0 where torch cannot count."""
    counts = []
    for inputs in (example, torch.cat([example, example])):
        with _Operations() as counter, torch.no_grad():
            try:
                function(function.theta0, inputs)
            except RuntimeError:  # its hooks do not stand derivatives inside forward, as forces have
                return 0.0
        counts.append(counter.total)
    return (counts[1] - counts[0]) / len(example)


class _Operations(TorchDispatchMode):
    """Counts floating-point operations as torch's own counter does, which loads the compiler."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result
