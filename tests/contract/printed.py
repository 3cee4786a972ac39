"""What the commands print with `--json`: each is run on the smallest problem that it takes."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import lsr_samples
from lsr_app import cli
from lsr_core.storage.bundles import load_problem, save_problem
from tests import bundles
from tests.core.test_solver import logistic
from tests.foreign.networks import FOREIGN

OPEN = {
    "timings",
    "scales",
    "baselines",
    "condition_numbers",
    "relative_l2_by_output",
    "arguments",
    "tensors",
}  # keys that are data
SMALLER = {
    "lsr_core.iteration.baselines.LOOKS": 1,
    "lsr_core.diagnosis.plane.LEVELS": (3,),
    "lsr_core.refinement.scale_search.TOGETHER": (1.0,),
    "lsr_core.refinement.scale_search.STAGES": ((1.0, 2.0),),
}
SHIPPED = "5f0c1a7e9b3d4c268a1be0d7f4932c61"


def printed_keys(folder: Path) -> list[str]:
    """Lines such as `refine .base.test_mse`: keys of the object that a command prints and of what lies directly in it."""
    tiny = load_problem(bundles.write(folder / "tiny"))
    state = tiny.model.state_dict()
    half = {name: value / 2 for name, value in state.items()}
    save_problem(folder / "along", tiny, checkpoints={0: half, 1: state})
    save_problem(folder / "logistic", logistic())
    runs = ["--runs", str(folder / "runs")]
    few = ["--max-rank", "8"]
    made = _printed("refine", folder / "tiny", *few, *runs)
    commands: dict[str, list[Any]] = {
        "bring": [FOREIGN / "lightning.ckpt", FOREIGN / "lightning.npz", "--out", folder / "brought"],
        "samples": [], "runs": runs, "path": [made["run"], *runs], "fractions": [folder / "tiny", "--fractions", "1", *few, *runs],
        "export": [made["run"], "--format", "predictor", "--out", folder / "out.safetensors", *runs],
        "plane": [made["run"], *runs], "publish": [lsr_samples.runs_folder() / SHIPPED, "--out", folder / "site"],
        "conditioning": [folder / "tiny", "--rank", "4", "--iterations", "5", *runs],
        "isolate": [folder / "tiny", "--rank", "4", "--iterations", "2", *runs],
        "training": [folder / "along", *few, *runs], "scales": [folder / "logistic", "--rank", "2"],
        "train": [folder / "logistic", "--out", folder / "trained", "--steps", "2", "--no-follow"],
        "iterate": [folder / "logistic", "--steps", "1", "--no-baselines", "--align-steps", "2", "--max-rank", "8", *runs],
        "solve": [folder / "logistic", "--windows", "none", "--no-search", "--steps", "2", "--rank", "8", *runs],
    }  # fmt: skip
    with contextlib.ExitStack() as smaller:
        for name, value in SMALLER.items():
            smaller.enter_context(mock.patch(name, value))
        found = {"refine": made, **{name: _printed(name, *given) for name, given in commands.items()}}
    found["a command that fails"] = _printed("refine", folder / "nothing", code=2)
    return [f"{name} {path}" for name, record in found.items() for path in _paths(record, "", 2)]


def _printed(name: str, *arguments: object, code: int = 0) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        left = cli.run([name, *map(str, arguments), "--json"])
    assert left == code, f"lsr {name}: {err.getvalue()}"
    record: dict[str, Any] = json.loads(out.getvalue())
    return record


def _paths(value: object, path: str, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from _paths(entry, f"{path}[]", depth)
    elif isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield f"{path}.{key}"
            yield from _paths(inner, f"{path}.{key}", 0 if key in OPEN else depth - 1)
