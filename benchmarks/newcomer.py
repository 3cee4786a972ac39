"""Five ways to bring something of one's own, as somebody new takes them in headless Chromium: one JSON line each.

    python benchmarks/newcomer.py [--way pinn] [--url URL] [--shots FOLDER]

Time runs from opening the first page of the dashboard to the refined figure on the Overview; a step is one click, choice or upload.
Everything else stays as the page fills it in. Files are those of tests/foreign.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _browser import open_page, server
from playwright.sync_api import Locator, Page

FOREIGN = Path(__file__).parents[1] / "tests" / "foreign"
WAIT_MS = 900_000
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


class Newcomer:
    """Takes steps on a page, counts them, and photographs the page after each."""

    def __init__(self, page: Page, way: str, shots: Path | None) -> None:
        self.page, self.way, self.shots, self.steps = page, way, shots, 0

    def look(self, name: str) -> None:
        self.page.locator(SETTLED).wait_for()
        if self.shots:
            self.page.wait_for_timeout(1000)
            self.page.screenshot(path=self.shots / f"{self.way}-{self.steps:02d}-{name}.png", full_page=True)

    def click(self, what: Locator, name: str) -> None:
        what.first.click()
        self.steps += 1
        self.page.wait_for_timeout(300)
        self.look(name)

    def upload(self, key: str, file: str) -> None:
        self.page.locator(f".st-key-{key} input[type=file]").set_input_files(FOREIGN / file)
        self.steps += 1
        self.page.locator(f".st-key-{key}").get_by_test_id("stFileChipName").wait_for()  # long names are cut
        self.page.wait_for_timeout(300)
        self.look(file)

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True), name.lower().replace(" ", "-"))

    def choose(self, name: str) -> None:
        """One of several buttons in a row."""
        self.click(self.page.get_by_role("radio", name=name, exact=True), name.lower().replace(" ", "-"))


def files(weights: str, data: str) -> Callable[[Newcomer], None]:
    def way(someone: Newcomer) -> None:
        someone.upload("weights_file", weights)
        someone.upload("data_file", data)
        someone.press("Make the problem")
        someone.press("Refine it")

    return way


def pinn(someone: Newcomer) -> None:
    someone.choose("An equation")
    someone.choose("Trained weights")
    someone.upload("typed_weights", "deepxde_pinn.pt")
    someone.upload("typed_predictions", "deepxde_pinn.npz")
    someone.press("Make the problem")
    someone.press("Refine it")


def equation(someone: Newcomer) -> None:
    someone.choose("An equation")
    someone.press("Make the problem")
    someone.press("Refine it")


WAYS: dict[str, Callable[[Newcomer], None]] = {
    "mlp": files("torch_mlp.pt", "torch_mlp.npz"),
    "pinn": pinn,
    "fno": files("neuraloperator_1d.pt", "neuraloperator_1d.npz"),
    "matlab": files("torch_mlp.pt", "wave.mat"),
    "equation": equation,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--url")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs:
        os.environ["LSR_RUNS"] = runs
        with server(options.url) as url:
            for name in options.way or WAYS:
                with open_page() as page:
                    page.set_default_timeout(WAIT_MS)
                    print(json.dumps(take(page, url, name, options.shots)), flush=True)


def take(page: Page, url: str, name: str, shots: Path | None) -> dict[str, object]:
    someone = Newcomer(page, name, shots)
    started = time.perf_counter()
    page.goto(url)
    page.locator(".st-key-run_list").wait_for()
    someone.look("opened")
    someone.click(page.get_by_test_id("stSidebar").get_by_role("link", name="Bring your own"), "bring")
    WAYS[name](someone)
    before = page.locator("h1.lsr-title").inner_text()
    someone.press("Start refinement")
    page.locator("h1.lsr-title").filter(has_not_text=before).wait_for()
    figure = page.locator(".lsr-number").first  # there is none while it is at work
    figure.locator(".lsr-refined").wait_for()
    seconds = time.perf_counter() - started
    someone.look("refined")
    return {
        "benchmark": "newcomer",
        "way": name,
        "steps": someone.steps,
        "seconds": round(seconds, 1),
        "measure": figure.locator(".lsr-label").inner_text(),
        "network": figure.locator(".lsr-base").inner_text(),
        "refined": figure.locator(".lsr-refined").inner_text(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    main()
