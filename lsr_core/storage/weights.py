"""Weights from safetensors files, checked against the network they are for."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.answers import dtype_name
from lsr_core.networks.taking import in_precision
from lsr_core.problems.physics import (
    equations as equations,  # registers the hard conditions that networks are built with
)
from lsr_core.storage import digests, inside

MAX_BYTES = 4 * 2**30
MAX_HEADER_BYTES = 8 * 2**20
MAX_TENSORS = 20_000
MAX_NAME = 500
MAX_DIMENSIONS = 16
_PAIRS = "complex128"  # key of a header
_TYPES = {"F64", "F32", "F16", "BF16", "C64", "I64", "I32", "I16", "I8", "U8", "BOOL"}


def read_tensors(path: Path, max_bytes: int = MAX_BYTES) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a safetensors file, in memory of their own, and the strings of its header.

    Raises:
        InputError: missing, no plain file, larger than `max_bytes`, not the one that was written, truncated, or not safetensors.
    """
    name = path.name
    try:
        with digests.opened(path, max_bytes) as stream:
            metadata = _checked_header(stream, name)
            stream.seek(0)
            tensors = _as_they_were(safetensors.torch.load(inside.all_of(stream, path, max_bytes)), metadata)
    except InputError:
        raise
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        AttributeError,
        RecursionError,
        struct.error,
    ) as error:
        raise InputError("not a complete safetensors file; it may be truncated, save it again", file=name) from error
    return {key: tensor.clone() for key, tensor in tensors.items()}, metadata


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Tensors as a safetensors file, which knows no complex numbers of double precision: they are pairs there, which its header names."""
    pairs = [name for name, tensor in tensors.items() if tensor.dtype == torch.complex128]
    plain = {
        name: torch.view_as_real(tensor).contiguous() if name in pairs else tensor for name, tensor in tensors.items()
    }
    header = {**(metadata or {}), **({_PAIRS: json.dumps(pairs)} if pairs else {})}
    safetensors.torch.save_file(plain, path, metadata=header or None)


def _as_they_were(tensors: dict[str, Tensor], metadata: dict[str, str]) -> dict[str, Tensor]:
    pairs = json.loads(metadata.pop(_PAIRS, "[]"))
    return {name: torch.view_as_complex(tensor) if name in pairs else tensor for name, tensor in tensors.items()}


def _checked_header(stream: BufferedReader, file: str) -> dict[str, str]:
    """The strings of the header, once the numbers of tensors and dimensions, the names and the types are within bounds.

    The library that reads the file checks offsets; what it is asked to build is bounded here, before it builds it.
    """
    (length,) = struct.unpack("<Q", stream.read(8))
    if length > os.fstat(stream.fileno()).st_size:
        raise ValueError("cut short, or no such file")
    if length > MAX_HEADER_BYTES:
        raise InputError(f"has a header of {length:,} bytes; at most {MAX_HEADER_BYTES:,} are read", file=file)
    header = json.loads(stream.read(length))
    metadata: dict[str, str] = header.pop("__metadata__", {})
    if len(header) > MAX_TENSORS:
        raise InputError(f"holds {len(header):,} tensors; at most {MAX_TENSORS:,} are read", file=file)
    for name, entry in header.items():
        if len(name) > MAX_NAME:
            raise InputError(
                f"has a name of {len(name):,} characters; at most {MAX_NAME} are read", file=file, key=name[:80]
            )
        if len(entry["shape"]) > MAX_DIMENSIONS:
            raise InputError(
                f"has {len(entry['shape']):,} dimensions; at most {MAX_DIMENSIONS} are read", file=file, key=name[:80]
            )
        if entry["dtype"] not in _TYPES:
            raise InputError(f"has the type {str(entry['dtype'])[:20]}; save it as float32", file=file, key=name[:80])
    return metadata


def load_network(
    architecture: str, arguments: Mapping[str, Any], tensors: Mapping[str, Tensor], dtype: torch.dtype, file: str
) -> nn.Module:
    """Build a registered network around the given weights, without a random start of its own.

    Args:
        architecture: registered name.
        arguments: its JSON arguments.
        tensors: the whole state dict.
        dtype: what floating-point tensors must be stored in.
        file: named in messages about tensors.

    Raises:
        InputError: unknown architecture, or tensors that are missing, superfluous, of another shape or dtype, or
            not finite.
    """
    architectures.validate(architecture, arguments)
    with torch.device("meta"):
        model = architectures.build(architecture, arguments)
    return fill(model, tensors, dtype, file)


def fill(model: nn.Module, tensors: Mapping[str, Tensor], dtype: torch.dtype, file: str) -> nn.Module:
    """Put `tensors` into `model` after checking them; returns it in eval mode. Raises as `load_network`."""
    expected = model.state_dict()
    check_same_names(expected, tensors, file)
    for name, tensor in tensors.items():
        template = expected[name]
        wanted = in_precision(template, dtype).dtype
        if tensor.shape != template.shape:
            raise InputError(
                f"has the shape {tuple(tensor.shape)}, the network needs {tuple(template.shape)}", file=file, key=name
            )
        if tensor.dtype != wanted:
            raise InputError(f"is {dtype_name(tensor.dtype)}, expected {dtype_name(wanted)}", file=file, key=name)
        check_finite(tensor, file, name)
    model.load_state_dict(dict(tensors), assign=True)
    return model.eval().requires_grad_(True)


def check_same_names(expected: Mapping[str, Any], found: Mapping[str, Any], file: str, prefix: str = "") -> None:
    """Refuse missing and superfluous tensors."""
    if missing := [name for name in expected if name not in found]:
        more = f"; and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(f"this tensor is missing{more}; the network needs it", file=file, key=prefix + missing[0])
    if extra := sorted(set(found) - set(expected)):
        raise InputError(
            "this tensor is not part of the network; remove it or correct the architecture",
            file=file,
            key=prefix + extra[0],
        )


def check_finite(tensor: Tensor, file: str, name: str) -> None:
    """Refuse NaN and infinite values."""
    if (tensor.is_floating_point() or tensor.is_complex()) and not bool(torch.isfinite(tensor).all()):
        raise InputError("holds NaN or infinite values; export the weights of a healthy network", file=file, key=name)
