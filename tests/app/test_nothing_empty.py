"""The first look at a page shows something, and a page that a run cannot fill leads to a run that can."""

from __future__ import annotations

import pytest

import lsr_samples
from lsr_app.services import runs
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import RUNS, SHIPPED_ID
from tests.app import synthetic
from tests.app.conftest import Opener

IDS = {entry.name: entry.id for entry in RUNS}


@pytest.fixture(autouse=True)
def shipped(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the product; before this, the fixture of all tests takes the shipped runs away."""
    monkeypatch.setattr(runs, "shipped_store", lambda: RunStore(lsr_samples.runs_folder()))


@pytest.mark.parametrize(
    ("page", "query", "charts"),
    [("conditioning", {}, 2), ("conditioning", {"lab": "plane"}, 2), ("conditioning", {"lab": "isolation"}, 1), ("training", {}, 3)],
)  # fmt: skip
def test_the_shipped_run_fills_the_pages_of_experiments(
    page: str, query: dict[str, str], charts: int, open_page: Opener
) -> None:
    app = open_page(page, run=SHIPPED_ID, **query)
    assert not app.error
    assert len(app.get("plotly_chart")) >= charts


@pytest.mark.parametrize(
    ("page", "run", "charts"),
    [("frequencies", "iterate", 4), ("overview", "cases", 1), ("overview", "digits", 2), ("fields", "digits", 2),
     ("fields", "sequence", 3), ("fields", "noisy1d", 2), ("overview", "burgers", 4), ("fields", "burgers", 6)],
)  # fmt: skip
def test_every_shipped_run_has_its_figures(page: str, run: str, charts: int, open_page: Opener) -> None:
    app = open_page(page, run=IDS[run])
    assert not app.error
    assert len(app.get("plotly_chart")) >= charts


@pytest.mark.parametrize(
    ("page", "query", "kind"),
    [("frequencies", {}, "iterate_"), ("conditioning", {}, "race_race"), ("conditioning", {"lab": "plane"}, "plane_plane"),
     ("conditioning", {"lab": "isolation"}, "isolate_isolation"), ("training", {}, "training_")],
)  # fmt: skip
def test_a_page_that_a_run_cannot_fill_leads_to_one_that_can(
    page: str, query: dict[str, str], kind: str, store: RunStore, open_page: Opener
) -> None:
    run = synthetic.complete(store, dimension=3, side=8, max_rank=20)
    app = open_page(page, run=run.id, **query)
    assert not app.get("plotly_chart")
    button = app.button(key=f"example_{kind}")
    button.click().run()
    assert app.query_params["run"] in IDS.values()
    assert app.get("plotly_chart")
