"""The lesson as a class sees it, in headless Chromium: one JSON line with what its six steps measure, and their seconds.

    python benchmarks/lesson.py [--url URL]

Each step is opened by its own link in a new page, predicted and run. `computing` is what the page says that the
experiment took, `waiting` the time from the click to the answer. Without `--url` a server is started, with nothing
computed before. Needs playwright and a Chromium (CHROMIUM names its program; /usr/bin/chromium is tried).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time

from _browser import open_page, server
from playwright.sync_api import Page

STEPS = range(1, 7)
PATIENCE_MS = 180_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    options = parser.parse_args()
    with server(options.url) as url, open_page() as page:
        computing, waiting, said = zip(*(run(page, url, step) for step in STEPS), strict=True)
    line = {
        "benchmark": "lesson",
        "unit": "s",
        "cores": os.cpu_count(),
        "computing": [round(seconds, 2) for seconds in computing],
        "waiting": [round(seconds, 2) for seconds in waiting],
        "total_computing": round(sum(computing), 1),
        "total_waiting": round(sum(waiting), 1),
        "measured": said,
    }
    print(json.dumps(line, ensure_ascii=False))


def run(page: Page, url: str, step: int) -> tuple[float, float, str]:
    """Seconds of computing and of waiting for the answer of one step, and the answer."""
    page.goto(f"{url}/lesson?step={step}")
    page.locator(f"h2.lsr-section:has-text('{step}. ')").wait_for(timeout=PATIENCE_MS)
    page.locator("[data-testid=stRadio] label").nth(2).click()
    button = page.locator(".st-key-run_step button:enabled")
    button.wait_for(timeout=PATIENCE_MS)
    start = time.perf_counter()
    button.click()
    page.locator(f".st-key-chart_lesson_{step} .js-plotly-plot").wait_for(timeout=PATIENCE_MS)
    waited = time.perf_counter() - start
    duration = page.locator("[data-testid=stCaptionContainer]", has_text="Computed in").first.inner_text()
    found = re.search(r"([\d.]+) s", duration)
    if found is None:
        raise SystemExit(f"step {step} does not say how long it computed: {duration!r}")
    said = (
        page.locator("[data-testid=stMain] [data-testid=stMarkdown]")
        .filter(has=page.locator("strong"))
        .first.inner_text()
    )
    return float(found.group(1)), waited, said


if __name__ == "__main__":
    main()
