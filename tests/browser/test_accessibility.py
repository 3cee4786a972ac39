"""Every page by axe-core: no violation of WCAG A and AA or of its best practices, in light and dark, on wide and narrow screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import journeys
from tests.browser.conftest import Server

found = pytest.importorskip("axe_playwright_python", reason="axe is not installed")
pytestmark = pytest.mark.browser
AXE = Path(found.__file__).with_name("axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
STREAMLITS = "[data-testid=stFileUploaderDropzone]"  # has the role of decoration and can be focused; its own to mend
DRAWER = "[data-testid=stSidebar]"  # is closed on a narrow screen, where axe still finds that it could be scrolled
RUN = """([tags, left]) => axe.run({exclude: left.map(one => [one])}, {runOnly: tags})
  .then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html)]))"""


def violations(browser: Browser, server: Server, path: str, theme: Any, width: int) -> list[Any]:
    context = browser.new_context(
        base_url=server.url, color_scheme=theme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    try:
        page = context.new_page()
        page.goto(f"/{path}")
        expect(page.locator(".lsr-brand")).to_be_attached()
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=3 * journeys.MILLISECONDS
        )
        page.wait_for_timeout(500)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        answer: list[Any] = page.evaluate(RUN, [TAGS, [STREAMLITS, DRAWER] if width < 600 else [STREAMLITS]])
        return answer
    finally:
        context.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_first_page(theme: str, width: int, browser: Browser, server: Server) -> None:
    assert violations(browser, server, "", theme, width) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", [*journeys.PAGES, *(f"lesson?step={step}" for step in (7, 8, 9))])
def test_every_page(path: str, theme: str, width: int, browser: Browser, server: Server) -> None:
    assert violations(browser, server, path, theme, width) == []
