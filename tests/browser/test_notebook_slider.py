"""The rank slider of a notebook in a real browser: numbers and maps follow, nothing is asked for elsewhere."""

from __future__ import annotations

import pytest

import lsr_app
from lsr_samples.make_runs import SHIPPED_ID

pytestmark = pytest.mark.browser


def test_the_slider_moves_numbers_and_maps_without_the_network(browser: object) -> None:
    page = browser.new_page()  # type: ignore[attr-defined]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(f"<!doctype html><body>{lsr_app.slider(SHIPPED_ID)._repr_html_()}</body>")
    frame = page.frame_locator("iframe")
    rank = frame.locator("#shown")
    frame.locator("#fields .js-plotly-plot").first.wait_for()
    before = rank.inner_text(), frame.locator("#error").inner_text()
    frame.locator("#slider").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(200)
    assert rank.inner_text() != before[0]
    assert frame.locator("#error").inner_text() != before[1]
    assert [url for url in asked if not url.startswith(("about:", "data:", "blob:"))] == []
    page.close()
