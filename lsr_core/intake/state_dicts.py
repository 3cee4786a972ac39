"""State dicts of networks made elsewhere: tensors by name, without wrappers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.intake import arrayed, confined, packed, subnetworks
from lsr_core.intake.arrays import MAX_FILE_BYTES
from lsr_core.intake.natural import natural
from lsr_core.intake.subnetworks import SeveralNetworks
from lsr_core.storage.weights import read_tensors

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".tar", *arrayed.SUFFIXES, *packed.SUFFIXES)
_EARLY, _LATE = (
    ("encode", "encoder", "enc_", "input"),
    ("decode", "decoder", "dec_", "head", "output", "out_", "final", "last"),
)
_PREFIXES = ("module.", "_orig_mod.", "_module.", "state_dict.", "model_state_dict.", "model_state.")


def read(path: Path, network: str = "") -> dict[str, Tensor]:
    """The floating-point tensors of a checkpoint, in a file with one of `SUFFIXES`.

    Those of a `.pt` come in the order in which they were registered; a `.safetensors` does not keep it, nor a dictionary that was sorted, and gives
    that of the names, parts called encoder before others and parts called decoder, head or output after them.

    Nothing is unpickled here: a `.pt` is scanned first, then read by `torch.load(weights_only=True)` in a child process.

    Args:
        network: key of the network that is meant, or the first part of its tensors' names, where a file holds several; `TOGETHER` for
            one that is made of all of them.

    Raises:
        SeveralNetworks: it does, and none is named.
        InputError: not such a file, damaged, too large, or a pickled module or TorchScript.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"holds no weights that are read; choose one of {', '.join(SUFFIXES)}", file=path.name)
    if not path.is_file():
        raise InputError("this file is missing", file=path.name)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"is larger than the {MAX_FILE_BYTES:,} bytes allowed", file=path.name)
    if path.suffix in packed.SUFFIXES:
        tensors, named = _unpacked(path, network)
    else:
        tensors, named = _one(path, network)
    if not tensors:
        raise InputError("holds no tensors; save `model.state_dict()`", file=path.name)
    return _checked(
        unwrapped(subnetworks.only(unwrapped(tensors), "" if named else network, path.name, ask=not named)), path.name
    )


def _unpacked(path: Path, network: str) -> tuple[dict[str, Tensor], bool]:
    """As `_one`, of the files in an archive."""
    tensors: dict[str, Tensor] = {}
    named = False
    with tempfile.TemporaryDirectory(prefix="lsr-intake-") as scratch:
        for name in confined.call("unpack", path, out=scratch):
            try:
                part, named = _one(Path(scratch) / name, network)
            except SeveralNetworks as error:
                raise SeveralNetworks(error.names, path.name) from error
            except InputError as error:
                raise InputError(error.message, file=path.name, key=error.key) from error
            if twice := set(part) & set(tensors):
                raise InputError("is in two of the packed files; pack one", file=path.name, key=min(twice)[:80])
            tensors |= part
    return tensors, named


def _one(path: Path, network: str) -> tuple[dict[str, Tensor], bool]:
    """The tensors of a file that is no archive of files, and whether the network was found by its key."""
    if path.suffix == ".safetensors":
        tensors, _ = read_tensors(path, MAX_FILE_BYTES)
        return {name: tensors[name] for name in sorted(tensors, key=_by_name)}, False
    if path.suffix in arrayed.SUFFIXES:
        return arrayed.tensors(path), False
    confined.call("scan", path)  # without torch, whose import takes longer than most scans
    with tempfile.TemporaryDirectory(prefix="lsr-intake-") as scratch:
        converted = Path(scratch) / "weights.safetensors"
        told = confined.call("weights", path, memory=16 * 2**30, out=str(converted), network=network)
        if "networks" in told:
            raise SeveralNetworks(told["networks"], path.name)
        tensors, _ = read_tensors(converted, 8 * MAX_FILE_BYTES)
        order = told["order"]
        if order == sorted(
            order
        ):  # sorted when it was saved, by which layer10 stands before layer2, and a decoder first
            order = sorted(order, key=_by_name)
        return {name: tensors[name] for name in order}, bool(told["named"])


def _by_name(name: str) -> tuple[int, list[tuple[int, int, str]]]:
    parts = name.lower().split(".")
    early = any(part.startswith(_EARLY) for part in parts)
    late = any(part.startswith(_LATE) for part in parts)
    return (0 if early else 2 if late else 1), natural(name)


def unwrapped(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors without the prefixes that wrappers of training leave on every name."""
    names = dict(tensors)
    while True:
        prefix = next((p for p in _PREFIXES if names and all(name.startswith(p) for name in names)), None)
        if prefix is None:
            return names
        names = {name.removeprefix(prefix): tensor for name, tensor in names.items()}


def _checked(tensors: dict[str, Tensor], file: str) -> dict[str, Tensor]:
    found = {}
    for name, tensor in tensors.items():
        if tensor.dtype in (torch.int64, torch.int32) and tensor.ndim == 0:
            continue  # counters, such as those of batch normalisation
        if not (tensor.is_floating_point() or tensor.is_complex()):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise InputError(f"is {kind}; weights are floating-point numbers", file=file, key=name[:80])
        if tensor.dtype in (torch.float16, torch.bfloat16):
            tensor = tensor.float()
        if not torch.isfinite(torch.view_as_real(tensor) if tensor.is_complex() else tensor).all():
            raise InputError("holds NaN or infinite values; export a healthy network", file=file, key=name[:80])
        found[name] = tensor
    kinds = {tensor.dtype for tensor in found.values()}
    if kinds & {torch.float64, torch.complex128} and kinds & {torch.float32, torch.complex64}:
        found = {name: t.to(torch.complex128 if t.is_complex() else torch.float64) for name, t in found.items()}
    return found
