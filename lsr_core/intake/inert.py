"""Names that checkpoints carry beside their tensors, and what stands in for each: nothing is imported for them.

Training libraries write settings, records of training and whole objects into the same pickle as the weights. The names below are known to
be harmless data; where a file has one, an object is put that takes anything and does nothing. All other names are refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

_MAPPINGS = {
    "collections.defaultdict", "lightning.fabric.utilities.data.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict", "lightning.pytorch.utilities.parsing.AttributeDict",
}  # fmt: skip
_VALUES = {
    "argparse.Namespace", "types.SimpleNamespace", "_codecs.encode", "copyreg._reconstructor", "typing.Any",
    "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy._core.numeric._frombuffer",
    "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib._local.PosixPath", "pathlib._local.WindowsPath",
    "datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone", "torch.torch_version.TorchVersion",
}  # fmt: skip
_BUILTINS = (
    "bool",
    "bytearray",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "range",
    "set",
    "slice",
    "str",
    "tuple",
)
_DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int64", "int32", "bool")
# Functions and classes of these modules are settings: an activation, a layer type, an optimiser, a configuration.
_MODULES = (
    "torch._C._nn.", "torch.nn.functional.", "torch.nn.init.", "torch.nn.modules.", "torch.optim.", "torch.nn.utils.parametriz",
    "neuralop.", "tltorch.", "pina.", "deepxde.", "physicsnemo.", "modulus.", "lightning.", "lightning_fabric.", "pytorch_lightning.",
    "omegaconf.", "transformers.trainer_utils.", "transformers.training_args.", "accelerate.",
)  # fmt: skip
_TORCH_FUNCTIONS = {f"torch.{name}" for name in ("tanh", "sin", "cos", "relu", "sigmoid", "exp")}
_LEFT_TO_TORCH = {"_codecs.encode"}


class Inert:
    """Takes whatever it is called with; keeps the attributes that a pickle would have given to the object it stands for."""

    attributes: dict[str, Any]

    def __new__(cls, *_: Any) -> Inert:
        made = super().__new__(cls)
        made.attributes = {}
        return made

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.attributes = state


def _mapping(*_: Any) -> OrderedDict[Any, Any]:
    return OrderedDict()


def accepts(name: str) -> bool:
    """Whether a name, `module.qualified_name`, is of harmless data."""
    module, _, last = name.rpartition(".")
    if module == "builtins":
        return last in _BUILTINS
    known = _VALUES | _MAPPINGS | _TORCH_FUNCTIONS | {f"torch.{dtype}" for dtype in _DTYPES}
    return name in known or name.startswith(_MODULES)


def stand_ins(names: Iterable[str]) -> list[Callable[..., Any] | tuple[Callable[..., Any], str]]:
    """What torch's restricted reader is given for these names, those among them that are accepted."""
    found: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = []
    for name in names:
        if not accepts(name) or name in _LEFT_TO_TORCH:
            continue
        if name == "collections.defaultdict":
            found.append((_mapping, name))
        elif name in _MAPPINGS:
            found.append((OrderedDict, name))
        else:
            found.append((type("Inert", (Inert,), {"stands_for": name}), name))
    return found
