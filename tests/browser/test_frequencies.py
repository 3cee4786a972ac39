"""The frequency page follows a run at work, and its slider draws a half step at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from tests.app import iterations
from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
HEARTBEAT_SECONDS = 1.0


@pytest.fixture
def at_work(server: Server) -> Iterator[Run]:
    """A run whose worker lives, as far as anybody can see, and has only begun."""
    run = iterations.create(server.store, owner="test")
    iterations.add_steps(run, 0, 0)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            iterations.set_status(run, "running")

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    yield run
    done.set()
    heart.join()
    server.store.delete(run)


def test_the_page_follows_a_run_at_work(page: Page, server: Server, at_work: Run) -> None:
    journeys.visit(page, "frequencies", run=at_work.id)
    expect(page.locator(".st-key-progress")).to_be_visible()
    expect_columns(page, 1)
    iterations.add_steps(at_work, 1, 1)
    expect_columns(page, 2)
    expect(slider(page)).to_have_attribute("aria-valuetext", "1: LSR, round 1")
    iterations.add_steps(at_work, 2, 3)
    expect_columns(page, 4)
    iterations.add_steps(at_work, 4, 5)
    expect_columns(page, 6)
    expect(slider(page)).to_have_attribute("aria-valuetext", "5: LSR, round 3")
    journeys.expect_no_trouble(page)


def test_a_half_step_that_was_chosen_stays_while_others_come(page: Page, at_work: Run) -> None:
    iterations.add_steps(at_work, 1, 2)
    journeys.visit(page, "frequencies", run=at_work.id)
    expect_columns(page, 3)
    slider(page).press("ArrowLeft")
    journeys.expect_view(page, "frequencies", step="1")
    iterations.add_steps(at_work, 3, 4)
    expect_columns(page, 5)
    expect(slider(page)).to_have_attribute("aria-valuetext", "1: LSR, round 1")


def test_other_pages_stay_still_while_it_works(page: Page, at_work: Run) -> None:
    journeys.visit(page, "rank", run=at_work.id)
    changes = """() => { window.changed = 0; const main = document.querySelector("[data-testid=stMain]");
      new MutationObserver(() => window.changed++).observe(main, {subtree: true, childList: true}); }"""
    time.sleep(1)
    page.evaluate(changes)
    iterations.add_steps(at_work, 1, 2)
    time.sleep(2.5)
    assert page.evaluate("() => window.changed") == 0


def test_the_slider_moves_fields_and_spectrum_and_nothing_else(page: Page, server: Server) -> None:
    run = iterations.complete(server.store, owner="test")
    journeys.visit(page, "frequencies", run=run.id)
    heat, fields = journeys.values(page, "heat_0"), journeys.values(page, "step_fields_0")
    spectrum = journeys.values(page, "step_spectrum")
    slider(page).press("ArrowLeft")
    slider(page).press("ArrowLeft")
    journeys.expect_view(page, "frequencies", step="4")
    journeys.expect_other_values(page, "step_fields_0", fields)
    journeys.expect_other_values(page, "step_spectrum", spectrum)
    assert journeys.values(page, "heat_0") == heat
    page.reload()
    journeys.settle(page)
    expect(slider(page)).to_have_attribute("aria-valuetext", "4: Alignment, round 2")
    journeys.expect_no_trouble(page)


def slider(page: Page):  # type: ignore[no-untyped-def]
    return page.locator(".st-key-w_step input[type=range]")


def expect_columns(page: Page, wanted: int) -> None:
    """The heat map has this many half steps: an edge more than columns. While it is drawn it may have no data."""
    edges = "graph => { const x = graph.data?.[0]?.x; return x ? (x._inputArray ?? x).length : 0; }"
    journeys.until(
        lambda: journeys.chart(page, "heat_0").evaluate(edges) == wanted + 1,
        f"the heat map has {wanted} half steps",
    )
