"""The first page and the walk through all pages: figures of a real run, no error, nothing from another host."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from tests.browser import journeys

pytestmark = pytest.mark.browser


def test_the_first_page_shows_a_real_run_without_a_click(page: Page, shipped: Run) -> None:
    journeys.visit(page)
    assert journeys.view(page)["run"] == shipped.id
    journeys.expect_rank(page, shipped.summary.rank)
    expect(page.locator(".lsr-number").first).to_contain_text("lower")
    for panel in range(3):
        journeys.chart(page, f"headline_map_{panel}")
    truth, network, refined = (journeys.values(page, f"headline_map_{panel}") for panel in range(3))
    assert len({truth, network, refined}) == 3
    journeys.expect_no_trouble(page)


def test_every_page_is_reached_by_its_link_and_draws_its_figures(page: Page) -> None:
    journeys.visit(page)
    for path, figures in (("rank", 5), ("fields", 6), ("path", 4), ("export", 0), ("", 3)):
        journeys.follow(page, path)
        graphs = page.locator(".js-plotly-plot .main-svg:first-child")
        expect(graphs).to_have_count(figures)
        for graph in graphs.all():
            expect(graph).to_be_visible()
        journeys.expect_no_trouble(page)
