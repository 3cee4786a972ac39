"""A dashboard of its own and a headless Chromium in front of it, for the benchmarks that look at pages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium; CHROMIUM names the program."""
    with sync_playwright() as play:
        found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
        chromium = os.environ.get("CHROMIUM") or next(found, "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def open_page() -> Iterator[Page]:
    """A page of 1280 by 900."""
    with open_browser() as browser:
        yield browser.new_page(viewport={"width": 1280, "height": 900})


def processor() -> float:
    """Processor seconds of the servers that this process has started."""
    times = [
        child.cpu_times()
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "lsr_app.serve" in child.cmdline()
    ]
    return sum(used.user + used.system for used in times)


@contextmanager
def server(url: str | None) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    from lsr_app.places import STANDBY_VARIABLE
    from lsr_app.serve.order import Order, start

    quiet = subprocess.DEVNULL
    environment = {**os.environ, STANDBY_VARIABLE: "1"}
    with started(lambda port: start(Order("127.0.0.1", port), environment, stdout=quiet, stderr=quiet)) as address:
        yield address


@contextmanager
def started(start: Callable[[int], subprocess.Popen[bytes]]) -> Iterator[str]:
    """The address of a dashboard that `start` begins on a free port, once it answers; it ends with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = start(port)
    try:
        _answers(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a dashboard that was started is there."""
    for _ in range(480):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
        except OSError:
            if process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.25)
        else:
            return
    sys.exit("the server did not answer within two minutes")
