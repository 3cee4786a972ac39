"""J v, the derivative along directions of the parameters, in the ways that there are of taking it.

Forward mode is the cheapest, but some operations have no forward derivative (a custom `autograd.Function` of the classic form, weight
normalisation, GRU cells on some devices). Reverse mode twice needs none: u ↦ Jᵀu is linear, and its own transpose applied to v is J v.
Where not even the backward pass can be differentiated, the rows of J are taken one by one by plain reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.func import jvp, vmap

Derivatives = Literal["forward", "reverse", "rows", "batch-rows"]
"""Forward mode; reverse mode twice; rows sample by sample; rows of a batch whose samples depend on each other."""
WAYS: tuple[Derivatives, ...] = ("forward", "reverse", "rows")
IN_WORDS: dict[Derivatives, str] = {
    "forward": "forward mode",
    "reverse": "two reverse passes",
    "rows": "one reverse pass for each row",
    "batch-rows": "one reverse pass for each row",
}
Values = Sequence[Tensor]
Call = Callable[[Values, Tensor], Tensor]


def pushed(
    call: Call, at: Values, along: Sequence[Values], inputs: Tensor, way: Derivatives
) -> tuple[Tensor, list[Tensor]]:
    """Outputs of `call` at some tensors and inputs (n, …), and their derivatives along each of several directions.

    Args:
        call: maps (tensors, inputs) to outputs whose first dimension is that of the inputs.
        along: directions, shaped like the tensors.
        way: how.
    """
    if way == "forward":
        found = [jvp(lambda *values: call(values, inputs), tuple(at), tuple(step)) for step in along]
        return found[0][0], [pair[1] for pair in found]
    if way == "rows":
        parts = [_by_rows(call, at, along, inputs[i : i + 1]) for i in range(len(inputs))]
        return torch.cat([part[0] for part in parts]), [
            torch.cat(pieces) for pieces in zip(*(part[1] for part in parts), strict=True)
        ]
    return (_by_two_passes if way == "reverse" else _by_rows)(call, at, along, inputs)


def at_each(function: Callable[[Tensor], Tensor], block: Tensor) -> Tensor:
    """A function at each of the rows of a block: at all together where it allows that, else one after the other."""
    try:
        return vmap(function)(block)
    except (RuntimeError, NotImplementedError, TypeError):
        return torch.stack([function(row) for row in block])


def _by_two_passes(call: Call, at: Values, along: Sequence[Values], inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Reverse mode of u ↦ Jᵀu."""
    keep = torch.is_grad_enabled() and inputs.requires_grad
    outputs, leaves = _graph(call, at, inputs)
    with torch.enable_grad():
        weights = torch.zeros_like(outputs, requires_grad=True)
        pulled = torch.autograd.grad(outputs, leaves, weights, create_graph=True, allow_unused=True)
        if not all(pull is None or pull.requires_grad for pull in pulled):
            raise RuntimeError("the backward pass cannot be differentiated")
        moved = []
        for step in along:
            pairs = [(pull, part) for pull, part in zip(pulled, step, strict=True) if pull is not None]
            slope = torch.autograd.grad(
                [pull for pull, _ in pairs], weights, [part for _, part in pairs], retain_graph=True, create_graph=keep
            )[0]
            moved.append(slope if keep else slope.detach())
    return (outputs if keep else outputs.detach()), moved


def _by_rows(call: Call, at: Values, along: Sequence[Values], inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Each row of J by a reverse pass of its own."""
    outputs, leaves = _graph(call, at, inputs)
    with torch.enable_grad():  # else what is taken out of the outputs would have no graph
        singles = outputs.reshape(-1).unbind()
    moved = [outputs.new_zeros(len(singles)) for _ in along]
    for place, single in enumerate(singles):
        row = torch.autograd.grad(single, leaves, retain_graph=place + 1 < len(singles), allow_unused=True)
        for image, step in zip(moved, along, strict=True):
            image[place] = sum(
                (_inner(slope, part) for slope, part in zip(row, step, strict=True) if slope is not None),
                outputs.new_zeros(()),
            ).detach()
    return outputs.detach(), [image.view(outputs.shape) for image in moved]


def _inner(slope: Tensor, step: Tensor) -> Tensor:
    """Real part of the inner product: what a real output changes by."""
    products = (slope.conj() * step).sum()
    return products.real if products.is_complex() else products


def _graph(call: Call, at: Values, inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    leaves = [value.detach().requires_grad_() for value in at]
    with torch.enable_grad():
        return call(leaves, inputs), leaves
