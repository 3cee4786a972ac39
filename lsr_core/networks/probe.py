"""What a network does inside forward that derivatives suffer from, and the line where it does so.

The network is called once under a mode that sees every torch function: tensors of less precision than was asked for, gradients switched off,
tensors cut off from the parameters, changes in place.
"""

from __future__ import annotations

import linecache
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction

_NOT_USERS = (
    str(Path(__file__).parents[1]),
    str(Path(__file__).resolve().parents[1]),
    str(Path(torch.__file__).parent),
    "<",
)
_PYTHONS = sysconfig.get_paths()["stdlib"]
_CUTS = {
    "detach": ".detach()",
    "detach_": ".detach_()",
    "item": ".item()",
    "tolist": ".tolist()",
    "numpy": ".numpy()",
    "__float__": "float()",
}
_IN_PLACE = frozenset({"__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__"})


@dataclass(frozen=True)
class Findings:
    """Each None where it was not found, else where: `x.float() (net.py, line 13)`.

    Attributes:
        single: a tensor in less than the precision that was asked for, on the way from the parameters to the outputs.
        lowered: the same of any tensor, constants and inputs included.
        hidden: an operation for which gradients are switched off.
        cut: a value that is taken out of the graph.
        in_place: a value that is changed in place.
        hooked: name of a layer with a hook that may change what it is given or gives.
    """

    single: str | None = None
    lowered: str | None = None
    hidden: str | None = None
    cut: str | None = None
    in_place: str | None = None
    hooked: str | None = None

    @property
    def severed(self) -> str | None:
        """What cuts outputs off from the parameters, in words."""
        if self.hidden:
            return f"forward runs without gradients (torch.no_grad or inference_mode) at {self.hidden}"
        return f"a value leaves the graph at {self.cut}" if self.cut else None


def examine(function: ParametricFunction, inputs: Tensor) -> Findings:
    """Call the network once at θ0 and watch it.

    Raises:
        InputError: forward itself fails; with the line, and what to do.
    """
    watch = _Watch(function.dtype)
    theta = function.theta0.detach().requires_grad_()
    try:
        with torch.enable_grad(), watch:
            function(theta, inputs)
    except InputError:
        raise
    except Exception as error:  # whatever the code of a user raises
        raise InputError(_failure(error, watch.findings, function.dtype, inputs), key="model") from error
    return replace(watch.findings, hooked=_hooked(function.module))


def _hooked(module: nn.Module | None) -> str | None:
    parts = module.named_modules() if module is not None else ()
    return next((name or "model" for name, part in parts if part._forward_hooks or part._forward_pre_hooks), None)


def where_in(error: BaseException) -> str:
    """` at y = self.net(x) (net.py, line 13)`: the last line of the user's own in a traceback; nothing if there is none."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if _is_users(frame.f_code.co_filename):
            return f" at {_place(frame.f_code.co_filename, line)}"
    return ""


def _failure(error: Exception, found: Findings, dtype: torch.dtype, inputs: Tensor) -> str:
    wanted = str(dtype).removeprefix("torch.")
    mixed = "dtype" in str(error) or "same type" in str(error) or "Float" in str(error)
    if mixed and found.lowered:
        return (
            f"forward makes single precision at {found.lowered}, while the refinement computes in {wanted}; "
            "take the dtype of the weights or the inputs there (x.to(weight.dtype)), or ask for dtype float32"
        )
    if mixed:
        return (
            f"forward fails{where_in(error)}: part of the network is not in {wanted}, which all of its parameters and buffers were brought to; "
            "register what is left out (nn.ModuleList and nn.ParameterList in place of lists, register_buffer for tensors)"
        )
    if "modified inplace" in str(error) or "leaf Variable" in str(error):
        return f"forward writes into a parameter{where_in(error)}, which is then no parameter of its own; make a tensor of it there instead"
    shape = tuple(inputs.shape)
    if len(shape) == 1:
        return f"forward fails{where_in(error)} for inputs without a second axis, one number a sample; if it wants columns, give inputs[:, None]"
    said = " ".join(str(error).split())[:200]
    given = wanted if inputs.is_floating_point() or inputs.is_complex() else str(inputs.dtype).removeprefix("torch.")
    return (
        f"forward fails{where_in(error)} for inputs of shape {shape} in {given}: {type(error).__name__}, {said}; "
        "call the network with such inputs to see it"
    )


@dataclass
class _Watch(TorchFunctionMode):
    dtype: torch.dtype
    seen: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def findings(self) -> Findings:
        return Findings(**self.seen)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        first = args[0] if args and isinstance(args[0], Tensor) else None
        tracked = any(isinstance(value, Tensor) and value.requires_grad for value in args)
        if name == "__get__" and getattr(getattr(func, "__self__", None), "__name__", "") == "data" and tracked:
            self._note("cut", ".data")
        if tracked and name in _CUTS:
            self._note("cut", _CUTS[name])
        result = func(*args, **(kwargs or {}))
        in_place = (
            name in _IN_PLACE
            or (name.endswith("_") and not name.endswith("__"))
            or (kwargs or {}).get("inplace") is True
        )
        if in_place and first is not None and name not in ("requires_grad_", "detach_"):
            self._note("in_place", name)
        blind = tracked and not torch.is_grad_enabled() and name not in ("__get__", "detach")
        if blind and isinstance(result, Tensor) and not _in_custom_function(sys._getframe(1)):
            self._note("hidden", name)
        for value in (result, first if in_place else None):
            if isinstance(value, Tensor) and self._is_lower(value):
                self._note("lowered", name)
                if value.requires_grad:
                    self._note("single", name)
        return result

    def _is_lower(self, value: Tensor) -> bool:
        if not (value.is_floating_point() or value.is_complex()):
            return False
        return torch.finfo(value.dtype).eps > torch.finfo(self.dtype).eps

    def _note(self, what: str, name: str) -> None:
        if what not in self.seen:
            self.seen[what] = _users_line(sys._getframe(2), name)


def _users_line(frame: FrameType | None, name: str) -> str:
    while frame is not None:
        if _is_users(frame.f_code.co_filename):
            return _place(frame.f_code.co_filename, frame.f_lineno)
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name == "examine":
            break
        frame = frame.f_back
    return f"the operation {name.strip('_')}"


def _in_custom_function(frame: FrameType | None) -> bool:
    """Whether an autograd.Function is at work, which has no gradients inside forward."""
    while frame is not None:
        if frame.f_code.co_name == "apply" and frame.f_code.co_filename.endswith("function.py"):
            return True
        frame = frame.f_back
    return False


def _is_users(path: str) -> bool:
    of_python = path.startswith(_PYTHONS) and "-packages" not in path  # those of installed libraries may lie inside
    return not (of_python or path.startswith(_NOT_USERS))


def _place(path: str, line: int) -> str:
    code = linecache.getline(path, line).strip()
    return f"`{code[:80]}` ({Path(path).name}, line {line})" if code else f"{Path(path).name}, line {line}"
