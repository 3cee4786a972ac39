"""Runs with a share of the parameters: queued by one button, drawn as they end, chosen by a name that is typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_missing_shares_are_refined_and_drawn_as_they_end(page: Page, tiny_run: Run, server: Server) -> None:
    before = {run.id for run in server.store.list()}
    journeys.visit(page, "rank", run=tiny_run.id)
    journeys.button(page, "shares_start").click()
    expect(page.get_by_text("queued or at work")).to_be_visible()

    def made() -> list[Run]:
        return [run for run in server.store.list() if run.id not in before]

    journeys.until(
        lambda: len(made()) == 4 and all(run.status().status == "complete" for run in made()),
        "all shares are refined",
        120,
    )
    journeys.chart(page, "shares")
    expect(page.get_by_text("queued or at work")).to_have_count(0)
    expect(page.locator(".st-key-shares_start")).to_have_count(0)
    assert sorted(run.manifest.config.parameter_fraction for run in made()) == [0.01, 0.03, 0.1, 0.3]


@pytest.mark.slow
def test_layers_are_chosen_from_the_list_or_typed(page: Page) -> None:
    journeys.visit(page)
    journeys.choose(page, "noisy1d")
    journeys.open_advanced(page)
    box = page.get_by_role("combobox", name="Layers")
    box.fill("nothing*")
    box.press("Enter")
    journeys.expect_sentence(page, "no parameter name matches")
    box.fill("*.bias")
    page.get_by_role("option", name="*.bias", exact=True).click()
    expect(page.get_by_text("no parameter name matches")).to_have_count(0)
