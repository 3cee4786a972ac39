"""Rules: what an operation of autograd's graph does with a parameter that is one of its operands, by its name and the operand's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lsr_core.networks.uses.operands import Operand, Unruled
from lsr_core.networks.uses.places import SampleAxis
from lsr_core.networks.uses.products import Convolved, Entrywise, LinearUse, LookedUp, Use


@dataclass(frozen=True)
class Site:
    """A parameter at an operation.

    Attributes:
        node: of autograd's graph, with what it saved.
        layout: of what it gives.
        signals: gradients of q outputs by what it gives, each summed over the samples; zeros where an output does not depend on it.
    """

    node: Any
    operand: Operand
    layout: SampleAxis
    signals: tuple[Tensor, ...]

    def saved(self, name: str) -> Tensor:
        """A tensor that the operation keeps for its backward pass.

        Raises:
            Unruled: it keeps none.
        """
        value = getattr(self.node, f"_saved_{name}")
        if not isinstance(value, Tensor):
            raise Unruled(f"what it was given is not kept ({self.node.name().removesuffix('Backward0')})")
        return value.detach()

    def by_sample(self) -> Tensor:
        """Signals (n, q, …)."""
        return torch.stack([self.layout.by_sample(signal) for signal in self.signals], dim=1)


def entrywise(site: Site, factor: Tensor | None = None, *, aligned: tuple[int, ...] | None = None) -> Use:
    """z = factor · W', broadcast.

    Args:
        factor: of the shape of z, or one that can be broadcast to it; None = one.
        aligned: W' in a shape that broadcasts with z.
    """
    layout, like = site.layout, site.signals[0]
    shape = list(_broadcast(site.operand.shape if aligned is None else aligned, like.ndim))
    if shape.pop(layout.axis) != 1:
        raise Unruled("it is another one for each sample")
    if layout.repeats > 1:
        shape.insert(layout.axis, 1)
    slopes = []
    for signal in site.signals:
        sent = signal.conj().resolve_conj()
        value = layout.by_sample(sent if factor is None else sent * factor)
        summed = [axis for axis, size in enumerate(shape, start=1) if size == 1 and value.shape[axis] != 1]
        slopes.append((value.sum(summed) if summed else value).reshape(len(value), -1))
    return Entrywise(torch.stack(slopes, dim=1), site.operand)


def product(site: Site, other: Tensor, *, right: bool, scale: float = 1.0) -> Use:
    """Matrix products (b, rows, inner) of samples with a parameter on the right, or on the left."""
    signals = [signal.conj().resolve_conj() for signal in site.signals]
    signals = [signal if right else signal.transpose(-1, -2) for signal in signals]
    inputs = other if right else other.transpose(-1, -2)
    axis = site.layout.axis if right else {signals[0].ndim - 1: signals[0].ndim - 2}.get(site.layout.axis, -1)
    if axis != inputs.ndim - 2 or site.operand.shape[-1 if right else -2] != signals[0].shape[-1]:
        raise Unruled("samples do not stand in the rows of its product")

    def placed(values: Tensor) -> Tensor:
        """(n, t, b, …)."""
        rows = site.layout.by_sample(values, axis)  # (n, [b,] [t,] …)
        rows = rows.unsqueeze(-2) if site.layout.repeats == 1 else rows
        return rows.unsqueeze(2) if values.ndim == 2 else rows.transpose(1, 2)

    stacked = torch.stack([placed(signal) for signal in signals], dim=1)
    weight = site.operand if right else site.operand.transposed()
    return LinearUse(placed(inputs * scale if scale != 1 else inputs), stacked, weight)


def convolution(site: Site) -> Use:
    node, operand, layout = site.node, site.operand, site.layout
    if not operand.plain or operand.shape != operand.whole or operand.split != 1 or layout.axis != 0:
        raise Unruled("its kernel is put together from other parameters")

    def images(values: Tensor) -> Tensor:
        """(n, c, channels, …)."""
        found = layout.by_sample(values)
        return found[:, None] if layout.repeats == 1 else found

    return Convolved(
        images(site.saved("input")),
        torch.stack([images(signal) for signal in site.signals], dim=1),
        operand,
        stride=tuple(node._saved_stride),
        padding=tuple(node._saved_padding),
        dilation=tuple(node._saved_dilation),
        groups=node._saved_groups,
        transposed=node._saved_transposed,
    )


def table(site: Site, numbers: Tensor, counted: Tensor | None) -> Use:
    """Rows of W' by number."""
    if len(site.operand.shape) != 2:
        raise Unruled("it is no table of rows")

    def placed(values: Tensor) -> Tensor:
        return site.layout.by_sample(values).reshape(len(site.layout.by_sample(values)), -1)

    entries, width = site.operand.shape
    signals = torch.stack([site.layout.by_sample(signal).reshape(-1, width) for signal in site.signals])
    numbers = placed(numbers % entries)
    signals = signals.view(len(site.signals), *numbers.shape, width).transpose(0, 1)
    return LookedUp(numbers, signals, site.operand, None if counted is None else placed(counted))


