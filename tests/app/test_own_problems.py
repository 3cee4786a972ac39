"""What a browser brought: whose it is, who sees it, and when it goes."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest

from lsr_app.owning import brought, ownproblems, visits
from lsr_app.screens.bring import uploadlimits
from lsr_app.screens.export import exports
from lsr_app.services import jobs, ownership, runs
from lsr_core.errors import InputError
from lsr_core.jobs import queue
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import copy_bundle
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.app.conftest import Opener

ME, OTHER = "browser:me", "browser:other"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "bundle")


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker starts."""
    monkeypatch.setattr(queue, "start", lambda run, workers=1: None)


def bring(bundle: Path, owner: str = ME) -> tuple[str, Path]:
    key = ownproblems.add(owner, lambda folder: copy_bundle(bundle, folder))
    return key, ownproblems.names(owner)[key]


def submitted(folder: Path) -> Run:
    return runs.find(jobs.submit(folder, RefineConfig(max_rank=2), ME, "mine", listed=True))[0]


def zipped(bundle: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in bundle.iterdir():
            archive.write(path, path.name)
    return target


def test_a_problem_is_its_owners_only(store: RunStore, bundle: Path) -> None:
    key, _ = bring(bundle)
    assert list(ownproblems.names(ME)) == [key]
    assert ownproblems.names(OTHER) == {}
    ownproblems.remove(OTHER, key)
    assert list(ownproblems.names(ME)) == [key]
    ownproblems.remove(ME, key)
    assert ownproblems.names(ME) == {}


def test_what_is_no_bundle_leaves_nothing(store: RunStore) -> None:
    def half(folder: Path) -> None:
        folder.mkdir()
        (folder / "problem.json").write_text("{}")

    with pytest.raises(InputError):
        ownproblems.add(ME, half)
    assert list(ownproblems.folder_of(ME).iterdir()) == []


@pytest.mark.usefixtures("idle")
def test_runs_of_a_brought_problem_are_seen_by_their_owner_only(store: RunStore, bundle: Path) -> None:
    run = submitted(bring(bundle)[1])
    assert run.manifest.session_only
    assert not run.manifest.listed
    assert [entry.id for entry in runs.entries(ME)] == [run.id]
    assert runs.entries(OTHER, also=run.id) == []
    assert runs.find_for(ME, run.id)[0].id == run.id
    with pytest.raises(InputError, match="no run"):
        runs.find_for(OTHER, run.id)
    again = jobs.submit(run.problem_path, RefineConfig(max_rank=1), ME, "again")
    assert runs.find(again)[0].manifest.session_only
    ownership.keep(run, ME)
    assert runs.find_for(OTHER, run.id)[0].id == run.id
    with pytest.raises(InputError):
        ownership.keep(run, OTHER)


@pytest.mark.usefixtures("idle")
def test_everything_goes_with_the_last_session_but_what_was_kept(
    store: RunStore, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "GRACE_SECONDS", 0.2)
    key, folder = bring(bundle)
    kept_key, kept = bring(bundle)
    passing, stays = submitted(folder), submitted(folder)
    ownership.keep(stays, ME)
    ownproblems.keep(kept)
    of_kept = submitted(kept)
    for run in (passing, stays):
        exported = exports.target(run, 2, "report")
        exported.parent.mkdir()
        exported.write_text("private")
    visits.arrive(ME)
    visits.arrive(ME)
    visits.leave(ME)
    time.sleep(0.4)
    assert key in ownproblems.names(ME), "another page of this browser is still open"
    visits.leave(ME)
    visits.arrive(ME)
    time.sleep(0.4)
    assert key in ownproblems.names(ME), "the page was loaded again"
    visits.leave(ME)
    deadline = time.monotonic() + 10
    while passing.path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    assert list(ownproblems.names(ME)) == [kept_key]
    assert {run.id for run in store.list()} == {stays.id, of_kept.id}
    assert [path for path in store.root.rglob("*report*") if path.is_file()] == [exports.target(stays, 2, "report")]


@pytest.mark.usefixtures("idle")
def test_what_a_dead_server_left_goes_when_it_is_old(
    store: RunStore, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, folder = bring(bundle)
    run = submitted(folder)
    brought.sign(ME)
    brought.forget_left_over()
    assert key in ownproblems.names(ME)
    monkeypatch.setattr(brought, "LEFT_OVER_SECONDS", -1.0)
    brought.forget_left_over()
    assert ownproblems.names(ME) == {}
    assert not run.path.exists()
    assert not ownproblems.folder_of(ME).exists()


def test_a_zip_becomes_a_problem_and_too_large_ones_are_refused(
    store: RunStore, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(bundle, tmp_path / "mine.zip")
    key = ownproblems.add(ME, lambda folder: uploadlimits.unpack_bundle(archive, folder))
    assert key in ownproblems.names(ME)
    for limit, word in (("MAX_PARAMETERS", "parameters"), ("MAX_UNPACKED_BYTES", "unpacks")):
        with monkeypatch.context() as patch:
            patch.setattr(uploadlimits, limit, 3)
            with pytest.raises(InputError, match=word):
                ownproblems.add(ME, lambda folder: uploadlimits.unpack_bundle(archive, folder))
    assert list(ownproblems.names(ME)) == [key]


def test_the_page_shows_what_there_is(open_page: Opener, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: ME)
    key, folder = bring(bundle)
    page = open_page("bring", way="bundle")
    assert page.button(key=f"refine_{key}").label == "Refine"
    page.button(key=f"keep_{key}").click().run()
    assert ownproblems.is_kept(folder)
    page.button(key=f"forget_{key}").click().run()
    assert not page.exception
    assert ownproblems.names(ME) == {}
