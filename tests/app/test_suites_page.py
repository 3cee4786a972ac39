"""The page of suites: what was solved here beside what is published, and what fills the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

import lsr_samples
from lsr_app.screens.suites import suiterows, suitestexts
from lsr_core.storage.runs import RunStore
from lsr_core.suites import LISTS
from lsr_core.suites.kept import keep, read
from lsr_core.suites.running import SuiteRow
from tests.app.conftest import Opener


def row(name: str, error: float | None, status: str = "ok") -> SuiteRow:
    return SuiteRow(
        name=name, relative_l2=error, relative_l2_by_output={}, seconds=12.0, peak_rss_bytes=10**9, published=None, reference_error=None,
        status=status,
    )  # fmt: skip


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No rows come along."""
    monkeypatch.setattr(lsr_samples, "runs_folder", lambda: tmp_path / "none")


@pytest.mark.usefixtures("bare")
def test_without_rows_the_page_says_which_command_makes_them(open_page: Opener) -> None:
    app = open_page("suites")
    assert not app.exception
    assert any("`lsr suite pinnacle`" in caption.value for caption in app.caption)
    assert not app.get("plotly_chart")
    for entry in LISTS["pinnacle"]():
        assert any(entry.name in part.proto.body for part in app.get("html"))


def test_rows_that_come_along_are_called_so_until_they_are_made_here(
    open_page: Opener, store: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lsr_samples, "runs_folder", lambda: tmp_path / "along")
    keep(tmp_path / "along", "pinnacle", [row("Wave1D", 1e-5), row("HeatND", 1e-6)])
    app = open_page("suites")
    assert any(one.value.startswith("2 run before this version was shipped; 2 of them") for one in app.markdown)
    assert any("No equation of this suite was run here yet" in caption.value for caption in app.caption)
    keep(store.root, "pinnacle", [row("Wave1D", 1.0)])
    app = open_page("suites")
    assert any(
        one.value.startswith("1 run here and 1 run before this version was shipped; 1 of") for one in app.markdown
    )


@pytest.mark.usefixtures("bare")
def test_rows_on_disk_are_shown_with_what_is_published(open_page: Opener, store: RunStore) -> None:
    keep(
        store.root, "pinnacle", [row("Wave1D", 9.8e-5), row("HeatND", 1e-3), row("Burgers1D", None, "failed: no time")]
    )
    app = open_page("suites")
    assert not app.exception
    assert any(
        "1 of them solved with an error below the best published one, 1 ten times" in one.value for one in app.markdown
    )
    assert len(app.get("plotly_chart")) == 1
    table = next(part.proto.body for part in app.get("html") if "<table" in part.proto.body)
    assert ">failed<" in table
    assert any("no time" in caption.value for caption in app.caption)
    assert "1,000" in table  # 9.8e-2 over 9.8e-5


@pytest.mark.usefixtures("bare")
def test_a_suite_of_which_nothing_is_published_is_compared_with_nothing(open_page: Opener, store: RunStore) -> None:
    keep(store.root, "systems", [row("lorenz", 3e-11), row("sir", 2e-13)])
    app = open_page("suites")
    app.button_group(key="suite").set_value("systems").run()
    assert not app.exception
    assert any(one.value == "2 run here." for one in app.markdown)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("suite", sorted(LISTS))
def test_an_error_below_that_of_the_reference_wins_nothing_more(suite: str, tmp_path: Path) -> None:
    keep(tmp_path, suite, [row(entry.name, 1e-15) for entry in LISTS[suite]()])
    for line in suiterows.lines(LISTS[suite](), read(tmp_path, suite), []):
        certain = line.entry.reference_error
        if line.entry.published and certain:
            assert line.gain == line.entry.published / max(certain, 1e-15)
        assert len(suiterows.cells(line, 0.0)) == len(suitestexts.COLUMNS)
        assert len(suiterows.data(line)) == len(suitestexts.DATA_COLUMNS)
