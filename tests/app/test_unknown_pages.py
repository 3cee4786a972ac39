"""Numbers that were found: in the run of a solve, on its pages and in an exported predictor."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import safetensors

from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import confirmed
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.export import save_predictor
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.solves import SolveStore
from tests.app.conftest import Opener, html
from tests.core.test_unknowns import decay


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("unknown")
    bundle = save_problem(folder / "decay", decay())
    settings = {"search": False, "rank": 30}
    made = create(RunStore(folder / "runs"), bundle, RefineConfig(), owner="tests", kind="solve", settings=settings)
    execute(made)
    return made


def test_the_run_holds_the_number_and_a_predictor_that_gives_it(done: Run) -> None:
    summary = SolveStore(done.path).summary()
    assert summary is not None
    found = summary.unknowns["k"]
    assert done.summary.unknowns["k"] == found
    problem, delta = confirmed(done, done.summary.rank)
    last = list(problem.model.parameters())[-1]
    assert float(last[-1].detach() + delta[-1]) == pytest.approx(found.value)


def test_pages_show_the_number_with_its_deviation(done: Run, open_page: Opener, store: RunStore) -> None:
    shutil.copytree(done.path, store.root / done.id)
    shown = html(open_page("overview", run=done.id))
    found = done.summary.unknowns["k"]
    assert f"{found.value:.6g}" in shown
    assert "Weight of the equation" in shown


def test_an_exported_predictor_says_the_number(done: Run, tmp_path: Path) -> None:
    problem, delta = confirmed(done, done.summary.rank)
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, done.summary.model_dump())
    with safetensors.safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["lsr_predictor"])
    assert header["unknowns"]["k"]["value"] == done.summary.unknowns["k"].value
