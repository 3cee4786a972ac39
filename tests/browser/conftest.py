"""A dashboard that really runs, and a browser that really looks at it.

Without a Chromium the journeys are skipped with a reason; where CI is set they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lsr_samples
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run, RunStore
from lsr_samples.make_runs import SHIPPED_ID
from tests import bundles

pytest.importorskip("streamlit", reason="the dashboard is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_SECONDS = 60.0
OWN_SCHEMES = ("data", "blob", "about")


@dataclass
class Server:
    """A running dashboard: where it listens, the runs it shows, and what it said."""

    url: str
    store: RunStore
    log: Path

    def run(self, run_id: str) -> Run:
        return self.store.open(run_id)


@dataclass
class Witness:
    """What went wrong in a browser while a test looked elsewhere."""

    elsewhere: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, context: sync_api.BrowserContext) -> None:
        context.on("request", self._request)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._console)
        context.on("response", self._response)

    def _console(self, message: sync_api.ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)

    def _response(self, response: sync_api.Response) -> None:
        # Streamlit finds out which part of the address is the page by asking below it first.
        if response.status >= 400 and "/_stcore/" not in response.url:
            self.errors.append(f"{response.status} {response.url}")

    def _request(self, request: sync_api.Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in OWN_SCHEMES and address.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`lsr dashboard` on a free port, with an empty folder of runs."""
    home = tmp_path_factory.mktemp("dashboard")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Server(f"http://127.0.0.1:{port}", RunStore(home / "runs"), home / "server.log")
    command = [sys.executable, "-m", "lsr_app", "dashboard", "--no-browser", "--port", str(port)]
    with made.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--runs", str(made.store.root)], cwd=home, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(made, process)
        yield made
    finally:
        for run in made.store.list():
            queue.cancel(run)
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def shipped() -> Run:
    """The run that comes with the product."""
    return Run(lsr_samples.runs_folder() / SHIPPED_ID)


@pytest.fixture(scope="session")
def tiny_run(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A complete run that belongs to no browser."""
    bundle = bundles.write(tmp_path_factory.mktemp("bundle") / "tiny")
    run = queue.create(server.store, bundle, RefineConfig(max_rank=12), owner="test", title="tiny one")
    execute(run)
    return server.run(run.id)


@pytest.fixture(autouse=True)
def no_run_stays(server: Server, tiny_run: Run) -> Iterator[None]:
    """The journeys share a server, and its list shows the newest runs only."""
    before = {run.id for run in server.store.list()}
    yield
    for run in server.store.list():
        if run.id not in before:
            queue.cancel(run)
            server.store.delete(run)


@pytest.fixture(scope="session")
def browser() -> Iterator[sync_api.Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        reason = "no Chromium was found on the path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_api.sync_playwright() as play:
        made = play.chromium.launch(executable_path=program, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def new_page(browser: sync_api.Browser, server: Server) -> Iterator[Callable[[], sync_api.Page]]:
    """Opens pages, each in a browser context (cookies, storage) of its own; afterwards nothing may have gone wrong."""
    witness = Witness()
    contexts: list[sync_api.BrowserContext] = []
    said = server.log.stat().st_size

    def make() -> sync_api.Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=server.url)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        witness.watch(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert witness.elsewhere == []
    assert witness.errors == []
    assert "Traceback" not in server.log.read_bytes()[said:].decode("utf-8", "replace")


@pytest.fixture
def page(new_page: Callable[[], sync_api.Page]) -> sync_api.Page:
    return new_page()


def _wait_until_healthy(server: Server, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None:
                break
            time.sleep(0.1)
    pytest.fail(f"the dashboard did not start:\n{server.log.read_text(errors='replace')}")
