"""What a browser brings is its own, and goes with it unless it is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lsr_app import ownproblems, presence, services
from lsr_core.jobs import queue
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.records import Status
from lsr_core.storage.runs import Run, RunStore
from tests import bundles

ME, OTHER = "browser:me", "browser:other"


@pytest.fixture
def brought(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Run]:
    """A problem of mine, and a run of it that has ended."""
    monkeypatch.setattr(queue, "start", lambda run, workers=1: None)
    presence._here.clear()
    key = ownproblems.add(ME, lambda folder: bundles.write(folder))
    run_id = services.submit(ownproblems.names(ME)[key], RefineConfig(max_rank=3), ME, "mine")
    run = store.open(run_id)
    run.write_status(Status(status="cancelled", heartbeat=time.time()))
    return key, run


def test_nobody_else_sees_it_and_its_runs(brought: tuple[str, Run]) -> None:
    key, run = brought

    assert run.manifest.expires
    assert not run.manifest.listed
    assert ownproblems.names(OTHER) == {}
    assert [entry.id for entry in services.entries(ME)] == [run.id]
    assert services.entries(OTHER) == []
    assert services.expires(run.problem_path)  # and so do runs that are made of the run
    assert key in ownproblems.names(ME)


def test_it_goes_after_the_grace_and_not_before(brought: tuple[str, Run], store: RunStore) -> None:
    (ownproblems.folder_of(ME) / ownproblems.SEEN).touch()

    presence.sweep(time.time() + presence.GRACE_SECONDS - 60)
    assert len(ownproblems.names(ME)) == 1
    assert len(list(store.list())) == 1

    presence.sweep(time.time() + presence.GRACE_SECONDS + 60)
    assert ownproblems.names(ME) == {}
    assert list(store.list()) == []


def test_an_owner_with_a_live_session_loses_nothing(brought: tuple[str, Run]) -> None:
    presence._here[ME] = 2  # two tabs
    presence._ended(ME)

    presence.sweep(time.time() + 10 * presence.GRACE_SECONDS)

    assert len(ownproblems.names(ME)) == 1


def test_what_is_kept_stays(brought: tuple[str, Run], store: RunStore) -> None:
    key, run = brought
    ownproblems.keep(ME, key, True)
    services.set_kept(run, ME, True)

    presence.sweep(time.time() + 10 * presence.GRACE_SECONDS)

    assert list(ownproblems.names(ME)) == [key]
    assert not store.open(run.id).manifest.listed
    assert [entry.id for entry in services.entries(OTHER, also=run.id)] == [run.id]  # by its link


def test_runs_of_others_are_left_alone(brought: tuple[str, Run], store: RunStore, tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "tiny")
    others = store.open(services.submit(bundle, RefineConfig(max_rank=3), OTHER, "theirs"))
    os.utime(others.path)

    presence.sweep(time.time() + 10 * presence.GRACE_SECONDS)

    assert [run.id for run in store.list()] == [others.id]
