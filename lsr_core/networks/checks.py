"""Refusing what cannot be linearised once and for all."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.footprints import FORWARD_BYTES, footprint, samples_within
from lsr_core.networks.functions import ParametricFunction

CHUNK = 4096  # samples evaluated together


def refuse_training_mode(module: nn.Module) -> None:
    """Refuse modules whose outputs depend on chance or on the rest of the batch.

    Raises:
        InputError: dropout or batch normalisation in training mode.
    """
    for name, part in module.named_modules():
        active = part.training and isinstance(part, nn.modules.dropout._DropoutNd) and part.p > 0
        if active:
            raise InputError(
                "dropout is active, so the outputs are not repeatable; call model.eval() before refining",
                key=name or type(part).__name__,
            )
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and (part.training or part.running_mean is None):
            raise InputError(
                "batch normalisation uses the statistics of the batch; call model.eval() (with running statistics) before refining",
                key=name or type(part).__name__,
            )


def check_outputs(
    function: ParametricFunction, inputs: Tensor, n_outputs: int, sample: int = 64, *, precision: float | None = None
) -> bool:
    """Refuse functions that cannot be linearised once and for all; return whether each sample stands alone.

    The outputs must be finite, the same at two calls, and (n, o). The result is True when the outputs of a sample do not
    change with the samples beside it, which is what row-wise Jacobians need.

    Args:
        precision: relative precision of the outputs; by default that of the dtype.

    Raises:
        InputError: otherwise, saying what to do.
    """
    few = inputs[: min(sample, len(inputs))]
    first = _outputs_of(function, few, n_outputs)
    single = torch.cat([_outputs_of(function, few[i : i + 1], n_outputs) for i in range(min(8, len(few)))])
    eps = precision or torch.finfo(function.dtype).eps
    alone = _equal(single, first, first.abs().max(), eps)
    chunk = samples_within(FORWARD_BYTES, footprint(function, inputs).live, CHUNK) if alone else CHUNK
    bad, scale = 0, torch.zeros((), dtype=function.dtype, device=function.device)
    for block in inputs.split(chunk):
        outputs = _outputs_of(function, block, n_outputs)
        bad += int((~torch.isfinite(outputs)).any(dim=1).sum())
        scale = torch.maximum(scale, outputs.abs().max())
    if bad:
        raise InputError(
            f"its outputs are NaN or infinite at {bad} of {len(inputs)} samples; check weights, inputs and dtype",
            key="model",
        )
    if not torch.equal(first, function.outputs(few)):
        raise InputError(
            "two evaluations at the same inputs differ; switch off whatever is random (dropout, noise, resampling)",
            key="model",
        )
    return _equal(single, first, scale, eps)


def _outputs_of(function: ParametricFunction, inputs: Tensor, n_outputs: int) -> Tensor:
    outputs = function.outputs(inputs, chunk=CHUNK)
    if outputs.shape != (len(inputs), n_outputs):
        raise InputError(
            f"gives {outputs.shape[1]} values a sample, the targets have {n_outputs}; they must be as many",
            key="model",
        )
    return outputs


def _equal(alone: Tensor, together: Tensor, scale: Tensor, eps: float) -> bool:
    """Whether outputs of samples taken alone are those that they have beside others, but for rounding of outputs of a scale."""
    scale = scale.clamp_min(torch.finfo(together.dtype).tiny)
    return bool((alone - together[: len(alone)]).abs().max() <= 1e3 * eps * scale)
