"""A method is added to the race in one place: it runs in a job, its record is read and drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lsr_app.reading import racedata
from lsr_app.screens.conditioning import racefigures as figures
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.lab.methods import METHODS, RaceMethod, iterated
from lsr_core.lab.records import RaceRecord
from lsr_core.linalg.operators import LinearOperator
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.runs import RunStore
from tests import bundles


def steepest(operator: LinearOperator, rhs: Tensor) -> Iterator[Tensor]:
    """Steepest descent with the exact step."""
    y = torch.zeros(operator.shape[1], dtype=rhs.dtype)
    for _ in itertools.count():
        slope = operator.rmatvec(rhs - operator.matvec(y))
        y = y + slope @ slope / operator.matvec(slope).square().sum() * slope
        yield y


def test_a_method_runs_in_a_race_and_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "toy", RaceMethod(iterated(steepest, {"step": "exact"})))
    store, folder = RunStore(tmp_path / "runs"), bundles.write(tmp_path / "tiny")
    run = queue.create(
        store, folder, RefineConfig(max_rank=5), owner="o", kind="race", settings={"iterations": 30, "dtype": "float64"}
    )
    execute(run)
    record = read_experiment(run.path, RaceRecord)
    assert record is not None
    assert record.complete
    toys = [method for method in record.methods if method.name == "toy"]
    assert [method.coordinates for method in toys] == ["original", "whitened"]
    assert all(0 < method.curve.excess[-1] < 0.9 * method.curve.excess[0] for method in toys[:1])
    assert toys[1].times_floor == pytest.approx(1.0)
    lines = racedata.shown(record, "float64", "original", reorthogonalised=False)
    assert "toy" in [method.name for method in lines]
    axes = figures.reach(record, lines, "iterations")
    picture = figures.courses(record, lines, "original", axes, against="iterations", panel=False)
    assert "toy" in [trace.name for trace in picture.figure.data]
    assert "toy" in {row[0] for row in picture.rows()}
    assert [glyph for glyph, _, words in figures.key(record, lines, against="iterations") if words == "toy"] == ["━"]
