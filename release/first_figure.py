"""How long somebody waits from an empty machine to the first figure: environment, installation of the wheel, dashboard, figure in a browser.

    python -m release.first_figure [--limit SECONDS] [--compile]

The libraries are downloaded beforehand, which is not counted. They are installed as docs/start.md says, without compiling what may never be
imported; --compile leaves that to pip. Prints seconds for each part, those of the processor too, and ends with 1 beyond the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from release.distributions import wheel
from release.environment import Environment
from release.project import CONSTRAINTS

PORT = 18527
LIMIT = 180.0
FIGURE = ".js-plotly-plot .main-svg"


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--limit", type=float, default=LIMIT, help="seconds")
    options.add_argument(
        "--compile", action="store_true", help="compile every module while it is installed, as pip does by itself"
    )
    given = options.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lsr-first-") as folder:
        built = wheel(Path(folder, "dist"))
        store = Path(folder, "store")
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(store), "-c", str(CONSTRAINTS)]
        subprocess.run([*download, f"{built}[dashboard]"], check=True)
        parts: dict[str, float] = {}
        began = time.perf_counter()
        place = Environment(Path(folder))
        parts["environment"] = time.perf_counter() - began
        began = time.perf_counter()
        compiled = [] if given.compile else ["--no-compile"]
        worked = _processor()
        place.install(
            *compiled, "--no-index", "--find-links", str(store), "-c", str(CONSTRAINTS), f"{built}[dashboard]"
        )
        parts["install"] = time.perf_counter() - began
        installed = _processor()
        parts |= _figure(place)
    total = sum(parts.values())
    processor = {"install": round(installed - worked, 1), "dashboard": round(_processor() - installed, 1)}
    rounded = {name: round(seconds, 1) for name, seconds in parts.items()}
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    print(
        json.dumps(
            {
                "benchmark": "first_figure",
                **rounded,
                "total": round(total, 1),
                "processor": processor,
                "cores": os.cpu_count(),
                "load": load,
            }
        )
    )
    return int(total > given.limit)


def _processor() -> float:
    """Processor seconds of the programs that were started here and have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def _figure(place: Environment) -> dict[str, float]:
    """Seconds until the page answers, and from there until the first figure stands in the browser."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    url = f"http://127.0.0.1:{PORT}/"
    began = time.perf_counter()
    command = [str(place.lsr), "dashboard", "--no-browser", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=place.folder, env=place.variables(), stderr=subprocess.DEVNULL)
    try:
        while not _answers(url):
            if server.poll() is not None:
                raise RuntimeError(f"the dashboard ended with {server.returncode}")
            time.sleep(0.2)
        answered = time.perf_counter()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(url)
            page.locator(FIGURE).first.wait_for(timeout=300_000)
            drawn = time.perf_counter()
            browser.close()
    finally:
        server.terminate()
        server.wait()
    return {"server": answered - began, "figure": drawn - answered}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
