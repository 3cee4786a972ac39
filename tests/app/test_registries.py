"""Registries of the dashboard: pages, kinds of runs. What is added has what the others have, and what is foreign stops nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

import lsr_app
from lsr_app.plots import racers
from lsr_app.reading import racedata, runkinds
from lsr_app.screens.bring import uploads
from lsr_app.screens.conditioning import racefigures
from lsr_app.shell import pages
from lsr_app.words import labtexts
from lsr_core.intake.readers import READERS
from lsr_core.jobs.worker import work_of
from lsr_core.lab.methods import METHODS
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import RunStore
from tests.app import lab, synthetic
from tests.app.conftest import OTHERS, SCRIPTS, Opener

HOME = Path(lsr_app.__file__).parent


def test_every_folder_of_a_page_lists_it_and_has_its_script() -> None:
    folders = {path.parent.name for path in (HOME / "screens").glob("*/__init__.py")}
    assert folders == set(pages.found()) == {*SCRIPTS, *OTHERS}
    assert all((HOME / pages.script(name)).is_file() for name in folders)
    for field in ("title", "icon", "position"):
        assert len({getattr(screen, field) for screen in pages.found().values()}) == len(folders)
    assert next(iter(pages.found())) == pages.HOME


def test_every_kind_of_run_has_its_words_and_a_page_that_shows_it() -> None:
    assert set(runkinds.KINDS) == set(get_args(JobKind))
    assert [name for name, kind in runkinds.KINDS.items() if kind.refines] == ["refine"]
    for name, kind in runkinds.KINDS.items():
        assert kind.title, name
        assert kind.page in pages.found() or (not kind.page and (kind.experiment or kind.keeps)), name
        assert kind.sentence or kind.refines or not kind.page, name


def test_every_job_has_a_module_that_does_it() -> None:
    for name in get_args(JobKind):
        assert callable(work_of(name)), name


def test_every_method_of_a_race_has_words_and_a_place_where_it_is_drawn() -> None:
    assert list(labtexts.METHODS) == list(METHODS)
    assert {racers.place(name) for name in METHODS} == set(range(len(racers.ORDER)))


def test_the_page_takes_every_data_file_that_there_is_a_reader_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, ".toy", "toy_reader")
    asked: dict[str, Any] = {}
    monkeypatch.setattr(uploads.st, "file_uploader", lambda label, **given: asked.update(given))
    uploads.data("Data", "key")
    assert [f".{suffix}" for suffix in asked["type"]] == list(READERS)


def test_no_kind_of_run_is_compared_by_its_name() -> None:
    found = re.compile(r'\bkind\b\s*(==|!=|(not )?in)\s*[({\[]?"(' + "|".join(runkinds.KINDS) + ')"')
    assert found.search('if run.manifest.kind == "refine":')
    assert [str(path) for path in HOME.rglob("*.py") if found.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("page", [*SCRIPTS, *OTHERS])
def test_a_run_of_a_kind_that_nobody_knows_is_told_in_a_sentence(store: RunStore, open_page: Opener, page: str) -> None:
    known, foreign = (synthetic.complete(store, side=6, max_rank=8) for _ in range(2))
    foreign.write_manifest(foreign.manifest.model_copy(update={"kind": "dream"}))
    app = open_page(page, run=foreign.id)
    assert any("cannot be shown" in error.value for error in app.error)
    assert not open_page(page, run=known.id).error


def test_a_race_with_a_method_of_another_version_is_drawn() -> None:
    record = lab.race_record()
    foreign = record.methods[0].model_copy(update={"name": "quantum-annealing"})
    record = record.model_copy(update={"methods": [*record.methods, foreign]})
    shown = racedata.shown(record, foreign.dtype, foreign.coordinates, reorthogonalised=False)
    assert foreign in shown
    axes = racefigures.reach(record, shown, "iterations")
    picture = racefigures.courses(record, shown, foreign.coordinates, axes, against="iterations", panel=False)
    assert "quantum-annealing" in {row[0] for row in picture.rows()}
    assert "quantum-annealing" in [name for *_, name in racefigures.key(record, shown, against="iterations")]
