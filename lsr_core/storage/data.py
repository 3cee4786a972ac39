"""`data.npz` of a bundle: the arrays that a kind of problem has, every one checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.splits import Split
from lsr_core.storage.arrays import read_arrays

DATA = "data.npz"
SPLITS = ("train", "validation", "test", "grid")


def read_splits(path: Path, *, integers: bool = False) -> dict[str, Split]:
    """Inputs and targets of a supervised problem: of `train`, and of the other splits as far as they are there.

    Args:
        integers: whether inputs may be whole numbers, which networks made by code look up.

    Raises:
        InputError: naming the array at fault.
    """
    required, *others = ([f"{split}_inputs", f"{split}_targets"] for split in SPLITS)
    arrays = read_arrays(path, required=required, optional=[name for pair in others for name in pair])
    for inputs_name, targets_name in others:
        if (inputs_name in arrays) != (targets_name in arrays):
            raise InputError(
                f"both {inputs_name} and {targets_name} are needed, or neither", file=DATA, key=inputs_name
            )
    tensors = {key: _tensor(array, key, integers=integers and key.endswith("_inputs")) for key, array in arrays.items()}
    splits = {}
    for split in SPLITS:
        if f"{split}_inputs" not in tensors:
            continue
        inputs, targets = tensors[f"{split}_inputs"], tensors[f"{split}_targets"]
        if len(inputs) != len(targets):
            raise InputError(
                f"has {len(targets)} rows, {split}_inputs has {len(inputs)}; they must be as many",
                file=DATA,
                key=f"{split}_targets",
            )
        for part, tensor in (("inputs", inputs), ("targets", targets)):
            wanted = tensors[f"train_{part}"].shape[1:]
            if tensor.shape[1:] != wanted:
                raise InputError(
                    f"one row has the shape {shape_of(tensor)}, in train it is {shape_of(tensors[f'train_{part}'])}",
                    file=DATA,
                    key=f"{split}_{part}",
                )
        splits[split] = Split(inputs, targets)
    return splits


def _tensor(array: np.ndarray, key: str, *, integers: bool = False) -> Tensor:
    whole = integers and array.dtype.kind in "iu"
    if not whole and (array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8)):
        raise InputError(f"is {array.dtype}; save it as float64 or float32", file=DATA, key=key)
    wanted = 2 if key.endswith("_targets") else None
    if array.ndim < 2 or (wanted and array.ndim != wanted):
        expected = "(rows, outputs)" if wanted else "(rows, inputs)"
        raise InputError(f"has the shape {array.shape}; expected {expected}", file=DATA, key=key)
    if array.size == 0:
        raise InputError(f"is empty, its shape is {array.shape}; at least one row is needed", file=DATA, key=key)
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        raise InputError(
            f"{bad:,} of {array.size:,} values are NaN or infinite; remove or repair them", file=DATA, key=key
        )
    return torch.from_numpy(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")))


def read_points(path: Path, blocks: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Split]]:
    """Fitted and fresh points by block, as far as they are stored, and the splits test and grid.

    Raises:
        InputError: naming the array at fault.
    """
    kinds = ("points", "fresh")
    known = [f"{kind}_{name}" for kind in kinds for name in blocks]
    parts = [f"{split}_{part}" for split in ("test", "grid") for part in ("inputs", "targets")]
    arrays = read_arrays(path, optional=[*known, *parts])
    tensors = {key: _tensor(array, key) for key, array in arrays.items()}
    splits = {}
    for split in ("test", "grid"):
        pair = [tensors.get(f"{split}_{part}") for part in ("inputs", "targets")]
        inputs, targets = pair
        if inputs is None and targets is None:
            continue
        if inputs is None or targets is None:
            raise InputError(
                f"both {split}_inputs and {split}_targets are needed, or neither", file=DATA, key=f"{split}_inputs"
            )
        if len(inputs) != len(targets):
            raise InputError(
                f"has {len(targets)} rows, {split}_inputs has {len(inputs)}; they must be as many",
                file=DATA,
                key=f"{split}_targets",
            )
        splits[split] = Split(inputs, targets)
    points, fresh = (
        {name: tensors[f"{kind}_{name}"] for name in blocks if f"{kind}_{name}" in tensors} for kind in kinds
    )
    return points, fresh, splits


def arrays_of(splits: Mapping[str, Split]) -> dict[str, np.ndarray]:
    """Inputs and targets by their names in the file, targets as (n, o), as a refinement sees them."""
    arrays = {}
    for name, (inputs, targets) in splits.items():
        arrays[f"{name}_inputs"] = inputs.detach().cpu().numpy()
        arrays[f"{name}_targets"] = targets.detach().cpu().reshape(len(targets), -1).numpy()
    return arrays


def shape_of(tensor: Tensor) -> str:
    """Shape of one row."""
    return "x".join(str(length) for length in tensor.shape[1:]) or "()"
