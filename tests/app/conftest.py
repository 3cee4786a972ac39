"""A folder of runs of its own for every test, and pages started on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import lsr_app
import lsr_samples
from lsr_app.places import RUNS_VARIABLE
from lsr_app.services import jobs, runs
from lsr_core.storage.runs import RunStore

MAIN = Path(lsr_app.__file__).with_name("main.py")
SCRIPTS = ("overview", "rank", "fields", "path", "frequencies", "conditioning", "export")
OTHERS = ("training", "lesson", "bring", "refine", "compare", "runs", "suites")  # that show no single refinement
Opener = Callable[..., AppTest]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """An empty folder of runs that the dashboard sees; no run ships with the product."""
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setattr(runs, "shipped_store", lambda: None)
    monkeypatch.setattr(jobs, "keep_going", lambda: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    return RunStore(tmp_path / "runs")


@pytest.fixture
def shipped(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The runs that come with the product, which `store` takes away."""
    found = RunStore(lsr_samples.runs_folder())
    monkeypatch.setattr(runs, "shipped_store", lambda: found)
    return found


@pytest.fixture
def open_page(store: RunStore) -> Opener:
    """open_page("rank", run=…, rank=…) runs the page with these URL parameters."""

    def open_it(page: str = "overview", **query: object) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = str(value)
        if page != "overview":
            app._page_hash = calc_hash(
                page
            )  # a page of st.navigation at once; `switch_page` would need a run of the first one
        app.run()
        assert not app.exception, [error.message for error in app.exception]
        return app

    return open_it


def spec(app: AppTest, place: int = 0) -> dict[str, object]:
    """The figure at a place of the page, as sent to the browser."""
    import json

    found: dict[str, object] = json.loads(app.get("plotly_chart")[place].proto.spec)
    return found


def html(app: AppTest) -> str:
    """All HTML of the page."""
    return "\n".join(element.proto.body for element in app.get("html"))
