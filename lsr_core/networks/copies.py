"""Copies of modules that have been called."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lsr_core.networks.taking import in_precision


def copied(module: nn.Module) -> nn.Module:
    """A deep copy; what a module keeps of its last call (features, attention maps, a normalised weight) comes without its graph.

    Python's own deep copy refuses tensors that were computed, and those that a transform of torch has left behind.
    """
    memo: dict[int, Any] = {}
    for part in module.modules():
        _note(vars(part), memo)
    return copy.deepcopy(module, memo)


def in_dtype(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The module itself in a floating type, complex tensors staying complex; `module.to(dtype)` would drop their imaginary parts."""
    return module._apply(lambda value: in_precision(value, dtype))


def scalars(value: Tensor) -> int:
    """How many real numbers a parameter has; a complex one is two."""
    return value.numel() * (2 if value.is_complex() else 1)


def _note(value: Any, memo: dict[int, Any]) -> None:
    """Enter the copies of computed tensors, found in plain containers as well."""
    if isinstance(value, Tensor):
        if torch._C._functorch.is_functorch_wrapped_tensor(value):  # of a transform that has ended: nobody can read it
            memo[id(value)] = torch.empty(0)
        elif value.grad_fn is not None:
            memo[id(value)] = value.detach().clone()
    elif isinstance(value, Mapping):
        _note(list(value.values()), memo)
    elif isinstance(value, list | tuple | set):
        for item in value:
            _note(item, memo)
