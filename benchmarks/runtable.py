"""How long the table of runs takes with 1,000 runs: one JSON line.

    python benchmarks/runtable.py [--runs 1000] [--repeats 5]

A server of its own on a folder of copies of a shipped run, of which only what the table reads is there. Cold is the first page of a server that
has seen no run, warm the following ones, each in a new browser; time runs from the address to the table, and the processor time is the server's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from _browser import open_page, processor, server

import lsr_samples
from lsr_core.storage.runs import Run
from lsr_samples.make_runs import RUNS

FILES = ("run.json", "status.json", "summary.json", "digests.json")
TABLE = '[data-testid="stDataFrame"] canvas'
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), options.runs)
        os.environ["LSR_RUNS"] = folder
        with server(None) as url:
            found = [look(url) for _ in range(options.repeats + 1)]
    warm = [seconds for seconds, _ in found[1:]]
    line = {
        "benchmark": "runtable",
        "unit": "s",
        "runs": options.runs,
        "cold": round(found[0][0], 2),
        "warm": round(statistics.median(warm), 2),
        "processor_cold": round(found[0][1], 2),
        "processor_warm": round(statistics.median(spent for _, spent in found[1:]), 2),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(line))


def fill(folder: Path, count: int) -> None:
    """Copies of the smallest shipped refinement, each under an id of its own."""
    source = lsr_samples.runs_folder() / next(entry.id for entry in RUNS if entry.name == "noisy1d")
    for place in range(count):
        run = Run(folder / uuid.uuid4().hex)
        run.path.mkdir()
        for name in FILES:
            shutil.copy2(source / name, run.path / name)
        manifest = Run(source).manifest
        run.write_manifest(
            manifest.model_copy(
                update={"id": run.path.name, "title": f"run {place}", "created": manifest.created + place}
            )
        )


def look(url: str) -> tuple[float, float]:
    """(seconds until the table is drawn in a new browser, processor seconds of the server meanwhile)."""
    with open_page() as page:
        spent, started = processor(), time.perf_counter()
        page.goto(f"{url}/runs")
        page.wait_for_selector(TABLE, timeout=120_000)
        page.wait_for_selector(IDLE, timeout=120_000)
        return time.perf_counter() - started, processor() - spent


if __name__ == "__main__":
    main()
