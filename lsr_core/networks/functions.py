"""A network as a pure function of a flat parameter vector and a batch of inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lsr_core.errors import InputError

NamedTensors = dict[str, Tensor]


class ParametricFunction:
    """q(θ, x): flat parameters (m,) and inputs (n, …) to outputs (n, o).

    Args:
        call: pure function of (named parameters, inputs).
        parameters: the values at θ0; their order is the order of the flat vector.
        module: the module behind `call`, if there is one; it is what layer-wise Jacobians look into.
    """

    def __init__(
        self,
        call: Callable[[NamedTensors, Tensor], Tensor],
        parameters: Mapping[str, Tensor],
        module: nn.Module | None = None,
    ) -> None:
        if not parameters:
            raise InputError(
                "the model has no parameters that require a gradient, so there is nothing to refine", key="model"
            )
        for name, value in parameters.items():
            if not value.is_floating_point():
                raise InputError(f"has dtype {value.dtype}; only real floating-point parameters are refined", key=name)
            if not torch.isfinite(value).all():
                raise InputError("holds NaN or infinite values; load a checkpoint that is finite", key=name)
        self._call = call
        self.module = module
        self.shapes = {name: value.shape for name, value in parameters.items()}
        self.theta0 = torch.cat([value.detach().reshape(-1) for value in parameters.values()])

    @classmethod
    def from_module(
        cls, module: nn.Module, *, dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> ParametricFunction:
        """A private copy of `module` in the given dtype and on the given device; the original is not touched.

        Raises:
            InputError: the module would give different outputs at each call (dropout, batch statistics).
        """
        refuse_training_mode(module)
        own = copy.deepcopy(module).to(device=device, dtype=dtype)
        for buffer in own.buffers():
            buffer.requires_grad_(False)
        parameters = {name: value for name, value in own.named_parameters() if value.requires_grad}
        return cls(lambda named, inputs: functional_call(own, named, (inputs,)), parameters, own)

    @property
    def n_params(self) -> int:
        return len(self.theta0)

    @property
    def dtype(self) -> torch.dtype:
        return self.theta0.dtype

    @property
    def device(self) -> torch.device:
        return self.theta0.device

    def __call__(self, theta: Tensor, inputs: Tensor) -> Tensor:
        """Outputs (n, o) at the flat parameters `theta`."""
        return self._call(self.unflatten(theta), inputs).reshape(inputs.shape[0], -1)

    def unflatten(self, theta: Tensor) -> NamedTensors:
        """Views of `theta` by parameter name."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        pieces = theta.split(sizes)
        return {name: piece.view(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)}

    def outputs(self, inputs: Tensor, theta: Tensor | None = None, chunk: int = 8192) -> Tensor:
        """Outputs (n, o) at θ0 or at `theta`, without a graph."""
        at = self.theta0 if theta is None else theta
        with torch.no_grad():
            return torch.cat([self(at, block) for block in inputs.split(chunk)])


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


def check_outputs(function: ParametricFunction, inputs: Tensor, n_outputs: int, sample: int = 64) -> bool:
    """Refuse functions that cannot be linearised once and for all; return whether each sample stands alone.

    The outputs must be finite, the same at two calls, and (n, o). The result is True when the outputs of a sample do not
    change with the samples beside it, which is what row-wise Jacobians need.

    Raises:
        InputError: otherwise, saying what to do.
    """
    outputs = function.outputs(inputs)
    if outputs.shape != (len(inputs), n_outputs):
        raise InputError(
            f"gives {outputs.shape[1]} values a sample, the targets have {n_outputs}; they must be as many", key="model"
        )
    bad = int((~torch.isfinite(outputs)).any(dim=1).sum())
    if bad:
        raise InputError(
            f"its outputs are NaN or infinite at {bad} of {len(inputs)} samples; check weights, inputs and dtype",
            key="model",
        )
    few = inputs[: min(sample, len(inputs))]
    first, again = function.outputs(few), function.outputs(few)
    if not torch.equal(first, again):
        raise InputError(
            "two evaluations at the same inputs differ; switch off whatever is random (dropout, noise, resampling)",
            key="model",
        )
    alone = torch.cat([function.outputs(few[i : i + 1]) for i in range(min(8, len(few)))])
    scale = outputs.abs().max().clamp_min(torch.finfo(function.dtype).tiny)
    return bool((alone - first[: len(alone)]).abs().max() <= 1e3 * torch.finfo(function.dtype).eps * scale)


class PureFunction(nn.Module):
    """A pure function of (named parameters, inputs) as a module, so that it can be refined like any network.

    Args:
        call: maps ({name: tensor}, inputs (n, …)) to outputs (n, …).
        parameters: the values at θ0; names without dots.
    """

    def __init__(self, call: Callable[[NamedTensors, Tensor], Tensor], parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.call = call
        for name, value in parameters.items():
            self.register_parameter(name, nn.Parameter(value.detach().clone()))
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.call(dict(self.named_parameters()), inputs)
