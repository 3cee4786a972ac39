"""Files made beside the server: few at once, in turn, no owner takes all turns, no process stays, no folder grows without end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from lsr_app.making import workshop
from lsr_app.making.workshop import Task, Workshop, make_room
from lsr_core.errors import InputError


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def task(folder: Path, name: str, owner: str, *, held: bool = True) -> Task:
    """Waits until the file `go` is there, then makes its file."""
    path = folder / name
    wait = (
        f"import pathlib, time\nwhile {held} and not pathlib.Path({str(folder / 'go')!r}).exists(): time.sleep(0.02)\n"
    )
    return Task(path, [sys.executable, "-c", f"{wait}pathlib.Path({str(path)!r}).touch()"], owner)


def test_few_at_once_the_others_in_turn_and_no_process_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, start = [], subprocess.Popen

    def seen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", seen)
    shop = Workshop(at_once=2)
    for owner in "ab":
        for number in range(workshop.OF_OWNER):
            shop.ask(task(tmp_path, f"{owner}{number}", owner))
        with pytest.raises(InputError, match="ask again when one is ready"):
            shop.ask(task(tmp_path, f"{owner}more", owner))
    shop.ask(task(tmp_path, "a0", "c"))  # which is there already
    until(lambda: shop.before(tmp_path / "a2") == 1)
    assert [shop.before(tmp_path / name) for name in ("a0", "a1", "a3", "b0", "b3")] == [0, 0, 2, 3, 6]
    assert len([one for one in psutil.Process().children() if str(tmp_path) in " ".join(one.cmdline())]) <= 2
    assert shop.state(tmp_path / "b3") == "working"
    (tmp_path / "go").touch()
    until(lambda: shop.state(tmp_path / "b3") == "ended")
    until(lambda: all(one.returncode is not None for one in started))  # two work at once: b2 may end after b3
    assert {path.name for path in tmp_path.iterdir()} == {
        "go",
        *(f"{owner}{number}" for owner in "ab" for number in range(4)),
    }
    # Others' children may be there: only those of this workshop count. A return code says that it was waited for.
    assert [one.returncode for one in started] == [0] * 8
    assert shop.state(tmp_path / "never") == ""


def test_a_full_queue_says_when_to_come_again_and_a_failure_stops_nothing(tmp_path: Path) -> None:
    shop = Workshop(at_once=1)
    shop.ask(Task(tmp_path / "none", [str(tmp_path / "no-such-program")], "x"))
    until(lambda: shop.state(tmp_path / "none") == "ended")
    for number in range(workshop.WAITING + 1):
        shop.ask(task(tmp_path, f"{number}", f"owner {number}"))
        until(lambda: shop.before(tmp_path / "0") == 0)
    with pytest.raises(InputError, match="ask again in a minute"):
        shop.ask(task(tmp_path, "more", "owner"))
    (tmp_path / "go").touch()
    until(lambda: shop.state(tmp_path / "3") == "ended")


def test_a_process_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "LONGEST_SECONDS", 0.2)
    shop = Workshop(at_once=1)
    shop.ask(task(tmp_path, "long", "x"))
    until(lambda: shop.state(tmp_path / "long") == "ended")


def test_the_oldest_files_of_a_folder_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(100):
        for name in (f"{number:03d}.note", f"{number:03d}"):
            (tmp_path / name).write_bytes(b"x" * 5)
            os.utime(tmp_path / name, (number, number))
    make_room(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".note")
    assert sorted(path.stem for path in tmp_path.glob("*.note")) == left
    assert left == [f"{number:03d}" for number in range(100 - workshop.MOST_FILES + 1, 100)]
    monkeypatch.setattr(workshop, "MOST_BYTES", 45)
    make_room(tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.note")) == ["096", "097", "098", "099"]
