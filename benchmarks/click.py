"""From the click on Start to the figures, sine2d at rank 1000 in headless Chromium: one JSON line.

    python benchmarks/click.py [--repeats 3] [--rank 1000]

A server of its own on an empty runs folder. Time runs from the click to the moment every figure of the Overview has been drawn; in it are
the start of the worker process, the refinement with all errors, the loss paths and the writing and reading of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time

from _browser import open_page, server
from playwright.sync_api import Page

WAIT_MS = 180_000
DRAWN = """() => {
  const graphs = [...document.querySelectorAll('[data-testid=stMain] .js-plotly-plot')].filter(graph => graph.offsetParent);
  return graphs.length >= 2 && graphs.every(graph => graph.querySelector('.main-svg'));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rank", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as runs:
        os.environ["LSR_RUNS"] = runs
        with server(None) as url:
            times = []
            for repetition in range(options.repeats):
                with open_page() as page:
                    times.append(click(page, url, options.rank))
                print(f"{repetition + 1}/{options.repeats}: {times[-1]:.2f} s", file=sys.stderr, flush=True)
    line = {
        "benchmark": "click",
        "rank": options.rank,
        "seconds": round(statistics.median(times), 2),
        "all_seconds": [round(seconds, 2) for seconds in times],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line))


def click(page: Page, url: str, rank: int) -> float:
    """Fill the form, press Start, wait for the figures."""
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{url}/refine")
    page.locator(".st-key-choose_sine2d button:visible").first.click()
    field = page.locator(".st-key-start_form").get_by_role("spinbutton", name="Maximum rank")
    field.fill(str(rank))
    field.press("Tab")
    page.wait_for_timeout(3000)
    before = page.url
    page.locator(".st-key-start button:visible").first.click()
    started = time.perf_counter()
    page.wait_for_url(lambda now: now != before and "run=" in now, wait_until="commit")
    page.locator(".st-key-progress").first.wait_for()
    page.locator(".st-key-progress").first.wait_for(state="detached")
    page.wait_for_function(DRAWN)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
