"""Progress is one rising fraction, and a bar in a notebook."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from lsr_core.refinement import progress
from lsr_core.refinement.progress import Progress, default_callback, silent


def test_stages_add_up_to_one_rising_fraction() -> None:
    seen: list[tuple[str, float]] = []
    clock = Progress(lambda stage, fraction: seen.append((stage, fraction)), {"first": 1, "second": 3})
    clock.stage("first")
    clock.fraction(0.5)
    clock.stage("second")
    clock.fraction(1.0)
    assert seen == [("first", 0.0), ("first", 0.125), ("second", 0.25), ("second", 1.0)]
    assert set(clock.finish()) == {"first", "second"}


def test_outside_a_notebook_nobody_is_told() -> None:
    assert default_callback() is silent


def test_in_a_notebook_there_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    clock = Progress(default_callback(), {"basis": 1})
    clock.stage("basis")
    clock.fraction(1.0)
    assert "basis" in capsys.readouterr().err
    assert progress.silent("", 0.0) is None
