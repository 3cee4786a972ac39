"""What parameters and buffers start from where PyTorch's own layers do not make them.

On the meta device nothing is computed: a network is about to get its tensors from a file, and torch would import its compiler (1.3 s).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normal(*shape: int, scale: float) -> Tensor:
    """Values from N(0, scale²)."""
    return torch.empty(shape) if _meta() else scale * torch.randn(shape)


def uniform(*shape: int, scale: float) -> Tensor:
    """Values from [0, scale)."""
    return torch.empty(shape) if _meta() else scale * torch.rand(shape)


def unit_grid(sizes: Sequence[int]) -> Tensor:
    """Points j/n of the half-open unit interval along every axis, (*sizes, axes)."""
    if _meta():
        return torch.empty(*sizes, len(sizes))
    return torch.stack(torch.meshgrid(*(torch.arange(size) / size for size in sizes), indexing="ij"), dim=-1)


def _meta() -> bool:
    return torch.get_default_device().type == "meta"
