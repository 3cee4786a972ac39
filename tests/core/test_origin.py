"""Every run says what it was made with, whichever way it was made; a commit only where it is that of the code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import lsr_core
from lsr_app.screens.overview.overviewtexts import origin as told
from lsr_core.jobs import origin
from lsr_core.jobs.keeping import keep_result
from lsr_core.storage.bundles import load_problem
from tests import bundles


def test_a_result_that_is_kept_says_where_it_comes_from(tmp_path: Path) -> None:
    problem = load_problem(bundles.write(tmp_path / "tiny"))
    run = keep_result(lsr_core.refine(problem, max_rank=3, seed=5), tmp_path / "runs", "tests")
    assert run.manifest.environment == origin.environment()
    assert {"torch", "numpy", "scipy", "python", "threads", "system"} <= set(run.manifest.environment)
    made, seeds = told(run.manifest.environment, run.manifest.config.seed, {"data": 7})
    assert f"torch {run.manifest.environment['torch']}" in made
    assert seeds == "Seeds: of the refinement 5, of data 7."
    assert run.manifest.environment["lsr"] == lsr_core.__version__


def test_the_commit_is_that_of_the_checkout_and_says_that_files_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        named = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        return subprocess.run(
            ["git", "-C", str(tmp_path), *named, *arguments], check=True, capture_output=True, text=True
        ).stdout

    monkeypatch.setattr(origin, "_ROOT", tmp_path)
    ask = origin.commit.__wrapped__
    assert ask() == ""
    git("init", "-q")
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "-qm", "one")
    assert git("rev-parse", "HEAD").startswith(ask())
    assert len(ask()) == 12
    (tmp_path / "code.py").write_text("22")
    assert ask().endswith("-dirty")


def test_runs_of_earlier_versions_say_what_they_know() -> None:
    assert told({}, 0, {}) == ["Seeds: of the refinement 0."]
    assert told({"python": "3.11.7", "threads": "2"}, 0, {})[0] == "Computed with python 3.11.7, 2 threads."
