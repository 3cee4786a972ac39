"""What Python refines, the command line's job, the run on disk, the pages' reader and the exports take too, with the same figures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

from lsr_app.reading import rundata
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import confirmed
from lsr_core.jobs.worker import execute
from lsr_core.portable.check import BATCHES, evaluate, spread, standalone_of
from lsr_core.portable.graph import explicit
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.storage import bundles, code_problems
from lsr_core.storage.runs import RunStore
from tests.core import zoo

QUICK = (
    "complex layer",
    "embedding",
    "image to image",
    "attention",
    "classic function",
    "two arguments and a dict, wrapped",
    "once differentiable",
)
ONNX = all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxscript", "onnxruntime"))
NO_ONNX = {  # refused: a size that its exporter cannot prove; rows written in place
    "attention", "transformer encoder", "language", "zeros filled",
}  # fmt: skip
CONFIG = RefineConfig(max_rank=3, rank=2)


def through(name: str, folder: Path, forms: list[str]) -> None:
    """From the file that makes the network to the files that leave, and nothing changes on the way."""
    made = code_problems.from_file(f"{zoo.__file__}:{zoo.identifier(name)}")
    memory = refine(made, CONFIG)
    run = create(RunStore(folder / "runs"), bundles.save_problem(folder / "bundle", made), CONFIG, owner="zoo")
    execute(run)
    assert run.summary.refined.test_mse == pytest.approx(memory.summary.refined.test_mse, rel=1e-6, abs=1e-20)
    data = rundata.read(run)
    assert data.n_outputs == memory.setting.n_outputs
    _, delta = confirmed(run, run.summary.rank)
    assert torch.allclose(delta, memory.delta, rtol=1e-6, atol=1e-9 * float(memory.delta.abs().max()))
    inputs = made.train.inputs  # type: ignore[attr-defined]
    batches = {f"batch_{size}": spread(inputs, size) for size in BATCHES}
    wanted = {key: memory.predictor.predict(batch) for key, batch in batches.items()}
    largest = max(float(values.abs().max()) for values in wanted.values())  # a single sample less its own mean is zero
    for form in forms:
        standalone, path = standalone_of(form), folder / form
        graph = explicit(memory.predictor, inputs[:2], plain=standalone.plain)
        if form == "onnx" and name in NO_ONNX:
            with pytest.raises(InputError):
                standalone.write(path, graph, inputs[:2], name)
            continue
        standalone.write(path, graph, inputs[:2], name)
        found = evaluate(path, form, batches)
        for key, values in wanted.items():
            assert found[key].shape == values.shape
            assert float((found[key] - values).abs().max()) <= 1e-12 * largest, (name, form, key)


def test_there_are_sixty_and_their_names_are_functions() -> None:
    assert len(zoo.CASES) >= 60
    assert len({zoo.identifier(name) for name in zoo.CASES}) == len(zoo.CASES)


@pytest.mark.parametrize("name", QUICK)
def test_some(name: str, tmp_path: Path) -> None:
    through(name, tmp_path, ["python"])


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.CASES)
def test_all(name: str, tmp_path: Path) -> None:
    through(name, tmp_path, ["pt2", "python", "onnx"] if ONNX else ["pt2", "python"])
