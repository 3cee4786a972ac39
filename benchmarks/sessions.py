"""Ten browsers at once on one server, each with a problem and a run of its own: is anything of one seen by another, and how long do pages take?

    python -m benchmarks.sessions [--sessions 10] [--seconds 120]

Every browser has its own cookies and has uploaded a bundle. It goes round the pages of its own run and its own list, and looks on each
for the names of the others.
Prints one JSON line; `response` is from the click on a link of the sidebar until the page is drawn and the server is silent, in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Error, Page, async_playwright

from benchmarks._browser import FLAGS, server
from lsr_app.owning import owner, ownproblems
from lsr_app.places import RUNS_VARIABLE
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.runs import RunStore

PAGES = {
    "rank": "Rank", "fields": "Error fields", "bring": "Bring your own", "path": "Loss path", "export": "Export", "": "Overview",
}  # fmt: skip
PATIENCE = 180_000


@dataclass
class Session:
    """One browser: its page, what it calls its own, and what was found."""

    page: Page
    name: str
    run: str
    responses: list[float] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def settled(page: Page) -> None:
    app = page.get_by_test_id("stApp")
    await page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning' && document.querySelector('.lsr-brand')"
    )
    await app.wait_for()


async def begin(browser: Browser, base: str, number: int, store: RunStore, folder: Path, one: asyncio.Lock) -> Session:
    """Open a browser, upload a bundle on its page, and give its owner an unlisted run of it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, base_url=base)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto("/")
    await settled(page)
    cookies = {cookie.get("name", ""): cookie.get("value", "") for cookie in await context.cookies()}
    name = f"problem-of-session-{number:02d}"
    who = owner.of(cookies, {})
    problem = replace(load_problem("noisy1d"), name=name, title=name)
    save_problem(folder / name, problem)
    archive = shutil.make_archive(str(folder / name), "zip", folder / name)
    await page.goto("/bring?way=bundle")
    await settled(page)
    await page.get_by_test_id("stFileUploader").locator("input[type=file]").first.set_input_files(archive)
    await page.get_by_role("button", name="Forget", exact=True).wait_for()
    (brought,) = ownproblems.names(who).values()
    run = queue.create(store, brought, RefineConfig(max_rank=20 + number), owner=who, title=name)
    run.write_manifest(run.manifest.model_copy(update={"listed": False}))
    async with one:  # a refinement is not made for threads beside it
        await asyncio.to_thread(execute, run)
    await page.goto(f"/?run={run.id}")
    await settled(page)
    return Session(page, name, run.id)


async def go_round(session: Session, others: list[str], until: float) -> None:
    """Visit one page after the other until the time is over."""
    page = session.page
    while time.monotonic() < until:
        for path, title in PAGES.items():
            if time.monotonic() >= until:
                return
            try:
                link = page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True)
                start = time.perf_counter()
                await link.click()
                if path:
                    await page.locator("h1.lsr-title", has_text=title).wait_for()
                else:
                    await page.get_by_text("Words used here").first.wait_for()
                await settled(page)
                session.responses.append(time.perf_counter() - start)
                text = await page.locator("body").inner_text()
            except Error as error:
                session.failed.append(f"{path or 'overview'}: {str(error).splitlines()[0]}")
                await page.goto(f"/?run={session.run}")
                continue
            session.foreign += [f"{path}: {other}" for other in others if other in text or other in page.url]
            if session.run not in page.url or (path == "bring" and session.name not in text):
                session.failed.append(f"{path or 'overview'}: its own run or problem is not there")
            if "Traceback" in text or await page.get_by_test_id("stException").count():
                session.failed.append(f"{path or 'overview'}: an exception is shown")


async def measure(base: str, sessions: int, seconds: float, folder: Path) -> dict[str, object]:
    store = RunStore(folder / "runs")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=FLAGS)
        one = asyncio.Lock()
        made = await asyncio.gather(*(begin(browser, base, number, store, folder, one) for number in range(sessions)))
        until = time.monotonic() + seconds
        names = {one.name for one in made} | {one.run for one in made}
        await asyncio.gather(*(go_round(one, sorted(names - {one.name, one.run}), until) for one in made))
        await browser.close()
    times = np.array([value for one in made for value in one.responses])
    return {
        "benchmark": "sessions",
        "sessions": sessions,
        "seconds": seconds,
        "pages": len(times),
        "fewest_pages_of_a_session": min(len(one.responses) for one in made),
        "failed": [line for one in made for line in one.failed],
        "cross_talk": [line for one in made for line in one.foreign],
        "response_median": float(np.median(times)),
        "response_p95": float(np.quantile(times, 0.95)),
        "cpu_count": os.cpu_count(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[RUNS_VARIABLE] = str(Path(scratch) / "runs")
        with server(None) as base:
            result = asyncio.run(measure(base, given.sessions, given.seconds, Path(scratch)))
    print(json.dumps(result))
    return 1 if result["failed"] or result["cross_talk"] else 0


if __name__ == "__main__":
    sys.exit(main())
