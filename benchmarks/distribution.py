"""How long the page of a batch of functions takes to open, in headless Chromium: one JSON line.

    python benchmarks/distribution.py [--run ID] [--url URL] [--loads 7]

Without `--run`, an id below the runs folder named by LSR_RUNS, 300 functions of antiderivative are refined first, in a folder that
goes away. Time runs from the navigation to the run's link until the distribution of errors is drawn. `first` is the first page that
a new server gives, to a new browser; `new_browser` a later one for a browser that has nothing cached, `known_browser` one for a
browser that has seen the dashboard.
CPU seconds are of one load in a known browser until everything on the page is at rest; a busy machine disturbs them least.
Needs playwright and a Chromium (CHROMIUM names its program; /usr/bin/chromium is tried).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from _browser import open_browser, server
from playwright.sync_api import Browser, BrowserContext, Page

DRAWN = ".st-key-chart_function_errors .scatterlayer .js-line"
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PATIENCE_MS = 120_000
CASES = 300
TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", help="a finished batch in the runs folder named by LSR_RUNS")
    parser.add_argument("--url")
    parser.add_argument("--loads", type=int, default=7)
    options = parser.parse_args()
    with batch(options.run) as run, server(options.url) as url, open_browser() as browser:
        link = f"{url}/?run={run}"
        first = new_browser(browser, link)
        new = [new_browser(browser, link) for _ in range(options.loads)]
        known, work = known_browser(browser, link, options.loads)
    line = {
        "benchmark": "distribution",
        "unit": "s",
        "cores": os.cpu_count(),
        "first": round(first, 2),
        "new_browser": spread(new),
        "known_browser": spread(known),
        "cpu_seconds": {name: round(statistics.median(load[name] for load in work), 2) for name in work[0]},
    }
    print(json.dumps(line))


@contextmanager
def batch(run: str | None) -> Iterator[str]:
    """The run's id; a batch of its own where none is named."""
    if run:
        yield run
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LSR_RUNS"] = folder
        made = subprocess.run(
            [sys.executable, "-m", "lsr_app", "refine", "antiderivative", "--cases", str(CASES), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        yield json.loads(made.stdout)["run"]


def new_browser(browser: Browser, link: str) -> float:
    """Seconds of one load with empty caches."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        return load(settled(context), link)
    finally:
        context.close()


def known_browser(browser: Browser, link: str, loads: int) -> tuple[list[float], list[dict[str, float]]]:
    """Seconds of loads with what the browser keeps from the one before, and the work that each is for both sides."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    load(page := settled(context), link)
    times, work = [], []
    for _ in range(loads):
        page.wait_for_timeout(1500)
        before = cpu_seconds()
        times.append(load(page, link))
        page.wait_for_selector(IDLE, timeout=PATIENCE_MS)
        page.wait_for_timeout(1500)
        work.append({name: total - before[name] for name, total in cpu_seconds().items()})
    context.close()
    return times, work


def settled(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("about:blank")
    return page


def load(page: Page, link: str) -> float:
    """Seconds until the distribution is drawn."""
    started = time.perf_counter()
    page.goto(link, wait_until="commit")
    page.locator(DRAWN).first.wait_for(state="attached", timeout=PATIENCE_MS)
    return time.perf_counter() - started


def cpu_seconds() -> dict[str, float]:
    """Work so far of the processes that this one started: Chromium's, and the server's with its workers."""
    parents, names, spent = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (folder / "stat").read_text().rsplit(")", 1)
        except OSError:
            continue
        fields, number = rest.split(), int(folder.name)
        parents[number], names[number] = int(fields[1]), name.split("(", 1)[1]
        spent[number] = (int(fields[11]) + int(fields[12])) / TICK
    total = {"browser": 0.0, "server": 0.0}
    for number, seconds in spent.items():
        above = parents[number]
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and names[number] != "node":  # Playwright's driver
            total["browser" if "chrom" in names[number].lower() else "server"] += seconds
    return total


def spread(times: list[float]) -> dict[str, float]:
    return {name: round(of(times), 2) for name, of in (("min", min), ("median", statistics.median), ("max", max))}


if __name__ == "__main__":
    main()
