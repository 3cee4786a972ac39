"""The first look at a page shows something, and a page that a run cannot fill leads to a run that can."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.shell import pages
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import RUNS, SHIPPED_ID
from tests.app import synthetic
from tests.app.conftest import Opener

IDS = {entry.name: entry.id for entry in RUNS}


pytestmark = pytest.mark.usefixtures("shipped")


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


def greyed(app: AppTest) -> dict[str, str]:
    """Pages that the list shows grey, with the reason."""
    links = {element.proto.page.strip("/"): element.proto.help for element in app.sidebar.get("page_link")}
    return {page: why for page, why in links.items() if why}


@pytest.mark.parametrize(
    ("run", "page", "kind"),
    [
        ("race", "rank", "refine_"),
        ("iterate", "export", "refine_"),
        ("cases", "path", "refine_"),
        ("digits", "frequencies", "iterate_"),
        ("digits", "training", "training_"),
    ],
)
def test_a_page_that_the_run_cannot_fill_is_grey_and_leads_on(
    run: str, page: str, kind: str, open_page: Opener
) -> None:
    app = open_page(page, run=IDS[run])
    assert greyed(app)[page]
    app.button(key=f"example_{kind}").click().run()
    assert page not in greyed(app)
    assert not app.error


@pytest.mark.parametrize(
    "run", [name if name in ("sine2d", "race") else pytest.param(name, marks=pytest.mark.slow) for name in IDS]
)
def test_no_other_page_is_grey(run: str, open_page: Opener) -> None:
    """Grey is a page without a figure of the run; one with a figure is not."""
    grey = greyed(open_page(run=IDS[run]))
    assert set(grey) <= {name for name, screen in pages.found().items() if screen.needs}
    for page, screen in pages.found().items():
        if screen.needs and page != "export":
            figures = open_page(page, run=IDS[run]).get("plotly_chart")
            assert (page in grey) == (not figures) or (page in ("conditioning", "training") and page not in grey)


def test_a_run_at_work_greys_nothing(store: RunStore, open_page: Opener) -> None:
    assert greyed(open_page(run=synthetic.unfinished(store, "running").id)) == {}
