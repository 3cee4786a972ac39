"""What ONNX does not have in any precision, written in operations that it has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def absent() -> dict[Any, Callable[..., Any]]:
    """For `make_fx`: by operator, what to trace in its place."""
    return {torch.ops.aten._trilinear.default: trilinear}


def trilinear(
    one: Tensor, two: Tensor, three: Tensor, no_one: list[int], no_two: list[int], no_three: list[int], summed: list[int], _unroll: int = 1
) -> Tensor:  # fmt: skip
    """Σ one · two · three over the axes `summed`, as in `torch.nn.Bilinear`; `no_…` are the axes that a factor does not have."""
    axes = "abcdefgh"[: one.ndim + len(no_one)]
    of = [
        "".join(a for at, a in enumerate(axes) if at not in without) for without in (no_one, no_two, no_three, summed)
    ]
    return torch.einsum(f"{of[0]},{of[1]},{of[2]}->{of[3]}", one, two, three)
