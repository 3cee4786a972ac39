"""From the first page to an exported predictor without a mouse, and the keys that work on every page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from lsr_core.storage.runs import Run
from tests.browser import journeys

pytestmark = pytest.mark.browser
MOST_TABS = 60
FOCUSED = "() => ['BUTTON', 'A'].includes(document.activeElement?.tagName) ? document.activeElement.textContent : ''"


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says this."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if words in page.evaluate(FOCUSED):
            return
    pytest.fail(f"{MOST_TABS} steps of Tab do not reach {words!r}")


def press(page: Page, key: str, then: str) -> None:
    """Press a key until something is so: a page that has just been drawn may not listen yet."""
    for _ in range(10):
        page.keyboard.press(key)
        with contextlib.suppress(PlaywrightTimeoutError):
            page.wait_for_function(then, timeout=journeys.MILLISECONDS / 6)
            return
    pytest.fail(f"{key} does nothing")


def go_to(page: Page, words: str) -> None:
    """Open the box, type and choose."""
    press(page, "Control+k", "() => document.querySelector('[role=dialog] [role=combobox]')")
    box = page.get_by_role("dialog").get_by_role("combobox")
    expect(box).to_be_visible()
    while not box.evaluate("box => box === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    journeys.settle(page)


def test_from_the_first_page_to_an_exported_predictor(page: Page, tiny_run: Run, tmp_path: Path) -> None:
    journeys.visit(page)
    go_to(page, tiny_run.id[:6])
    journeys.expect_view(page, "", run=tiny_run.id)
    go_to(page, "Page: Export")
    journeys.expect_page(page, "export")
    tab_to(page, "Refined predictor at rank")
    with page.expect_download() as given:
        page.keyboard.press("Enter")
    given.value.save_as(tmp_path / "predictor.safetensors")
    assert (tmp_path / "predictor.safetensors").stat().st_size > 0


def test_keys_change_rank_and_page(page: Page, shipped: Run) -> None:
    journeys.visit(page, "rank", run=shipped.id)
    press(page, "Alt+PageDown", "() => new URL(location).searchParams.get('rank') !== null")
    journeys.settle(page)
    lower = int(journeys.view(page)["rank"])
    journeys.expect_rank(page, lower)
    press(page, "Alt+Shift+PageDown", "() => location.pathname === '/fields'")
    journeys.expect_page(page, "fields")
    assert journeys.view(page)["rank"] == str(lower)
    press(page, "Alt+Shift+PageUp", "() => location.pathname === '/rank'")
    journeys.expect_page(page, "rank")
