"""A race is started from the page, grows there, is cancelled, and opens again; so does a plane."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from lsr_core.lab.records import RaceRecord
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.planes import read_plane
from lsr_core.storage.runs import Run
from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
NEVER_DONE = 1_000_000  # iterations: far longer than any journey


def test_a_race_grows_on_the_page_and_opens_again(page: Page, server: Server, tiny_run: Run) -> None:
    race = start_race(page, server, tiny_run, 400)  # longer than a page takes to be looked at
    expect(page.locator(".st-key-progress")).to_be_visible()
    expect(methods_run(page)).not_to_have_text("32")
    seen = int(methods_run(page).inner_text())
    journeys.until(lambda: int(methods_run(page).inner_text()) > seen, "another method is shown")
    journeys.until(lambda: race.status().status == "complete", "the race is over", 240)
    expect(methods_run(page)).to_have_text("32")
    expect(page.locator(".st-key-progress")).to_have_count(0)
    journeys.settle(page)
    drawn = journeys.values(page, "race_both_0")
    journeys.button(page, f"open_here_{race.id}").click()
    journeys.expect_view(page, "conditioning", run=race.id)
    page.reload()
    journeys.settle(page)
    assert journeys.values(page, "race_both_0") == drawn
    journeys.expect_no_trouble(page)


@pytest.mark.slow
def test_a_cancelled_race_keeps_what_it_had(page: Page, server: Server, tiny_run: Run) -> None:
    race = start_race(page, server, tiny_run, NEVER_DONE)
    journeys.until(lambda: methods_kept(race) > 0, "the first method is through")
    journeys.button(page, "cancel").click()
    journeys.until(lambda: race.status().status == "cancelled", "the race is cancelled")
    journeys.expect_sentence(page, "What it had found by then is kept.")
    expect(methods_run(page)).to_have_text(str(methods_kept(race)))
    journeys.visit(page, run=race.id)
    journeys.expect_sentence(page, "This run is an experiment around a trained network.")
    page.get_by_test_id("stMain").get_by_role("link", name="Go to Conditioning").click()
    journeys.expect_page(page, "conditioning")
    expect(methods_run(page)).to_have_text(str(methods_kept(race)))
    journeys.expect_no_trouble(page)


@pytest.mark.slow
def test_a_plane_is_computed_from_the_page(page: Page, server: Server, tiny_run: Run) -> None:
    journeys.visit(page, "conditioning", run=tiny_run.id, lab="plane")
    before = {run.id for run in server.store.list()}
    journeys.button(page, "start_plane").click()
    plane = new_run(server, before)
    journeys.until(lambda: plane.status().status == "complete", "the plane is through")
    expect(page.get_by_text("33 × 33 points")).to_be_visible()
    found = read_plane(plane.path)
    assert found is not None
    assert found.nonlinear.shape == (33, 33)
    assert len(journeys.values(page, "plane_1")) > 0
    journeys.expect_no_trouble(page)


def start_race(page: Page, server: Server, base: Run, iterations: int) -> Run:
    """Ask for a race beside a refinement; returns its run."""
    journeys.visit(page, "conditioning", run=base.id, lab="race")
    form = page.locator(".st-key-race_form")
    if form.locator("summary").count():
        form.locator("summary").click()
    field = form.get_by_role("spinbutton", name="Iterations")
    field.fill(str(iterations))
    field.press("Tab")
    journeys.settle(page)
    before = {run.id for run in server.store.list()}
    journeys.button(page, "start_race").click()
    return new_run(server, before)


def new_run(server: Server, before: set[str]) -> Run:
    def fresh() -> list[Run]:
        return [run for run in server.store.list() if run.id not in before]

    journeys.until(lambda: bool(fresh()), "the job is queued")
    return fresh()[0]


def methods_run(page: Page) -> Locator:
    """The number; for a moment the one drawn before stands behind it."""
    return page.locator(".lsr-number", has=page.get_by_text("Methods run", exact=True)).locator(".lsr-value").first


def methods_kept(run: Run) -> int:
    """How many methods the run holds so far."""
    found = read_experiment(run.path, RaceRecord)
    return len(found.methods) if found else 0
