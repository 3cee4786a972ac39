"""How long the table of runs takes with 1,000 runs to show its first row: one JSON line.

    python benchmarks/runtable.py [--runs 1000] [--repeats 5]

A server of its own on a folder of copies of a shipped run, of which only what the table reads is there. Time runs to the first frame in which
the first row has letters (the table is a canvas, whose pixels are read at every frame), in three ways:

- `click`: from the click on Runs in a dashboard that is open to the row;
- `address`: from the address to the row, in a browser that has been here before;
- `new_browser`: the same in a browser that has nothing of the dashboard yet and fetches Streamlit's scripts.

`cold` is `new_browser` for the first page of a server that has seen no run. With `--runs 1` it says how much of that is the start of Streamlit.
Processor seconds are the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from _browser import open_browser, processor, server
from playwright.sync_api import Browser, BrowserContext, Page

import lsr_samples
from lsr_core.storage.runs import Run
from lsr_samples.make_runs import RUNS

FILES = ("run.json", "status.json", "summary.json", "digests.json", "problem/problem.json")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
LINK = ".st-key-page_runs a"
WATCH = """
  window.since = 0;
  window.rowAt = new Promise((found) => { const look = () => {
    const canvas = document.querySelector('[data-testid="stDataFrame"] canvas');
    if (canvas && canvas.width > 200 && canvas.height > 80) {
      const scale = canvas.width / canvas.clientWidth;
      const box = [60, 42, 220, 22].map((length) => Math.round(length * scale));
      const pixels = canvas.getContext('2d').getImageData(...box).data;
      if (pixels.some((value, place) => value !== pixels[place % 4])) { found(performance.now()); return; }
    }
    requestAnimationFrame(look);
  }; requestAnimationFrame(look); });
  addEventListener('pointerdown', () => { window.since = performance.now(); }, true);
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), options.runs)
        os.environ["LSR_RUNS"] = folder
        with server(None) as url, open_browser() as browser:
            cold = timed(lambda: new_browser(browser, url))
            found = {"click": [], "address": [], "new_browser": []}
            for _ in range(options.repeats):
                found["new_browser"].append(timed(lambda: new_browser(browser, url)))
            with known(browser, url) as context:
                for _ in range(options.repeats):
                    found["address"].append(timed(lambda: address(context, url)))
                for _ in range(options.repeats):
                    found["click"].append(clicked(context, url))
    line = {
        "benchmark": "runtable",
        "unit": "s",
        "runs": options.runs,
        "cold": round(cold[0], 2),
        **{way: round(statistics.median(seconds for seconds, _ in pairs), 2) for way, pairs in found.items()},
        "worst": {way: round(max(seconds for seconds, _ in pairs), 2) for way, pairs in found.items()},
        "processor": {
            "cold": round(cold[1], 2),
            **{way: round(statistics.median(spent for _, spent in pairs), 2) for way, pairs in found.items()},
        },
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line))


def fill(folder: Path, count: int) -> None:
    """Copies of the smallest shipped refinement, each under an id of its own."""
    source = lsr_samples.runs_folder() / next(entry.id for entry in RUNS if entry.name == "noisy1d")
    for place in range(count):
        run = Run(folder / uuid.uuid4().hex)
        (run.path / "problem").mkdir(parents=True)
        for name in FILES:
            shutil.copy2(source / name, run.path / name)
        manifest = Run(source).manifest
        run.write_manifest(
            manifest.model_copy(
                update={"id": run.path.name, "title": f"run {place}", "created": manifest.created + place}
            )
        )


def timed(way: Callable[[], float]) -> tuple[float, float]:
    """(seconds to the first row, processor seconds of the server meanwhile)."""
    spent = processor()
    return way(), processor() - spent


def context_of(browser: Browser) -> BrowserContext:
    """A browser that has nothing of the dashboard, with the watch on its pages."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    return context


def known(browser: Browser, url: str) -> BrowserContext:
    """A browser in which the table was opened twice, after which Chromium keeps its scripts compiled."""
    context = context_of(browser)
    for _ in range(2):
        address(context, url)
    return context


def new_browser(browser: Browser, url: str) -> float:
    with context_of(browser) as context:
        return address(context, url)


def address(context: BrowserContext, url: str) -> float:
    """Seconds from the address to the first row, in a new page."""
    with context.new_page() as page:
        page.goto(f"{url}/runs")
        return row(page)


def clicked(context: BrowserContext, url: str) -> tuple[float, float]:
    """(seconds from the click on Runs to the first row, processor seconds of the server meanwhile), in a dashboard that is open."""
    with context.new_page() as page:
        page.goto(f"{url}/refine")
        page.wait_for_selector(LINK, timeout=120_000)
        page.wait_for_selector(IDLE, timeout=120_000)
        page.wait_for_timeout(1500)
        spent = processor()
        page.click(LINK)
        return row(page), processor() - spent


def row(page: Page) -> float:
    """Seconds until the first row was drawn, once the page is at rest."""
    seconds: float = page.evaluate("window.rowAt.then((at) => (at - window.since) / 1000)")
    page.wait_for_selector(IDLE, timeout=120_000)
    page.wait_for_timeout(300)
    return seconds


if __name__ == "__main__":
    main()
