"""What onnxruntime has no float64 kernel for, written in operations for which it has one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lsr_core.portable.absent import absent
from lsr_core.portable.gaussian import erf, erfc, gelu, gelu_backward

_SIXTH = 0.1666666716337204  # 1/6 in float32, which torch takes in float64 as well


def decompositions(dtype: torch.dtype) -> dict[Any, Callable[..., Any]]:
    """For `make_fx`: by operator, what to trace in its place. In float32 only what ONNX does not have at all."""
    ops = torch.ops.aten
    if dtype != torch.float64:
        return absent()
    return absent() | {
        ops.erf.default: erf,
        ops.erfc.default: erfc,
        ops.gelu.default: gelu,
        ops.gelu_backward.default: gelu_backward,
        ops.convolution.default: convolution,
        ops.native_layer_norm.default: layer_norm,
        ops.native_group_norm.default: group_norm,
        ops.native_batch_norm.default: batch_norm,
        ops._native_batch_norm_legit.no_stats: batch_norm_of_batch,
        ops.avg_pool2d.default: avg_pool2d,
        ops.softplus.default: softplus,
        ops.softplus_backward.default: softplus_backward,
        ops.mish.default: mish,
        ops.mish_backward.default: mish_backward,
        ops.leaky_relu.default: leaky_relu,
        ops.leaky_relu_backward.default: leaky_relu_backward,
        ops._prelu_kernel.default: prelu,
        ops._prelu_kernel_backward.default: prelu_backward,
        ops.elu.default: elu,
        ops.elu_backward.default: elu_backward,
        ops.hardswish.default: hardswish,
        ops.hardswish_backward.default: hardswish_backward,
        ops.hardsigmoid.default: hardsigmoid,
        ops.hardsigmoid_backward.default: hardsigmoid_backward,
    }


def convolution(
    values: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """Patches times weights, (n, c, …) to (n, o, …), as `torch.convolution`."""
    if transposed:
        return (
            NotImplemented
            if groups != 1
            else _transposed(values, weight, bias, stride, padding, dilation, output_padding)
        )
    if groups != 1:  # side by side
        parts = zip(
            values.chunk(groups, 1),
            weight.chunk(groups, 0),
            [None] * groups if bias is None else bias.chunk(groups),
            strict=True,
        )
        return torch.cat([convolution(*part, stride, padding, dilation, False, output_padding, 1) for part in parts], 1)
    sides = [side for width in reversed(padding) for side in (width, width)]
    patches, kernel = F.pad(values, sides) if any(sides) else values, weight.shape[2:]
    for axis, (size, step, gap) in enumerate(zip(kernel, stride, dilation, strict=True), 2):
        patches = patches.unfold(axis, gap * (size - 1) + 1, step)[..., ::gap]
    count = len(kernel)  # patches (n, c, …points, …kernel) become (n, points, c · kernel)
    points = patches.shape[2 : 2 + count]
    order = [0, *range(2, 2 + count), 1, *range(2 + count, 2 + 2 * count)]
    rows = patches.permute(order).reshape(patches.shape[0], math.prod(points), weight[0].numel())
    found = rows @ weight.flatten(1).T
    found = found if bias is None else found + bias
    return found.transpose(1, 2).reshape(values.shape[0], weight.shape[0], *points)


def _transposed(
    values: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int],
    output_padding: Sequence[int],
) -> Tensor:  # fmt: skip
    """The transpose of a convolution: one with the weights turned round, of values with zeros put between them."""
    kernel = weight.shape[2:]
    for axis, step in enumerate(stride, 2):
        length = step * (values.shape[axis] - 1) + 1
        apart = torch.stack([values, *[torch.zeros_like(values)] * (step - 1)], axis + 1)
        values = apart.flatten(axis, axis + 1).narrow(axis, 0, length)
    sides = [
        side for size, width, gap, more in reversed(list(zip(kernel, padding, dilation, output_padding, strict=True)))
        for side in (gap * (size - 1) - width, gap * (size - 1) - width + more)
    ]  # fmt: skip
    turned, ones, zeros = weight.flip(list(range(2, weight.ndim))).transpose(0, 1), [1] * len(kernel), [0] * len(kernel)
    return convolution(F.pad(values, sides), turned, bias, ones, zeros, dilation, False, zeros, 1)


def layer_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """As `torch.native_layer_norm`; the runtime's own gives mean and deviation in float32, which the derivative uses."""
    axes = list(range(x.ndim - len(shape), x.ndim))
    mean = x.mean(axes, keepdim=True)
    centred = x - mean
    inverse = torch.rsqrt((centred * centred).mean(axes, keepdim=True) + eps)
    found = centred * inverse
    found = found if weight is None else found * weight
    return found if bias is None else found + bias, mean, inverse


