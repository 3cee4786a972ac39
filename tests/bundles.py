"""Tiny bundles for tests: written by hand, so that each part can be spoilt by itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from lsr_core.networks import architectures

LAYERS = [2, 5, 1]


def tensors(dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    """The state dict of a 2-5-1 network (21 parameters)."""
    return tensors_of({"layers": LAYERS}, dtype)


def tensors_of(arguments: dict[str, Any], dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor]:
    """The same of an MLP by its arguments."""
    generator = torch.Generator().manual_seed(3)
    state = architectures.build("mlp", arguments).state_dict()
    return {name: torch.randn(value.shape, generator=generator, dtype=dtype) / 2 for name, value in state.items()}


def arrays(rows: int = 24) -> dict[str, np.ndarray]:
    """Data of u = sin(x)·y, each split with `rows` rows."""
    generator = np.random.default_rng(5)
    data = {}
    for split in ("train", "validation", "test"):
        inputs = generator.uniform(-1, 1, (rows, 2))
        data[f"{split}_inputs"] = inputs
        data[f"{split}_targets"] = np.sin(inputs[:, :1]) * inputs[:, 1:]
    return data


def description(**changes: Any) -> dict[str, Any]:
    return {
        "format_version": 1,
        "kind": "supervised",
        "name": "tiny",
        "title": "Tiny",
        "description": "",
        "network": {"architecture": "mlp", "arguments": {"layers": LAYERS}},
        "dtype": "float64",
        "seeds": {"data": 5},
        "training": {"epochs": 0},
        "inputs": [{"name": "x", "unit": "m"}, {"name": "y"}],
        "outputs": [{"name": "u"}],
        **changes,
    }


def write(
    folder: Path,
    *,
    problem: dict[str, Any] | None = None,
    weights: dict[str, torch.Tensor] | bytes | None = None,
    data: dict[str, np.ndarray] | bytes | None = None,
    pickles: bool = False,
) -> Path:
    """Write a bundle whose digests match whatever its files hold."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = tensors() if weights is None else weights
    (folder / "model.safetensors").write_bytes(
        weights if isinstance(weights, bytes) else safetensors.torch.save(weights)
    )
    data = arrays() if data is None else data
    if isinstance(data, bytes):
        (folder / "data.npz").write_bytes(data)
    else:
        np.savez_compressed(folder / "data.npz", allow_pickle=pickles, **data)
    files = {}
    for name in ("model.safetensors", "data.npz"):
        content = (folder / name).read_bytes()
        files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    text = {"files": files, **(problem or description())}
    (folder / "problem.json").write_text(json.dumps(text), encoding="utf-8")
    return folder
