"""From a server that has just started to the first figure in a browser that has never been there: one JSON line.

    python benchmarks/firstfigure.py [--repeats 3]

The server answers, a new Chromium asks for the first page at once, and the time runs from the address to the first figure that is drawn.
`starting` is the time before, from the command to the answer; `processor` the server's, from its start to the figure.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time

from _browser import open_page, processor, server

DRAWN = "() => [...document.querySelectorAll('.js-plotly-plot .main-svg')].some(graph => graph.getBoundingClientRect().height > 50)"
PATIENCE_MS = 120_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    found = [once() for _ in range(options.repeats)]
    names = ("first_figure", "starting", "processor")
    line = {
        "benchmark": "firstfigure",
        "unit": "s",
        **{
            name: round(statistics.median(values), 2)
            for name, values in zip(names, zip(*found, strict=True), strict=True)
        },
        "all": [round(seconds, 2) for seconds, *_ in found],
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line))


def once() -> tuple[float, float, float]:
    """(address to figure, start to answer, processor) of one server and one browser; the browser is opened before the server."""
    with open_page() as page:
        begun = time.perf_counter()
        with server(None) as url:
            started = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_function(DRAWN, timeout=PATIENCE_MS, polling=20)
            return time.perf_counter() - started, started - begun, processor()


if __name__ == "__main__":
    main()
