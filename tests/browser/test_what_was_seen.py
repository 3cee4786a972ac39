"""Layout that hid things on 9652bc1; tests/app/test_what_was_seen.py has the list."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from lsr_samples.make_runs import RUNS
from tests.browser import journeys

pytestmark = pytest.mark.browser
SCREEN = 900
WIDE = """() => [...document.querySelectorAll('[data-testid=stMain] table')].map(table => table.parentElement)
  .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.innerText.slice(0, 80))"""
COMPARED = [entry.id for entry in RUNS if entry.name in ("sine2d", "noisy1d", "digits")]
FIGURES_OF_A_RUN = ("", "rank", "fields", "path", "frequencies", "export")


def height(page: Page) -> int:
    found: int = page.locator(".stMainBlockContainer").evaluate("block => block.scrollHeight")
    return found


def test_the_overview_is_two_screens_tall(page: Page, tiny_run: Run, shipped: Run) -> None:
    """It was 2,200 to 3,850 pixels."""
    for run in (shipped, tiny_run):
        journeys.visit(page, run=run.id)
        journeys.chart(page, "headline_map_0")
        assert height(page) <= 2 * SCREEN


def test_what_is_chosen_is_seen_in_the_form(page: Page) -> None:
    journeys.visit(page, "refine")
    journeys.choose(page, "noisy1d")
    expect(page.locator(".st-key-start_form").get_by_role("combobox", name="Problem")).to_be_in_viewport()
    expect(journeys.button(page, "start")).to_be_in_viewport()


@pytest.mark.parametrize(
    "path", [*(path for path in journeys.PAGES if path != "lesson"), f"compare?runs={','.join(COMPARED)}"]
)
def test_no_table_is_cut_off(path: str, page: Page) -> None:
    journeys.visit(page, path)
    page.wait_for_timeout(300)
    assert page.evaluate(WIDE) == []


def test_the_rank_is_in_reach_on_a_phone(new_page: Callable[[], Page], shipped: Run) -> None:
    page = new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    for path in FIGURES_OF_A_RUN:
        page.goto(f"/{path}?run={shipped.id}")
        slider = page.locator(".st-key-rank_here [data-testid=stSlider]")
        expect(slider).to_be_in_viewport()
        page.locator("[data-testid=stMain]").evaluate("main => main.scrollTo(0, main.scrollHeight)")
        expect(slider).to_be_in_viewport()
