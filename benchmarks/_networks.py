"""One small network of every kind that can leave in a file, and many files read by one process; for the matrix of exports and its test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import architectures
from lsr_core.networks.transforms import names as conditions
from lsr_core.portable.check import RUNNER, reader_text
from lsr_core.problems.splits import Architecture, Split

DOMAIN = {"x": [-1.0, 1.0], "t": [0.0, 1.0]}
FEATURES = [{"kind": "periodic", "input": "x", "period": 2.0, "harmonics": 2}, {"kind": "fourier", "count": 4}]
PINN: dict[str, Any] = {"layers": [2, 8, 1], "domain": DOMAIN, "features": FEATURES}
OPERATOR = {"width": 3, "depth": 2, "lifting": 4, "projection": 4}
SEQUENCE = {"length": 4, "features": 3, "outputs": 2, "width": 4, "heads": 2, "depth": 1, "feedforward": 6}
NETWORKS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    **{
        f"mlp, {name}": ("mlp", {"layers": [2, 8, 8, 2], "activation": name, "normalise_inputs": True}, (2,))
        for name in ("tanh", "relu", "gelu", "silu", "sin")
    },
    "modified-mlp": ("modified-mlp", {"layers": [2, 6, 6, 1]}, (2,)),
    "pinn-mlp, features": ("pinn-mlp", PINN, (2,)),
    **{f"pinn-mlp, `{name}`": ("pinn-mlp", {**PINN, "output": {"name": name}}, (2,)) for name in conditions()},
    "deeponet": ("deeponet", {"branch": [6, 5, 4], "trunk": [1, 5, 4], "grid": {"points": 3}}, (6,)),
    "deeponet-field": ("deeponet-field", {"branch": [4, 6, 5], "trunk": [2, 6, 5]}, (2,)),
    "multionet": ("multionet", {"sensors": 6, "width": 5, "depth": 2, "grid": {"points": 7}}, (6,)),
    "fno-1d": ("fno-1d", {"points": 16, "width": 3, "depth": 2, "modes": 5}, (16,)),
    "fno-2d": ("fno-2d", {"grid": [6, 9], "width": 2, "depth": 2, "modes": [2, 3]}, (54,)),
    "neuraloperator-fno, 1d": ("neuraloperator-fno", {**OPERATOR, "grid": [16], "modes": [5]}, (16,)),
    "neuraloperator-fno, 2d": (
        "neuraloperator-fno", {**OPERATOR, "grid": [6, 8], "modes": [4, 3], "channel_mlp": 2}, (48,),
    ),
    "cnn-classifier": ("cnn-classifier", {"image": [1, 8, 8], "channels": [2, 3], "hidden": 4, "classes": 3}, (1, 8, 8)),
    "transformer-regressor": ("transformer-regressor", SEQUENCE, (4, 3)),
}  # fmt: skip


def problem(name: str) -> SupervisedProblem:
    """The network at a random start, fitted to nothing yet: 300 random inputs, as many others for the test, a wave of what it gives."""
    architecture, arguments, shape = NETWORKS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = architectures.build(architecture, arguments).double()
        inputs = torch.rand(600, *shape, dtype=torch.float64)
        for key, buffer in model.named_buffers():
            if key in ("input_mean", "sensors"):
                buffer.copy_(torch.rand_like(buffer))  # zeros would hide a branch
    with torch.no_grad():
        targets = torch.sin(3 * model(inputs))
    halves = [Split(inputs[part], targets[part]) for part in (slice(300), slice(300, None))]
    return SupervisedProblem(name, model, halves[0], test=halves[1], architecture=Architecture(architecture, arguments))


ALL_AT_ONCE = """
import json, sys, traceback
import importlib.util
spec = importlib.util.spec_from_file_location("runner", sys.argv[1])
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)
for order in json.loads(sys.argv[2]):
    try:
        runner.main(order)
    except Exception:
        traceback.print_exc()
assert sys.modules["lsr_core"] is None
"""


def read_together(files: Sequence[tuple[str, Path, Mapping[str, Tensor]]]) -> tuple[list[dict[str, Tensor]], str]:
    """What files compute of their inputs, all read by one fresh process without this package; nothing of one that cannot be read.

    Args:
        files: form, path and named inputs of each.

    Returns:
        Outputs by the names of the inputs, and what the process said about the files that it could not read.
    """
    orders = []
    for form, path, inputs in files:
        given = path.with_name(path.name + ".given.npz")
        np.savez(given, allow_pickle=False, **{name: value.numpy() for name, value in inputs.items()})
        reader = path.with_name(path.name + ".reader.py")
        reader.write_text(reader_text(form), encoding="utf-8")
        orders.append([str(reader), str(path), str(given), str(path.with_name(path.name + ".results.npz"))])
    command = [sys.executable, "-P", "-c", ALL_AT_ONCE, str(RUNNER), json.dumps(orders)]
    done = subprocess.run(command, cwd=files[0][1].parent, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, Tensor]] = []
    for *_, results in orders:
        found.append({})
        if Path(results).is_file():
            with np.load(results, allow_pickle=False) as read:
                found[-1] = {name: torch.from_numpy(read[name]) for name in read.files}
    return found, done.stderr
