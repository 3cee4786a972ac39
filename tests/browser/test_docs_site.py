"""The documentation from a folder on disk in a real browser: search finds pages, figures are alive, nothing is asked of the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def test_the_site_is_read_from_disk(browser: object, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run(command, cwd=ROOT, check=True, env=quiet)
    page = browser.new_page()  # type: ignore[attr-defined]
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((tmp_path / "site" / "index.html").as_uri())
    figure = page.frame_locator("iframe.figure")
    figure.locator("#fields .js-plotly-plot").first.wait_for()
    page.locator(".md-search__input").click()
    page.keyboard.type("noisy data")
    page.locator(".md-search-result__item").first.wait_for()
    assert "oisy" in page.locator(".md-search-result__list").inner_text()
    page.locator(".md-search-result__item a").first.click()
    page.wait_for_load_state()
    assert page.url.startswith("file:")
    assert [url for url in asked if url.startswith("http")] == []
    assert faults == []
    page.close()
