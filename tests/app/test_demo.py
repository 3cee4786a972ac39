"""A server for strangers: small jobs, small files, nothing kept; and the files that put it on two hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

import lsr_samples
from lsr_app import cli
from lsr_app.serve import order
from lsr_app.services import jobs, ownership, runs
from lsr_core.diagnosis.plane import PlaneSettings
from lsr_core.errors import InputError
from lsr_core.jobs import queue, watch, worker
from lsr_core.jobs.watch import OutOfTime
from lsr_core.refinement import serverlimits
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.plan import budget_of
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.app import synthetic
from tests.app.conftest import Opener
from tests.test_containers import check_command

ROOT = Path(__file__).parents[2]
DEMO = serverlimits.DEMO


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(serverlimits.VARIABLE, "1")


def test_the_option_reaches_the_server(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    started: list[dict[str, str]] = []

    def start(_: order.Order, environment: dict[str, str]) -> Any:
        started.append(dict(environment))
        raise KeyboardInterrupt

    monkeypatch.setenv(serverlimits.VARIABLE, "")
    monkeypatch.setattr(order, "start", start)
    shown = ("dashboard", "--no-browser", "--port", "18767", "--host", "0.0.0.0", "--no-auth")
    cli.run([*shown])
    cli.run([*shown, "--demo"])
    assert [one[serverlimits.VARIABLE] for one in started] == ["", "1"]
    said = capsys.readouterr().err
    assert f"upload up to {serverlimits.OWN.upload_megabytes} MB" in said
    assert f"upload up to {DEMO.upload_megabytes} MB" in said


def test_every_limit_is_below_that_of_a_server_of_ones_own() -> None:
    assert DEMO.memory is not None
    assert DEMO.seconds is not None
    assert (serverlimits.OWN.memory, serverlimits.OWN.seconds, serverlimits.OWN.passing) == (None, None, False)
    for name in ("waiting", "waiting_of_one", "upload_megabytes"):
        assert getattr(DEMO, name) < getattr(serverlimits.OWN, name)


@pytest.mark.usefixtures("demo")
def test_a_job_may_use_what_the_demonstration_allows_and_less_where_less_was_asked() -> None:
    assert DEMO.memory is not None
    assert budget_of(RefineConfig()) <= DEMO.memory
    assert budget_of(RefineConfig(memory_budget=2**40)) == DEMO.memory
    assert budget_of(RefineConfig(memory_budget=2**29)) == 2**29


def test_a_job_that_takes_too_long_ends_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(tmp_path / "runs")
    run = queue.create(store, bundles.write(tmp_path / "tiny"), RefineConfig(max_rank=8), owner="test")
    monkeypatch.setattr(serverlimits, "OWN", serverlimits.ServerLimits(seconds=0.0))
    monkeypatch.setattr(watch, "GRACE", 600.0)  # after which this process would be ended, however busy the machine is
    with pytest.raises(OutOfTime, match=r"ran for 0 s, which is as long as one may on this server"):
        worker.execute(run)
    status = Run(run.path).status()
    assert status.status == "failed"
    assert status.error is not None
    assert "no such limit" in status.error.message


@pytest.mark.usefixtures("demo")
def test_what_a_visitor_makes_is_private_and_cannot_be_kept(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "start", lambda run: None)
    made = jobs.submit(bundles.write(tmp_path / "tiny"), RefineConfig(max_rank=8), "me", "mine")
    run, _ = runs.find(made)
    assert (run.manifest.listed, run.manifest.session_only) == (False, True)
    with pytest.raises(InputError, match="nothing is kept"):
        ownership.keep(run, "me")
    shown = RunStore(lsr_samples.runs_folder()).open("5f0c1a7e9b3d4c268a1be0d7f4930007")
    assert not shown.manifest.session_only
    plane, _ = runs.find(jobs.submit_plane(shown, PlaneSettings(), "me"))
    assert plane.manifest.session_only


def test_pages_say_the_limits_and_only_on_a_demonstration(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic.complete(store, side=12, max_rank=40)

    def said() -> str:
        return " ".join(caption.value for caption in open_page(run=run.id).sidebar.caption)

    assert "demonstration" not in said()
    monkeypatch.setenv(serverlimits.VARIABLE, "1")
    assert "a job may take 120 s and 2 GB, a file 10 MB" in said()


@pytest.mark.usefixtures("demo")
def test_uploads_are_smaller() -> None:
    code = "from lsr_app.serve import uploads; from lsr_app.screens.bring import uploadlimits as u; print(uploads.MEGABYTES, u.MAX_MEGABYTES)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.split() == ["10", "10"]


def test_the_space_serves_the_demonstration() -> None:
    folder = ROOT / "deploy" / "space"
    front = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---")[1])
    docker = (folder / "Dockerfile").read_text(encoding="utf-8")
    (command,) = (line for line in docker.splitlines() if line.startswith("CMD"))
    words = yaml.safe_load(command.removeprefix("CMD "))[-1].replace('"', "").split()
    assert words[:2] == ["exec", "lsr"]
    check_command(words[2:])
    assert "--demo" in words
    assert words[words.index("--port") + 1] == str(front["app_port"])
    assert front["sdk"] == "docker"
    assert "USER 1000" in docker
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert next(line for line in pinned if line.startswith("torch==")) in docker


def test_the_file_for_streamlits_cloud_shows_the_demonstration(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(serverlimits.VARIABLE, "1")
    synthetic.complete(store, side=12, max_rank=40)
    app = AppTest.from_file(str(ROOT / "deploy" / "streamlit" / "streamlit_app.py"), default_timeout=30).run()
    assert not app.exception
    assert any("demonstration" in caption.value for caption in app.sidebar.caption)
