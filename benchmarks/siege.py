"""A dashboard under load that no fair visitor makes, and how long another visitor's page takes meanwhile.

    python -m benchmarks.siege [--seconds 60]

Server and attackers are on this machine, may open 1,024 files each (the attackers as many as they need), and end by themselves. In turn and
then all at once: 2,000 half-open connections, 240 sessions, 50 uploads, 300 jobs of three visitors, the first of which are worked on. Every
second another visitor asks for the page, the server's health, and lets the script of an open page run.
Prints a JSON line for each; times in seconds, memory in MB of the server without its worker. Fails where a limit is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks._attackers import HOST, new_cookie, run_page, session
from lsr_app.places import RUNS_VARIABLE
from lsr_app.serve.order import Order, start

FILES = 1024
WANTED = {"slowest": 3.0, "memory": 1500.0, "log": 5.0}
SIEGES: dict[str, dict[str, int]] = {
    "half_open": {"half_open": 2000},
    "sessions": {"sessions": 240},
    "uploads": {"uploads": 50},
    "jobs": {"jobs": 300},
    "all": {"half_open": 2000, "sessions": 240, "uploads": 50, "jobs": 300},
}


@contextmanager
def besieged(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A server with few files, its port and process."""
    import socket

    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, RUNS_VARIABLE: str(folder / "runs")}
    with (folder / "log").open("wb") as log:
        server = start(
            Order(HOST, port),
            environment,
            stdout=log,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
        )
        try:
            for _ in range(240):
                try:
                    ask(port, "/_stcore/health")
                    break
                except OSError:
                    time.sleep(0.25)
            yield port, psutil.Process(server.pid)
        finally:
            server.terminate()
            server.wait(timeout=20)


def ask(port: int, path: str) -> float:
    """Seconds until a page is there."""
    begun = time.perf_counter()
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=30) as answer:
        answer.read()
    return time.perf_counter() - begun


async def watch(port: int, process: psutil.Process, until: float) -> dict[str, object]:
    """Be another visitor until then."""
    times: dict[str, list[float]] = {"page": [], "health": [], "script": [], "new": []}
    failed: list[str] = []
    memory = files = 0.0
    begun_with = sum(process.cpu_times()[:2])
    mine = new_cookie()

    async def newcomer() -> float:
        begun = time.perf_counter()
        async with session(port, mine) as opened:
            await run_page(opened)
        return time.perf_counter() - begun

    async def rerun() -> float:
        begun = time.perf_counter()
        await run_page(page)
        return time.perf_counter() - begun

    async with session(port, mine) as page:
        await run_page(page)
        turn = 0
        while time.monotonic() < until:
            begun = time.monotonic()
            todo = {
                "page": asyncio.to_thread(ask, port, "/"),
                "health": asyncio.to_thread(ask, port, "/_stcore/health"),
                "script": rerun(),
            }
            if turn % 10 == 9:
                todo["new"] = newcomer()
            for kind, found in zip(todo, await asyncio.gather(*todo.values(), return_exceptions=True), strict=True):
                times[kind].append(found) if isinstance(found, float) else failed.append(f"{kind}: {found!r}"[:200])
            memory = max(memory, process.memory_info().rss / 1e6)
            files = max(files, process.num_fds())
            turn += 1
            await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - begun)))
    slowest = {kind: round(max(found), 3) for kind, found in times.items() if found}
    usual = {kind: round(statistics.median(found), 3) for kind, found in times.items() if found}
    processor = sum(process.cpu_times()[:2]) - begun_with
    return {
        "asked": turn,
        "slowest": slowest,
        "median": usual,
        "processor": round(processor, 1),
        "failed": failed[:5],
        "failures": len(failed),
        "memory": round(memory),
        "files": files,
    }


def siege(name: str, seconds: float) -> dict[str, object]:
    """One siege of a server of its own."""
    with tempfile.TemporaryDirectory() as scratch, besieged(Path(scratch)) as (port, process):
        asyncio.run(watch(port, process, time.monotonic() + 5))  # what is slow once is not counted
        attackers = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks._attackers", kind, str(port), str(count), str(seconds)],
                stdout=subprocess.PIPE,
                env={**os.environ, RUNS_VARIABLE: str(Path(scratch) / "runs")},
            )
            for kind, count in SIEGES[name].items()
        ]
        seen = asyncio.run(watch(port, process, time.monotonic() + seconds))
        said = [json.loads(one.communicate(timeout=120)[0] or b"{}") for one in attackers]
        after = asyncio.run(watch(port, process, time.monotonic() + 5))
        log = (Path(scratch) / "log").stat().st_size / 1e6
        attacks = dict(zip(SIEGES[name], said, strict=True))
        return {
            "benchmark": "siege",
            "siege": name,
            **seen,
            "log": round(log, 3),
            "attackers": attacks,
            "after": after["slowest"],
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=SIEGES)
    given = parser.parse_args()
    kept = True
    for name in [given.only] if given.only else SIEGES:
        found = siege(name, min(given.seconds, 180.0))
        print(json.dumps(found), flush=True)
        slowest = max(found["slowest"].values())  # type: ignore[attr-defined]
        figures = {"slowest": slowest, "memory": found["memory"], "log": found["log"]}
        kept &= all(figures[key] <= most for key, most in WANTED.items()) and not found["failures"]
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
