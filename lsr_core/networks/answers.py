"""What a network must look like from outside: one tensor in, one real tensor out; anything else is refused by its name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.taking import in_precision

_KEYS = 6  # of a dictionary that are named


def check_answer(model: nn.Module, rows: Tensor, shape: Sequence[int]) -> None:
    """Call the network on some rows, and refuse what is no function from one tensor to one real tensor of the targets' shape.

    Args:
        rows: inputs (n, …).
        shape: of the targets of one sample; outputs may be the same numbers in one axis.

    Raises:
        InputError: naming the cause, and how to wrap the network. What its own code raises is left as it is.
    """
    _refuse_several_arguments(model)
    own = next((value for value in model.parameters() if value.is_floating_point()), rows)
    given = in_precision(rows, own.dtype).to(own.device, copy=True)
    try:
        answer = model(given)  # with gradients, which some networks take inside
    except Exception:  # a network that turns numbers into others itself is right
        _refuse_wrong_numbers(model, rows)
        raise
    _refuse_other_than_tensor(answer)
    if answer.is_complex():
        raise InputError(
            "the network gives complex numbers, and a refinement is of real ones; let forward return "
            "`torch.view_as_real(y).flatten(1)`, real and imaginary parts as outputs",
            key="model",
        )
    wanted = (len(rows), *shape)
    if not _same(tuple(answer.shape), wanted):
        raise InputError(
            f"for inputs {tuple(rows.shape)} the network gives {tuple(answer.shape)}; expected {wanted}", key="model"
        )


def _refuse_several_arguments(model: nn.Module) -> None:
    try:
        named = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):  # a compiled module has none
        return
    places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one.name for one in named if one.kind in places and one.default is inspect.Parameter.empty]
    if len(needed) > 1:
        parts = ", ".join(f"x[:, {place}:{place + 1}]" for place in range(len(needed)))
        raise InputError(
            f"forward takes {len(needed)} arguments ({', '.join(needed)}); a network here takes one tensor, a row for each sample: "
            f"wrap it in a module whose forward(x) returns self.net({parts}), and give the inputs side by side",
            key="model",
        )


def _refuse_wrong_numbers(model: nn.Module, rows: Tensor) -> None:
    first = next((part for part in model.modules() if not list(part.children())), model)
    if isinstance(first, nn.Embedding | nn.EmbeddingBag) and rows.is_floating_point():
        raise InputError(
            f"its first layer looks numbers up ({type(first).__name__}), and the inputs are {dtype_name(rows.dtype)}; give whole numbers, "
            "`inputs.long()`",
            key="inputs",
        )
    computing = isinstance(first, nn.Linear | nn.modules.conv._ConvNd)
    if computing and not (rows.is_floating_point() or rows.is_complex()):
        raise InputError(
            f"its first layer computes with its inputs ({type(first).__name__}), and these are {dtype_name(rows.dtype)}; give floating-point "
            "numbers, `inputs.double()`",
            key="inputs",
        )


def _refuse_other_than_tensor(answer: Any) -> None:
    if isinstance(answer, Tensor):
        return
    if isinstance(answer, Mapping):
        keys = [str(key) for key in answer][:_KEYS]
        parts = ", ".join(f"out[{key!r}]" for key in keys)
        what, how = f"a dictionary ({', '.join(keys)})", f"returns torch.cat([{parts}], dim=1)"
    elif isinstance(answer, tuple | list):
        what, how = (
            f"a {type(answer).__name__} of {len(answer)}",
            "returns the one tensor that the targets are of, such as out[0]",
        )
    else:
        what, how = f"an object of type {type(answer).__name__}", "returns a tensor"
    raise InputError(
        f"the network gives {what}, not a tensor (n, outputs); wrap it in a module whose forward calls it and {how}",
        key="model",
    )


def _same(got: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether two shapes hold the same numbers in the same order: equal but for axes of one, or one of them with one axis a sample."""
    plain = [tuple(length for length in shape[1:] if length != 1) for shape in (got, wanted)]
    sizes = [torch.Size(shape).numel() for shape in plain]
    flat = any(len(shape) <= 1 for shape in plain)
    return got[:1] == wanted[:1] and (plain[0] == plain[1] or (flat and sizes[0] == sizes[1]))


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
