"""What is looked at lives in the address: the slider, links, reload, back and forward all keep to it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lsr_app.services import results
from lsr_core.storage.runs import Run
from tests.browser import journeys

pytestmark = pytest.mark.browser
PRESSED = 8


def test_the_slider_moves_the_figures_and_the_address_and_back_undoes_it(page: Page, shipped: Run) -> None:
    journeys.visit(page)
    journeys.expect_rank(page, shipped.summary.rank)
    truth, refined = (journeys.values(page, f"headline_map_{panel}") for panel in (0, 2))
    rank = journeys.move(page)
    assert rank < shipped.summary.rank
    moved = journeys.expect_other_values(page, "headline_map_2", refined)
    assert journeys.values(page, "headline_map_0") == truth
    page.go_back()
    journeys.expect_rank(page, shipped.summary.rank)
    assert journeys.expect_other_values(page, "headline_map_2", moved) == refined
    page.go_forward()
    journeys.expect_rank(page, rank)
    assert journeys.expect_other_values(page, "headline_map_2", refined) == moved


def test_keys_pressed_while_the_page_is_drawn_all_count(page: Page, shipped: Run) -> None:
    """What the server knows of the slider by then is older than where it stands in the browser."""
    journeys.visit(page, "rank", run=shipped.id)
    ladder = results.load(shipped).ladder
    begin = ladder.index(shipped.summary.rank)
    for _ in range(PRESSED):
        journeys.slider(page).press("ArrowLeft")
        page.wait_for_timeout(300)  # longer than the slider gathers keys, shorter than the page is drawn
    journeys.expect_view(page, "rank", rank=str(ladder[begin - PRESSED]))
    journeys.settle(page)
    journeys.expect_rank(page, ladder[begin - PRESSED])


@pytest.mark.slow
def test_links_reload_back_and_forward_keep_the_view_on_every_page(page: Page, shipped: Run) -> None:
    journeys.visit(page, "fields", run=shipped.id)
    page.get_by_role("radio", name="Slices").click()
    journeys.expect_view(page, "fields", section="slices")
    journeys.follow(page, "rank")
    page.locator(".st-key-w_logx label").click()
    journeys.expect_view(page, "rank", logx="1")
    page.get_by_role("radio", name="Relative L2").click()
    journeys.expect_view(page, "rank", measure="relative_l2")
    rank = journeys.move(page)
    wanted = {"run": shipped.id, "rank": str(rank), "section": "slices", "logx": "1", "measure": "relative_l2"}

    def expect_wanted(path: str) -> None:
        journeys.expect_view(page, path, **wanted)
        journeys.expect_page(page, path)
        journeys.expect_rank(page, rank)
        assert journeys.view(page) == wanted
        if path == "rank":
            expect(page.get_by_role("switch", name="Log rank")).to_be_checked()
            expect(page.get_by_role("radio", name="Relative L2")).to_be_checked()
        elif path == "fields":
            expect(page.get_by_role("radio", name="Slices")).to_be_checked()
            journeys.chart(page, "slice_errors")
        journeys.expect_no_trouble(page)

    expect_wanted("rank")
    visited = ["rank"]
    for path in ("path", "", "export", "fields", "rank"):
        journeys.follow(page, path)
        expect_wanted(path)
        page.reload()
        journeys.settle(page)
        expect_wanted(path)
        visited.append(path)
    for path in reversed(visited[:-1]):
        page.go_back()
        expect_wanted(path)
    for path in visited[1:3]:
        page.go_forward()
        expect_wanted(path)


@pytest.mark.slow
def test_two_browsers_do_not_see_each_others_selection(new_page: Callable[[], Page], shipped: Run) -> None:
    first, second = new_page(), new_page()
    journeys.visit(first, "export")
    journeys.visit(second, "export")
    rank = journeys.move(first)
    journeys.expect_rank(second, shipped.summary.rank)
    second.reload()
    journeys.settle(second)
    journeys.expect_rank(second, shipped.summary.rank)
    assert journeys.view(second) == {"run": shipped.id}
    journeys.expect_rank(first, rank)


@pytest.mark.slow
def test_a_second_run_is_laid_over_the_first(page: Page, tiny_run: Run, shipped: Run) -> None:
    journeys.visit(page, run=shipped.id)
    journeys.visit(page, run=shipped.id, compare=tiny_run.id)
    expect(page.get_by_text(re.compile("Laid over sine2d, as shipped.*tiny one"))).to_be_visible()
    journeys.follow(page, "rank")
    page.reload()
    journeys.settle(page)
    assert journeys.view(page)["compare"] == tiny_run.id
    names = journeys.chart(page, "errors").evaluate("graph => graph.data.map(trace => trace.name || '')")
    assert any("(2)" in name for name in names), names
    journeys.expect_no_trouble(page)
