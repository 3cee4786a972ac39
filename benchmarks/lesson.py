"""The lesson as a class sees it, in headless Chromium: one JSON line with what its steps, cells and dials measure, and their seconds.

    python benchmarks/lesson.py [--url URL]

Each of the six experiments and each of the four cells is opened by its own link in a new page, predicted and run. `computing` is what the page says
that the experiment took, `waiting` the time from the click to the answer, `processor` the server's meanwhile. A dial is moved from end to end, a
step of its slider at a time: the slowest and the median answer. Without `--url` a server is started, with nothing computed before. Needs
playwright and a Chromium (CHROMIUM names its program; /usr/bin/chromium is tried).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import time

from _browser import open_page, processor, server
from playwright.sync_api import Page

STEPS = {f"step {number}": (f"step={number}", f"lesson_{number}") for number in range(1, 7)}
CELLS = {f"cell {name}": (f"step=7&cell={name}", "lesson_cells") for name in ("plain", "ill", "valleys", "both")}
DIALS = {
    "step size, kappa": (8, "kappa", "lesson_bowl"), "step size, rate": (8, "rate", "lesson_bowl"),
    "precision, kappa": (9, "kappa", "lesson_precision"), "precision, bits": (9, "bits", "lesson_precision"),
}  # fmt: skip
PATIENCE_MS = 180_000
TURNS = 12  # of a dial, at most
SPOKEN = "key => [...document.querySelectorAll(`.st-key-chart_${key} .js-plotly-plot .scatterlayer`)].map(layer => layer.innerHTML).join()"
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url")
    options = parser.parse_args()
    with server(options.url) as url, open_page() as page:
        ran = {name: run(page, url, *where) for name, where in {**STEPS, **CELLS}.items()}
        turned = {name: turn(page, url, *dial) for name, dial in DIALS.items()}
    parts = {
        part: {name: found[place] for name, found in ran.items()}
        for place, part in enumerate(("computing", "waiting", "processor", "measured"))
    }
    line = {
        "benchmark": "lesson",
        "unit": "s",
        **parts,
        "dials": {
            name: {"slowest": max(times), "median": round(statistics.median(times), 2)}
            for name, times in turned.items()
        },
        "slowest": max([*parts["waiting"].values(), *(max(times) for times in turned.values())]),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line, ensure_ascii=False))


def run(page: Page, url: str, query: str, chart: str) -> tuple[float, float, float, str]:
    """Seconds of computing, of waiting for the answer and of the server's processor, and the answer."""
    page.goto(f"{url}/lesson?{query}")
    page.locator("[data-testid=stRadio] label").nth(2).wait_for(timeout=PATIENCE_MS)
    page.wait_for_selector(IDLE, timeout=PATIENCE_MS)
    page.locator("[data-testid=stRadio] label:has(input)").nth(2).click()
    button = page.locator(".st-key-run_step button:enabled")
    button.wait_for(timeout=PATIENCE_MS)
    start, spent = time.perf_counter(), processor()
    button.click()
    page.locator(f".st-key-chart_{chart} .js-plotly-plot").first.wait_for(timeout=PATIENCE_MS)
    waited, spent = time.perf_counter() - start, processor() - spent
    duration = page.locator("[data-testid=stCaptionContainer]", has_text="Computed in").first.inner_text()
    found = re.search(r"([\d.]+) (m?s)", duration)
    if found is None:
        raise SystemExit(f"{query} does not say how long it computed: {duration!r}")
    said = page.locator("[data-testid=stMain] .lsr-answers").first.inner_text()
    return (
        float(found[1]) / (1000 if found[2] == "ms" else 1),
        round(waited, 2),
        round(spent, 2),
        " ".join(said.split()),
    )


def turn(page: Page, url: str, step: int, dial: str, chart: str) -> list[float]:
    """Seconds from each move of a dial to its figure."""
    page.goto(f"{url}/lesson?step={step}")
    page.locator(f".st-key-chart_{chart} .js-plotly-plot .scatterlayer").first.wait_for(timeout=PATIENCE_MS)
    page.wait_for_selector(IDLE, timeout=PATIENCE_MS)
    thumb = page.locator(f".st-key-w_{dial} input[type=range]")
    thumb.press("Home")
    page.wait_for_timeout(1500)
    page.wait_for_selector(IDLE, timeout=PATIENCE_MS)
    times = []
    for _ in range(min(TURNS, int(thumb.get_attribute("max") or 0))):
        before, started = page.evaluate(SPOKEN, chart), time.perf_counter()
        thumb.press("ArrowRight")
        page.wait_for_function(
            f"([before, key]) => ({SPOKEN})(key) !== before", arg=[before, chart], timeout=PATIENCE_MS, polling=20
        )
        times.append(round(time.perf_counter() - started, 2))
    return times


if __name__ == "__main__":
    main()