def _embedding(site: Site) -> Use:
    numbers = site.saved("indices")
    if site.node._saved_scale_grad_by_freq:
        raise Unruled("its gradient is scaled by how often a number comes")
    padding = site.node._saved_padding_idx % 2**64  # unsigned where it is -1
    return table(site, numbers, numbers != padding if padding < 2**63 else None)


def _index(site: Site) -> Use:
    first, *others = site.node._saved_indices
    if not isinstance(first, Tensor) or first.dtype == torch.bool or any(other is not None for other in others):
        raise Unruled("it is indexed by more than the numbers of its rows")
    return table(site, first, None)


def _layer_norm(site: Site) -> Use:
    return entrywise(site, (site.saved("input") - site.saved("result1")) * site.saved("result2"))


def _batch_norm(site: Site) -> Use:
    if site.node._saved_training:
        raise Unruled("its batch is normalised by itself")
    values = site.saved("input")
    shape = (1, -1, *[1] * (values.ndim - 2))
    mean, variance = (site.saved(name).view(shape) for name in ("running_mean", "running_var"))
    return entrywise(site, (values - mean) * (variance + site.node._saved_eps).rsqrt(), aligned=_channels(site))


def _group_norm(site: Site) -> Use:
    values, groups = site.saved("input"), site.node._saved_group
    parts = values.reshape(len(values), groups, -1)
    normal = (parts - site.saved("result1")[:, :, None]) * site.saved("result2")[:, :, None]
    return entrywise(site, normal.view(values.shape), aligned=_channels(site))


def _channels(site: Site) -> tuple[int, ...]:
    return (1, site.operand.shape.numel(), *[1] * (site.signals[0].ndim - 2))


def _by_channel(site: Site) -> Use:
    return entrywise(site, aligned=_channels(site))


def _added(site: Site) -> Use:
    alpha = site.node._saved_alpha
    return entrywise(site, None if alpha == 1 else torch.tensor(alpha).to(site.signals[0]))


def _quotient(site: Site) -> Use:
    return entrywise(site, -site.saved("self") / site.saved("other").square())


def _prelu(site: Site) -> Use:
    values = site.saved("self")
    return entrywise(site, values.clamp(max=0))


def _bias(site: Site) -> Use:
    beta = site.node._saved_beta
    return entrywise(site, None if beta == 1 else torch.tensor(beta).to(site.signals[0]))


Rule = Callable[[Site], Use]
_PRODUCT: dict[int, Rule] = {
    0: lambda site: product(site, site.saved("mat2"), right=False),
    1: lambda site: product(site, site.saved("self"), right=True),
}
RULES: dict[str, dict[int, Rule]] = {
    "AddmmBackward0": {
        0: _bias,
        1: lambda site: product(site, site.saved("mat2"), right=False, scale=site.node._saved_alpha),
        2: lambda site: product(site, site.saved("mat1"), right=True, scale=site.node._saved_alpha),
    },
    "MmBackward0": _PRODUCT,
    "BmmBackward0": _PRODUCT,
    "ConvolutionBackward0": {1: convolution, 2: _by_channel},
    "EmbeddingBackward0": {0: _embedding},
    "IndexBackward0": {0: _index},
    "IndexSelectBackward0": {0: lambda site: table(site, site.saved("index"), None)},
    "NativeLayerNormBackward0": {1: _layer_norm, 2: entrywise},
    "NativeBatchNormBackward0": {1: _batch_norm, 2: _by_channel},
    "NativeGroupNormBackward0": {1: _group_norm, 2: _by_channel},
    "AddBackward0": {0: entrywise, 1: _added},
    "SubBackward0": {
        0: entrywise,
        1: lambda site: entrywise(site, torch.tensor(-site.node._saved_alpha).to(site.signals[0])),
    },
    "MulBackward0": {
        0: lambda site: entrywise(site, site.saved("other")),
        1: lambda site: entrywise(site, site.saved("self")),
    },
    "DivBackward0": {0: lambda site: entrywise(site, site.saved("other").reciprocal()), 1: _quotient},
    "ExpandBackward0": {0: entrywise},
    "PreluKernelBackward0": {1: _prelu},
    "WhereBackward0": {
        0: lambda site: entrywise(site, site.saved("condition").to(site.signals[0])),
        1: lambda site: entrywise(site, 1 - site.saved("condition").to(site.signals[0])),
    },
}


def _broadcast(shape: tuple[int, ...], dims: int) -> tuple[int, ...]:
    return (*[1] * (dims - len(shape)), *shape)
