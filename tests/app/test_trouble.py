"""What nobody foresaw: a sentence and an id on the page, the traceback in the log, and reading that writes nothing."""

from __future__ import annotations

import errno
import io
import re
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lsr_app import cli, trouble
from lsr_app.places import RUNS_VARIABLE
from lsr_app.serve.logs import Sparing
from lsr_app.services import results, runs
from lsr_core.errors import InputError
from lsr_core.storage import atomic, inside
from lsr_core.storage.records import Status, Worker
from lsr_core.storage.runs import RunStore
from tests.app import synthetic
from tests.app.conftest import SCRIPTS, Opener

SMALL = {"side": 12, "max_rank": 20}


def fails(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> NoReturn:
        raise type(error)(*error.args)

    return fail


@pytest.mark.parametrize("page", SCRIPTS)
def test_a_page_that_fails_says_so_under_an_id_of_the_log(
    page: str, store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = synthetic.complete(store, **SMALL)
    monkeypatch.setattr("lsr_app.shell.controls.now", fails(ZeroDivisionError("a secret path")))
    app = open_page(page, run=run.id)
    (error,) = [shown.value for shown in app.error]
    (number,) = re.findall(r"under ([0-9a-f]{8})", error)
    assert "secret" not in error
    noted = [record for record in caplog.records if record.name.startswith("lsr.pages")]
    assert {record.name for record in noted} == {f"lsr.pages.{number}"}
    assert "a secret path" in noted[0].getMessage()


def test_a_fragment_that_fails(store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.unfinished(store, "running")
    monkeypatch.setattr("lsr_app.shell.progress.stamps.growth_stamp", fails(RuntimeError("x")))
    app = open_page(run=run.id)
    assert any("The log of the server" in shown.value for shown in app.error)


def test_a_button_that_fails(store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("refine", run=run.id)
    monkeypatch.setattr("lsr_app.shell.wanted.choose", fails(RuntimeError("x")))
    app.button(key="choose_sine2d").click().run()
    assert not app.exception


def test_input_errors_are_said_as_they_are() -> None:
    assert trouble.sentence(InputError("is damaged", file="sweep.npz")) == "sweep.npz: is damaged"


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk of the server is full"), (errno.EROFS, "cannot be written")]
)
def test_a_disk_that_takes_nothing_has_its_own_sentence(number: int, words: str) -> None:
    assert words in trouble.sentence(OSError(number, "no"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("page", SCRIPTS)
def test_reading_writes_nothing(
    page: str, number: int, store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or read-only disk, and a run whose worker is gone: every page opens, and calls that run failed."""
    run, stale = synthetic.complete(store, **SMALL), synthetic.unfinished(store, "queued")
    gone = Worker(host=__import__("socket").gethostname(), pid=2**31 - 1, started=time.time())
    stale.write_status(Status(status="running", worker=gone, heartbeat=time.time()))
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}
    full = OSError(number, "no room")
    for place, name in (
        (atomic, "replacing"),
        (inside, "append"),
        (Path, "mkdir"),
        (Path, "touch"),
        (Path, "write_text"),
    ):
        monkeypatch.setattr(place, name, fails(full))
    app = open_page(page, run=run.id)
    assert not app.error
    assert {entry.id: entry.state for entry in runs.entries("x", also=stale.id)}[stale.id] == "failed"
    app = open_page(page, run=stale.id)
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before


def test_the_command_lists_runs_of_a_folder_that_takes_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = synthetic.complete(store, **SMALL)
    monkeypatch.setattr(atomic, "replacing", fails(OSError(errno.EROFS, "read-only")))
    monkeypatch.setenv(RUNS_VARIABLE, str(store.root))
    assert cli.run(["runs"]) == 0
    assert run.id in capsys.readouterr().out


def test_one_run_that_nobody_foresaw_hides_no_other(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    well, ill = (synthetic.complete(store, title=title, **SMALL) for title in ("well", "ill"))
    read = runs.Run.status

    def status(run: runs.Run) -> Status:
        if run.id == ill.id:
            raise OverflowError("cannot convert")
        return read(run)

    monkeypatch.setattr(runs.Run, "status", status)
    assert [entry.id for entry in runs.entries("cli")] == [well.id]
    assert "OverflowError" in caplog.text


def test_the_server_s_log_takes_the_same_fault_a_few_times_and_another_still() -> None:
    stream, first, then = io.StringIO(), "", ""
    handler = Sparing(stream)
    trouble.LOG.addHandler(handler)
    try:
        for _ in range(40):
            first = noted(lambda: 1 / 0)
        then = noted(lambda: [][0])
    finally:
        trouble.LOG.removeHandler(handler)
    assert stream.getvalue().count(first) == 5
    assert stream.getvalue().count(then) == 1


def noted(work: Any) -> str:
    try:
        work()
    except Exception as error:
        return trouble.note(error)
    return ""


def test_results_of_a_damaged_run_are_sentences(store: RunStore) -> None:
    run = synthetic.complete(store, **SMALL)
    (run.path / "summary.json").write_text("{")
    with pytest.raises(InputError, match=r"summary\.json"):
        results.load(run)
