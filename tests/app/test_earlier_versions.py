"""Bundles, runs and predictor files that earlier versions wrote are read as they were meant (tests/earlier/make.py made them)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import lsr_core
from lsr_app.reading import runkinds
from lsr_core.jobs.rebuild import confirmed
from lsr_core.storage.bundles import load_problem, read_description
from lsr_core.storage.checking import damage
from lsr_core.storage.runs import Run, RunStore
from tests.app.conftest import Opener
from tests.earlier.make import COMMITS, MADE

BUNDLES = sorted(path.parent for path in MADE.glob("*/*/problem.json"))
RUNS = sorted(path.parent for path in MADE.glob("*/runs/*/run.json"))


def name(path: Path) -> str:
    return "-".join(path.relative_to(MADE).parts).replace("-runs", "")[:20]


def printed(commit: str) -> list[dict[str, Any]]:
    """What the commands of that version printed."""
    found: list[dict[str, Any]] = json.loads((MADE / commit / "printed.json").read_text(encoding="utf-8"))
    return found


def refinements() -> list[Any]:
    return [
        pytest.param(MADE / commit / "runs" / record["run"], record, id=f"{commit}-{record['command'][1]}")
        for commit in COMMITS
        for record in printed(commit)
        if record["command"][0] == "refine" and "--cases" not in record["command"]
    ]


def test_there_are_files_of_every_version() -> None:
    assert {path.name for path in MADE.iterdir()} == set(COMMITS)
    for commit, (_, commands) in COMMITS.items():
        assert [tuple(record["command"]) for record in printed(commit)] == list(commands)
    assert {Run(path).manifest.format_version for path in RUNS} == {1, 2}


@pytest.mark.parametrize("folder", BUNDLES, ids=name)
def test_a_bundle_is_read(folder: Path) -> None:
    assert load_problem(folder).name == "tiny"
    assert len(read_description(folder).checkpoints) == (2 if folder.name == "along" else 0)


@pytest.mark.parametrize(("path", "record"), refinements())
def test_a_refinement_yields_the_figures_that_were_printed(path: Path, record: dict[str, Any]) -> None:
    run = Run(path)
    summary = run.summary
    assert summary.rank == record["rank"]
    for when in ("base", "refined"):
        kept = getattr(summary, when).model_dump()
        assert {key: kept[key] for key in record[when]} == record[when]
    assert len(run.sweep.train_mse) > summary.rank
    assert run.spectrum.singular_values.size
    assert torch.isfinite(torch.from_numpy(run.fields.targets)).all()
    problem, delta = confirmed(run, summary.rank)  # measures the error of the step, and refuses another than was noted
    assert delta.numel() == sum(one.numel() for one in problem.model.parameters())


@pytest.mark.parametrize("commit", COMMITS)
def test_a_predictor_file_answers_with_the_error_that_was_printed(commit: str) -> None:
    predictor = lsr_core.load_predictor(MADE / commit / "predictor.safetensors")
    test = load_problem(MADE / commit / "tiny").test
    error = torch.mean((predictor(test.inputs) - test.targets) ** 2)
    assert float(error) == pytest.approx(printed(commit)[0]["refined"]["test_mse"], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNS, ids=name)
def test_a_run_is_whole_and_its_page_draws_it(path: Path, store: RunStore, open_page: Opener) -> None:
    assert damage(path) == []
    shutil.copytree(path, store.root / path.name)
    manifest = Run(path).manifest
    app = open_page(runkinds.of(manifest).page or "overview", run=path.name)
    assert not app.error
    assert not app.warning
