"""Damage in a run: named by file, the rest and other runs stay readable; records and arrays that no run can have are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks import damage as campaign
from lsr_app import cli
from lsr_app.words import stages
from lsr_core.errors import InputError
from lsr_core.jobs.queue import check_resumable, create
from lsr_core.jobs.rebuild import confirmed, delta_at
from lsr_core.jobs.worker import StatusWriter, execute
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import silent
from lsr_core.storage import digests
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.app import iterations
from tests.app.conftest import Opener, open_page, store  # noqa: F401
from tests.app.synthetic import complete


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    return campaign.two_runs(tmp_path_factory.mktemp("pair"))


def test_flipped_bits_are_named_and_stay_where_they_are(pair: tuple[Run, Run]) -> None:
    found = campaign.flips(*pair, per_file=1, seed=1)
    assert found["silent"] == found["other exceptions"] == 0
    assert found["named"] == found["refused where it is read"] == found["rest opens"] == found["flips"] == 14
    assert found["other runs unaffected"] == 14


def test_other_arrays_are_refused_even_with_new_digests(pair: tuple[Run, Run]) -> None:
    found = campaign.swaps(*pair, kinds=["one more dimension"])
    assert found["silent"] == found["other exceptions"] == found["forged: drawn"] == 0
    assert found["named"] == found["swaps"] >= 40


@pytest.mark.slow
def test_all_kinds_of_other_arrays(pair: tuple[Run, Run]) -> None:
    found = campaign.swaps(*pair, kinds=list(campaign.SWAPS))
    assert found["silent"] == found["other exceptions"] == 0


def test_a_step_that_yields_another_error_than_recorded_is_not_given_out(pair: tuple[Run, Run], tmp_path: Path) -> None:
    """Also where there is no digest to tell, as in runs of earlier versions: 84 in place of 1.6e-5 was called checked."""
    run = Run(shutil.copytree(pair[0].path, tmp_path / pair[0].id))
    tensors = load_file(run.delta_path)
    tensors["delta"][int(tensors["delta"].abs().argmax())] *= 3
    save_file(tensors, run.delta_path, metadata={"rank": str(run.summary.rank)})
    digests.write(run.path)
    out = tmp_path / "out"
    for form in ("predictor", "csv", "pt2", "weights"):
        assert cli.run(["export", str(run.path), "--format", form, "--out", str(out)]) == 2
    assert not out.exists()
    with pytest.raises(InputError, match=r"delta\.safetensors: gives a test error .* the run recorded"):
        confirmed(run, run.summary.rank)


LARGE = [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("digits", "antiderivative", "poisson-untrained", "convection-untrained")
]


@pytest.mark.parametrize("sample", ["noisy1d", *LARGE])
def test_what_was_recorded_is_found_again(sample: str, tmp_path: Path) -> None:
    """For every kind of problem, at the chosen rank and at one that is solved again."""
    run = create(RunStore(tmp_path / "runs"), sample, RefineConfig(max_rank=4), owner="test")
    execute(run)
    run = Run(run.path)
    for rank in {run.summary.rank, 1}:
        problem, delta = confirmed(run, rank)
        assert isinstance(problem, Problem)
        assert torch.equal(delta, delta_at(run, rank))


def test_an_iteration_does_not_go_on_from_damage(tmp_path: Path) -> None:
    run = iterations.create(RunStore(tmp_path / "runs"))
    iterations.add_steps(run, 0, 2)
    iterations.set_status(run, "cancelled")
    shutil.rmtree(run.problem_path)
    bundles.write(run.problem_path)
    digests.write(run.path)
    check_resumable(run)
    steps = run.path / "steps.jsonl"
    steps.write_bytes(steps.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(InputError, match=r"steps\.jsonl"):
        check_resumable(run)


STATUS: list[dict[str, Any]] = [
    {"worker": {"host": "h", "pid": -1, "started": 0.0}},
    {"worker": {"host": "h", "pid": 2**40, "started": 0.0}},
    {"worker": {"host": "h", "pid": 1, "started": 1e300}},
    {"worker": {"host": "h", "pid": 1, "started": float("nan")}},
    {"heartbeat": 1e300},
    {"heartbeat": float("inf")},
    {"fraction": float("nan")},
    {"fraction": 7.0},
    {"elapsed": float("nan")},
    {"stage": "x" * 10_000},
    {"status": "done"},
]
MANIFEST: list[dict[str, Any]] = [
    {"created": 1e300},
    {"created": float("nan")},
    {"created": -1.0},
    {"id": "x" * 1000},
    {"problem": "x" * 10_000},
    {"forecast_bytes": -1},
    {"config": {"max_rank": -1}},
]


def rewrite(path: Path, changes: dict[str, Any]) -> None:
    """As somebody without this program would: no digest at the end."""
    given = {key: value for key, value in json.loads(path.read_text()).items() if key != "sha256"}
    path.write_text(
        json.dumps({**given, "format_version": 1, **changes} if path.name == "run.json" else {**given, **changes})
    )


@pytest.mark.parametrize("changes", STATUS)
def test_a_status_that_no_run_can_have(
    changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = RunStore(tmp_path / "runs")
    run = kept.create(problem="t", config=RefineConfig(), owner="t", title="t")
    rewrite(run.path / "status.json", {"status": "running", **changes})
    with pytest.raises(InputError, match=r"status\.json"):
        run.status()
    assert cli.run(["runs", "--runs", str(kept.root)]) == 0
    assert "damaged" in capsys.readouterr().out


@pytest.mark.parametrize("changes", MANIFEST)
def test_a_manifest_that_no_run_can_have(
    changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = RunStore(tmp_path / "runs")
    well, run = (kept.create(problem="t", config=RefineConfig(), owner="t", title=title) for title in ("well", "ill"))
    rewrite(run.path / "run.json", changes)
    with pytest.raises(InputError, match=r"run\.json"):
        _ = Run(run.path).manifest
    assert cli.run(["runs", "--runs", str(kept.root)]) == 0
    said = capsys.readouterr().out
    assert f"{run.id}" in said
    assert "damaged" in said
    assert "run.json" in said
    assert well.id in said


def test_the_clock_may_be_set_back_while_a_job_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunStore(tmp_path / "runs").create(problem="t", config=RefineConfig(), owner="t", title="t")
    writer = StatusWriter(run, silent)
    monkeypatch.setattr("lsr_core.jobs.worker.time.time", lambda: 1.0)
    writer.start()
    writer.finish("cancelled")
    assert 0 <= run.status().elapsed < 60


@pytest.mark.parametrize("name", ["delta.safetensors", "log.txt", "problem/data.npz"])
def test_a_page_says_which_file_was_damaged_and_shows_the_rest(
    name: str, pair: tuple[Run, Run], store: RunStore, open_page: Opener  # noqa: F811
) -> None:  # fmt: skip
    run = Run(shutil.copytree(pair[0].path, store.root / pair[0].id))
    app = open_page(run=run.id)
    assert not app.warning
    path = run.path / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    app = open_page(run=run.id)
    assert any(name in warning.value.replace("\\", "") for warning in app.warning)
    assert app.get("plotly_chart")


@pytest.mark.parametrize("page", ["overview", "rank", "export", "conditioning"])
def test_a_complete_run_that_cannot_be_shown_was_not_cancelled(
    page: str, store: RunStore, open_page: Opener  # noqa: F811
) -> None:  # fmt: skip
    run = complete(store, side=12, max_rank=20)
    (run.path / "fields.npz").write_bytes(b"PK")
    app = open_page(page, run=run.id)
    assert any("fields" in error.value for error in app.error)
    assert not any(stages.cancelled_at("", 1.0, False)[:9] in info.value for info in app.info)


def test_a_bundle_is_checked_with_its_run(pair: tuple[Run, Run]) -> None:
    assert not damage(pair[0].path)
    assert load_problem(pair[0].problem_path).name == "noisy1d"
