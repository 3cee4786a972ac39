"""Runs of networks as people write them, opened on every page: nothing raised, nothing refused but files that would execute their code."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import bundles, code, code_problems
from lsr_core.storage.runs import RunStore
from tests.app.conftest import OTHERS, SCRIPTS, Opener
from tests.app.uploading import said
from tests.core import zoo

QUICK = ("complex layer", "embedding")


def opened(name: str, folder: Path, store: RunStore, open_page: Opener, pages: tuple[str, ...]) -> dict[str, AppTest]:
    made = code_problems.from_file(f"{zoo.__file__}:{zoo.identifier(name)}")
    config = RefineConfig(max_rank=3, rank=2)
    run = create(store, bundles.save_problem(folder / "bundle", made), config, owner="zoo")
    execute(run)
    found = {page: open_page(page, run=run.id) for page in pages}
    for page, app in found.items():
        assert not app.error, (name, page, [each.value for each in app.error])
    return found


@pytest.mark.parametrize("name", QUICK)
def test_some_on_the_pages_of_a_run(name: str, tmp_path: Path, store: RunStore, open_page: Opener) -> None:
    opened(name, tmp_path, store, open_page, ("overview", "rank", "export"))


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.CASES)
def test_all_on_every_page(name: str, tmp_path: Path, store: RunStore, open_page: Opener) -> None:
    opened(name, tmp_path, store, open_page, (*SCRIPTS, *OTHERS))


def test_files_that_would_execute_code_are_not_offered_but_explained(
    tmp_path: Path, store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened("plain", tmp_path, store, open_page, ("export",))["export"]
    assert "--trust" not in said(app)
    monkeypatch.setenv(code.VARIABLE, "{}")  # as on another day
    app.run()
    assert not app.exception
    (run,) = store.list()
    assert f"lsr dashboard {run.id} --trust" in said(app)
    made = [button for button in app.button if button.key == "form_make"]
    assert [button.disabled for button in made] == [True]
    app.segmented_control(key="form").set_value("report").run()
    assert not next(button for button in app.button if button.key == "form_make").disabled
