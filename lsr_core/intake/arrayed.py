"""Weights of Keras, Flax and Haiku as named arrays in an HDF5 or NumPy file, named and turned as PyTorch has them."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from lsr_core.intake import tables
from lsr_core.intake.natural import natural

SUFFIXES = (".h5", ".hdf5", ".npz")
_NAMES = (  # how the name of an array ends, what PyTorch calls it, and whether it is stored (inputs, outputs)
    (re.compile(r"(^|[/.])kernel(:0)?$"), "weight", True),
    (re.compile(r"(^|[/.])vars/0$"), "weight", True),
    (re.compile(r"(^|[/.])w$"), "weight", True),
    (re.compile(r"(^|[/.])vars/1$"), "bias", False),
    (re.compile(r"(^|[/.])bias(:0)?$"), "bias", False),
    (re.compile(r"(^|[/.])b$"), "bias", False),
)  # fmt: skip
_OF_TRAINING = ("optimizer", "opt_state", "optimizer_weights")


def tensors(path: Path) -> dict[str, Tensor]:
    """The arrays of a file as tensors, layers in the order of their names, where 10 comes after 9.

    A matrix that is called kernel or w is stored (inputs, outputs) and is turned.

    Raises:
        InputError: as `tables.read`.
    """
    listed = (info for info in tables.listing(path) if not info.unusable)
    names = [info.name for info in listed if not info.name.lower().startswith(_OF_TRAINING)]
    arrays = tables.read(path, names)
    found = {}
    for name in sorted(names, key=lambda name: natural(name.replace(":0", ""))):
        tensor = torch.from_numpy(arrays[name])
        own, turned = _renamed(name)
        found[own] = tensor.T.contiguous() if turned and tensor.ndim == 2 else tensor
    return found


def _renamed(name: str) -> tuple[str, bool]:
    for pattern, own, turned in _NAMES:
        if match := pattern.search(name):
            stem = name[: match.start()].replace("/", ".")
            return f"{stem}.{own}" if stem else own, turned
    return name.replace("/", "."), False