def group_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, count: int, channels: int, points: int, groups: int, eps: float
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """As `torch.native_group_norm`."""
    rows = x.reshape(count, groups, channels // groups * points)
    mean = rows.mean(2, keepdim=True)
    centred = rows - mean
    inverse = torch.rsqrt((centred * centred).mean(2, keepdim=True) + eps)
    found = (centred * inverse).reshape(x.shape)
    sides = [1, channels, *[1] * (x.ndim - 2)]
    found = found if weight is None else found * weight.reshape(sides)
    return found if bias is None else found + bias.reshape(sides), mean.squeeze(2), inverse.squeeze(2)


def batch_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, variance: Tensor | None, training: bool, momentum: float, eps: float
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """As `torch.native_batch_norm`: by stored statistics, or by those of what it is given where none are stored, as instance norm does."""
    if not training:
        assert mean is not None
        assert variance is not None
        sides = [1, -1, *[1] * (x.ndim - 2)]
        found = (x - mean.reshape(sides)) * torch.rsqrt(variance + eps).reshape(sides)
        return _scaled(found, weight, bias), x.new_empty(0), x.new_empty(0)
    return NotImplemented if mean is not None else batch_norm_of_batch(x, weight, bias, training, momentum, eps)


def batch_norm_of_batch(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, training: bool, momentum: float, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    axes = [axis for axis in range(x.ndim) if axis != 1]
    mean = x.mean(axes, keepdim=True)
    centred = x - mean
    inverse = torch.rsqrt((centred * centred).mean(axes, keepdim=True) + eps)
    return _scaled(centred * inverse, weight, bias), mean.reshape(-1), inverse.reshape(-1)


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    sides = [1, -1, *[1] * (x.ndim - 2)]
    found = x if weight is None else x * weight.reshape(sides)
    return found if bias is None else found + bias.reshape(sides)


def avg_pool2d(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0, 0), ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Means of patches, as `torch.nn.functional.avg_pool2d` without padding."""
    if any(padding) or ceil_mode or divisor_override is not None:
        return NotImplemented
    high, wide = (kernel[0], kernel[-1])
    steps = stride or kernel
    patches = x.unfold(-2, high, steps[0]).unfold(-2, wide, steps[-1])
    return patches.mean((-2, -1))


def softplus(x: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp βx)/β, and x itself beyond the threshold, as `torch.nn.functional.softplus`."""
    z = x * beta
    return torch.where(z > threshold, x, (torch.relu(z) + torch.log(1.0 + torch.exp(-z.abs()))) / beta)


def softplus_backward(grad: Tensor, x: Tensor, beta: float, threshold: float) -> Tensor:
    z = x * beta
    return torch.where(z > threshold, grad, grad * torch.sigmoid(z))


def mish(x: Tensor) -> Tensor:
    """x tanh softplus(x)."""
    return x * torch.tanh(softplus(x))


def mish_backward(grad: Tensor, x: Tensor) -> Tensor:
    inner = torch.tanh(softplus(x))
    return grad * (inner + x * torch.sigmoid(x) * (1.0 - inner * inner))


def leaky_relu(x: Tensor, slope: float = 0.01) -> Tensor:
    return torch.where(x > 0, x, x * slope)


def leaky_relu_backward(grad: Tensor, x: Tensor, slope: float, is_result: bool) -> Tensor:
    return torch.where(x > 0, grad, grad * slope)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    return torch.where(x > 0, x, weight * x)


def prelu_backward(grad: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    return torch.where(x > 0, grad, weight * grad), torch.where(x > 0, 0 * grad, x * grad)


def elu(x: Tensor, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Tensor:
    """scale x above zero, scale α (exp(input_scale x) − 1) below; SELU is one of them."""
    below = torch.exp(x.clamp(max=0) * input_scale) - 1
    return torch.where(x > 0, x * scale, below * (alpha * scale))


def elu_backward(
    grad: Tensor, alpha: float, scale: float, input_scale: float, is_result: bool, given: Tensor
) -> Tensor:
    """`given` is the input, or the result where that is said."""
    slope = given + alpha * scale if is_result else torch.exp(given.clamp(max=0) * input_scale) * (alpha * scale)
    return torch.where(given > 0, grad * scale, grad * slope * input_scale)


def hardswish(x: Tensor) -> Tensor:
    """x hardsigmoid(x)."""
    return x * hardsigmoid(x)


def hardswish_backward(grad: Tensor, x: Tensor) -> Tensor:
    return torch.where(x < -3, 0 * grad, torch.where(x <= 3, grad * (x / 3 + 0.5), grad))


def hardsigmoid(x: Tensor) -> Tensor:
    """x/6 + 1/2 between 0 and 1."""
    return (x + 3).clamp(0, 6) / 6


def hardsigmoid_backward(grad: Tensor, x: Tensor) -> Tensor:
    return torch.where((x > -3) & (x < 3), grad * _SIXTH, 0 * grad)
