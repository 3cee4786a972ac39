"""Calling a module with other parameters than its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from lsr_core.errors import InputError


def call_with(module: nn.Module, named: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Outputs of a module with its parameters replaced; neither the module nor the inputs are changed.

    Args:
        named: values by the names of `named_parameters`, which has a tied parameter once; buffers by theirs, where they are replaced too.

    A parameter of several modules is replaced in each of them, and one module that stands at several places once: torch's own untying replaces
    it at every place and then puts back what it found at the last one, which is the replacement. The inputs are copied, because a network
    may begin by changing them in place.
    """
    result: Tensor = functional_call(module, _everywhere(module, named), (inputs.clone(),), tie_weights=False)
    return result


def _everywhere(module: nn.Module, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same values at every place where a parameter is held, each module once."""
    values: dict[int, Tensor] = {}
    placed: dict[str, Tensor] = {}
    for prefix, part in module.named_modules():
        for name, held in (*part._parameters.items(), *part._buffers.items()):
            if held is None:
                continue
            full = f"{prefix}.{name}" if prefix else name
            if full in named:
                values.setdefault(id(held), named[full])
            if id(held) in values:
                placed[full] = values[id(held)]
    return placed


def as_module(model: nn.Module) -> nn.Module:
    """The network itself, out of a wrapper for several devices or of `torch.compile`, which is the same function.

    Raises:
        InputError: TorchScript, whose parameters cannot be replaced; parameters that are sparse or have no shape yet.
    """
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return as_module(model.module)
    if isinstance(compiled := getattr(model, "_orig_mod", None), nn.Module):
        return as_module(compiled)
    for name, value in model.named_parameters():
        if isinstance(value, nn.parameter.UninitializedParameter):
            raise InputError("has no shape yet; call the network once on some inputs before", key=name)
        if value.layout != torch.strided:
            raise InputError("is sparse; make it a parameter with all its values, `.to_dense()`", key=name)
    for name, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            where = f"its part {name!r} is" if name else "is"
            raise InputError(
                f"{where} a TorchScript module, whose parameters cannot be replaced for derivatives; "
                "hand in the Python module that it was made of",
                key="model",
            )
    return model
