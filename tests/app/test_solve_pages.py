"""A run of `lsr solve`: its job, what pages show of it, and the predictor that is given out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from lsr_app.cli import run as lsr
from lsr_app.shell import wanted
from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import confirmed
from lsr_core.jobs.worker import execute
from lsr_core.portable.measured import predictor_of
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.solves import SolveStore
from tests.app.conftest import Opener, html
from tests.core.test_continuation import growth
from tests.core.test_solver import logistic

SETTINGS = {"windows": 4, "tolerance": 1e-7}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("solve")
    bundle = save_problem(folder / "logistic", logistic())
    made = create(RunStore(folder / "runs"), bundle, RefineConfig(), owner="tests", kind="solve", settings=SETTINGS)
    execute(made)
    return made


def test_the_run_holds_every_attempt_and_what_came_of_them(done: Run) -> None:
    kept = SolveStore(done.path)
    steps, summary = kept.steps(), kept.summary()
    assert summary is not None
    assert summary.solved
    assert summary.windows == sum(step.kept for step in steps) > 1
    assert summary.reached == {"t": 2.0}
    assert done.summary.refined.relative_l2 == summary.relative_l2


def test_the_predictor_of_the_run_is_the_one_that_was_measured(done: Run) -> None:
    problem, delta = confirmed(done, done.summary.rank)
    assert problem.architecture is not None
    assert problem.architecture.name == "pieces"
    found = predictor_of(problem, delta, torch.float64)
    places = torch.linspace(0, 2, 41, dtype=torch.float64)[:, None]
    exact = 3 / (1 + 2 * torch.exp(-6 * places))
    assert float((found.predict(places).detach() - exact).abs().max()) < 1e-7


def test_pages_show_the_attempts(done: Run, open_page: Opener, store: RunStore) -> None:
    shutil.copytree(done.path, store.root / done.id)
    for page in ("overview", "rank"):
        app = open_page(page, run=done.id)
        assert "Solved with" in " ".join(element.value for element in app.success)
        assert "lsr-table" in html(app)


def test_a_setting_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = save_problem(tmp_path / "logistic", logistic())
    assert lsr(["solve", str(bundle), "--windows", "some", "--runs", str(tmp_path / "runs"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["key"] == "windows"
    assert not list((tmp_path / "runs").glob("*"))


def test_a_number_is_followed_by_one_command_and_pages_name_its_values(
    tmp_path: Path, open_page: Opener, store: RunStore, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = save_problem(tmp_path / "growth", growth())
    follow = ["--along", "rho", "--begin", "1", "--runs", str(store.root)]
    assert lsr(["solve", str(bundle), *follow]) == 0
    printed = capsys.readouterr().out
    assert "at 1 " in printed
    assert "Solved with one network" in printed
    [run] = store.list()
    summary = SolveStore(run.path).summary()
    assert summary is not None
    assert summary.relative_l2 is not None
    assert summary.relative_l2 < 1e-6
    app = open_page("overview", run=run.id)
    assert not app.exception
    assert "number at 10" in html(app)
    assert lsr(["solve", str(bundle), "--along", "rho", "--runs", str(store.root), "--json"]) == 2
    assert "along and begin belong together" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_one_button_starts_a_solve(
    tmp_path: Path, open_page: Opener, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def submit(*given: object) -> str:
        asked.append(given)
        return "a" * 32

    monkeypatch.setattr("lsr_app.services.jobs.submit", submit)
    app = open_page("refine", problem="reaction")
    app.selectbox(key=wanted.CHOICE).set_value("reaction").run()
    app.button(key="start_solve").click().run()
    assert len(asked) == 1
    assert asked[0][5:] == ("solve", {"second": False})
