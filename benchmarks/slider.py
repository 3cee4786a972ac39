"""How long the pages take to follow the rank slider, in headless Chromium: one JSON line.

    python benchmarks/slider.py [--url URL] [--run ID] [--iteration ID] [--moves 20]

Without `--url` a server is started on the runs folder named by LSR_RUNS (default ./runs). Time runs from the key press
that moves the slider to the last `plotly_afterplot` of the page; on the page without figures, to the last change of the
page. `processor` is the server's for a move, where this program has started it. With `--iteration`, a run of iterative
LSR, the slider over its half steps is timed too. Needs playwright and a Chromium (CHROMIUM names its program;
/usr/bin/chromium is tried).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from typing import Any

from _browser import open_page, processor, server
from playwright.sync_api import Locator, Page

PAGES = ("overview", "rank", "fields", "path", "frequencies", "training", "conditioning", "export")
RANKS = '[data-testid="stSidebar"] input[type="range"]'
HALF_STEPS = '.st-key-w_step input[type="range"]'
QUIET_MS = 500
STILL_SECONDS = 10.0
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
WATCH = """() => {
  // Plotly's event functions are renewed when a graph is made again, so each change of the page looks for new ones.
  const hook = () => {
    for (const graph of document.querySelectorAll('.js-plotly-plot')) {
      if (graph.on && graph.__hooked !== graph.on) {
        graph.__hooked = graph.on;
        graph.on('plotly_afterplot', () => { window.__last = performance.now(); window.__plots = (window.__plots || 0) + 1; });
      }
    }
  };
  if (!window.__watching) {
    window.__watching = true;
    document.addEventListener('keydown', () => {
      window.__start = performance.now(); window.__last = null; window.__any = null; window.__plots = 0;
    }, true);
    new MutationObserver(() => { window.__any = performance.now(); hook(); }).observe(
      document.querySelector('[data-testid=stMain]'), {subtree: true, childList: true, attributes: true, characterData: true});
  }
  hook();
  return document.querySelectorAll('.js-plotly-plot').length;
}"""
READ = "() => ({start: window.__start, last: window.__last, any: window.__any, plots: window.__plots, now: performance.now()})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    parser.add_argument("--run", default="")
    parser.add_argument("--iteration", default="")
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--pages", nargs="*", default=PAGES)
    options = parser.parse_args()
    with server(options.url) as url, open_page() as page:
        results, spent = {}, {}
        for name in options.pages:
            results[name], spent[name] = measure(page, url, name, options.run, options.moves)
        if options.iteration:
            name = "half steps"
            results[name], spent[name] = measure(page, url, "frequencies", options.iteration, options.moves, HALF_STEPS)
    medians = {name: round(statistics.median(times), 3) for name, times in results.items() if times}
    slowest = {name: round(max(times), 3) for name, times in results.items() if times}
    line = {
        "benchmark": "slider",
        "unit": "s",
        "moves": options.moves,
        "cores": os.cpu_count(),
        "median": medians,
        "max": slowest,
        "processor": spent,
        "follow_no_rank": [name for name, times in results.items() if not times],
    }
    print(json.dumps(line))


def measure(page: Page, url: str, name: str, run: str, moves: int, slider: str = RANKS) -> tuple[list[float], float]:
    """(seconds of each move on one page, processor seconds of the server for a move)."""
    path = "" if name == "overview" else name
    page.goto(f"{url}/{path}" + (f"?run={run}" if run else ""))
    thumb = page.locator(slider).first
    thumb.wait_for(state="attached", timeout=60_000)
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_timeout(4000)
    times: list[float] = []
    before = processor()
    turn = min(8, int(thumb.get_attribute("max") or 8))  # short sliders are turned at their end
    for move in range(-2, moves):  # the first two warm the caches
        figures = page.evaluate(WATCH)
        press(page, thumb, "ArrowLeft" if (move + 2) % (2 * turn) < turn else "ArrowRight")
        settled = settle(page, figures > 0)
        if settled is None:
            return [], 0.0
        if move >= 0:
            times.append(settled)
    return times, round((processor() - before) / (moves + 2), 3)


def press(page: Page, thumb: Locator, key: str) -> None:
    """Move the slider by one rung; a key that came while the page was still loading is pressed again."""
    for _ in range(3):
        before = thumb.input_value()
        thumb.focus()
        page.keyboard.press(key)
        page.wait_for_timeout(20)
        if thumb.input_value() != before:
            return
        page.wait_for_timeout(1000)
    raise SystemExit("the slider does not move")


def settle(page: Page, figures: bool) -> float | None:
    """Wait until nothing was redrawn for a while; seconds from the key press to the last redraw, None where no figure of the page is of a rank."""
    begun = time.monotonic()
    deadline = begun + 20
    while time.monotonic() < deadline:
        page.wait_for_timeout(50)
        seen: dict[str, Any] = page.evaluate(READ)
        last = seen["last"] if figures else seen["any"]
        if last is not None and seen["now"] - max(last, seen["any"] or 0) > QUIET_MS and page.query_selector(IDLE):
            return float(last - seen["start"]) / 1000
        if last is None and time.monotonic() > begun + STILL_SECONDS and page.query_selector(IDLE):
            return None
    raise SystemExit("the page did not follow the slider within 20 s")


if __name__ == "__main__":
    main()
