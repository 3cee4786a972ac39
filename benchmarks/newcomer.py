"""Ways to bring something of one's own, as somebody new takes them in headless Chromium: one JSON line each.

    python benchmarks/newcomer.py [--way pinn] [--url URL] [--shots FOLDER]

Time runs from opening the first page of the dashboard to the refined predictor in the download folder, read again; a step is one click,
choice or upload.
Everything else stays as the page fills it in. Files are those of tests/foreign, or made before the clock starts with the libraries that
they stand for. Where code is what one has (transformers, DeepXDE's callback), a command or a training makes the run, within the time, and
the page shows it.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import _brought
import torch
from _browser import open_page, server, started
from _typist import write_field, write_table
from playwright.sync_api import Locator, Page

import lsr_core
from lsr_core.portable.check import evaluate
from lsr_core.problems.splits import Split
from lsr_core.suites import references

FOREIGN = Path(__file__).parents[1] / "tests" / "foreign"
STEP_MS, WAIT_MS = 180_000, 600_000  # a machine that does much else takes minutes for its first page
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


class Newcomer:
    """Takes steps on a page, counts them, and photographs the page after each."""

    def __init__(self, page: Page, way: str, shots: Path | None) -> None:
        self.page, self.way, self.shots, self.steps = page, way, shots, 0

    def look(self, name: str) -> None:
        self.page.locator(".lsr-brand").wait_for()  # a page that has not begun is not running either
        self.page.locator(SETTLED).wait_for()
        if self.shots:
            self.page.wait_for_timeout(1000)
            self.page.screenshot(path=self.shots / f"{self.way}-{self.steps:02d}-{name}.png", full_page=True)

    def click(self, what: Locator, name: str) -> None:
        what.first.click()
        self.steps += 1
        self.page.wait_for_timeout(300)
        self.look(name)

    def upload(self, key: str, file: str | Path) -> None:
        self.page.locator(f".st-key-{key} input[type=file]").set_input_files(FOREIGN / file)
        self.steps += 1
        self.page.locator(f".st-key-{key}").get_by_test_id("stFileChipName").wait_for()  # long names are cut
        self.page.wait_for_timeout(300)
        self.look(Path(file).name)

    def press(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True), name.lower().replace(" ", "-"))

    def follow(self, title: str) -> None:
        """A link to a page in the sidebar."""
        link = self.page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True)
        self.click(link, title.lower().replace(" ", "-"))

    def take_away(self, folder: Path) -> Path:
        """The refined predictor, downloaded from the page Export."""
        self.follow("Export")
        with self.page.expect_download() as started:
            self.page.locator(".st-key-predictor button:visible").first.click()
        self.steps += 1
        started.value.save_as(folder / started.value.suggested_filename)
        return folder / started.value.suggested_filename

    def fill_from(self, name: str, then: str) -> None:
        """A ready-made equation, or the empty form; until the check says what is now in it."""
        self.page.locator(".st-key-typed_ready").get_by_role("combobox").click()
        self.page.get_by_role("option", name=name).click()
        self.steps += 1
        self.press("Fill the form")
        self.page.get_by_text(then).first.wait_for()

    def rows(self, table: str, rows: list[tuple[str, ...]]) -> None:
        """A table of the form, typed; each cell is a step."""
        write_table(self.page, table, rows)
        self.steps += sum(map(len, rows))
        self.look(table)

    def choose(self, name: str) -> None:
        """One of several buttons in a row."""
        self.click(self.page.get_by_role("radio", name=name, exact=True), name.lower().replace(" ", "-"))


def files(weights: str | Path, data: str | Path) -> Callable[[Newcomer], None]:
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


def holed(someone: Newcomer) -> None:
    """Typed from nothing: an L with a hole, values, fluxes and exchange at the hole, and no known solution."""
    someone.choose("An equation")
    someone.fill_from("Nothing: an empty form", "there is none; write a name such as x")
    someone.rows("inputs", [("x", "-1", "1"), ("y", "-1", "1")])
    someone.rows("shapes", [("corner", "polygon(-1,-1, 0,-1, 0,0, 1,0, 1,1, -1,1)"), ("hole", "disk(-0.4, 0.4, 0.3)")])
    write_field(someone.page, "domain", "corner - hole")
    someone.rows("equations", [("laplace(u) = 2*exp(x + y)",)])
    someone.rows(
        "conditions",
        [
            ("x = -1, x = 1, y = -1, y = 1", "u = exp(x + y)"),
            ("x = 0 and y < 0", "dn(u) = exp(x + y)"),
            ("y = 0 and x > 0", "dn(u) = -exp(x + y)"),
            ("hole", "dn(u) + 2*u = (2 - (x + y)/0.3)*exp(x + y)"),
        ],
    )
    someone.steps += 1
    someone.press("Make the problem")
    someone.press("Refine it")


def cavity(someone: Newcomer) -> None:
    """The flow under a lid, Reynolds number 100, from a network that was never trained, by Gauss-Newton steps."""
    someone.choose("An equation")
    someone.fill_from("Flow under a lid", "Not linear in the unknown")
    someone.press("Make the problem")
    someone.press("Refine it")
    steps = someone.page.locator(".st-key-start_form").get_by_role("spinbutton", name="Gauss-Newton steps")
    steps.fill("12")
    steps.press("Tab")
    someone.steps += 1
    someone.look("steps")


def exponential() -> Split:
    """exp(x + y) in the L, outside of its hole."""
    axis = torch.linspace(-1, 1, 101, dtype=torch.float64)
    points = torch.cartesian_prod(axis, axis)
    x, y = points.T
    inside = ((x <= 0) | (y >= 0)) & ((x + 0.4) ** 2 + (y - 0.4) ** 2 >= 0.3**2)
    return Split(points[inside], (x + y)[inside, None].exp())


WAYS: dict[str, Callable[[Newcomer], None]] = {
    "mlp": files("torch_mlp.pt", "torch_mlp.npz"),
    "pinn": pinn,
    "fno": files("neuraloperator_1d.pt", "neuraloperator_1d.npz"),
    "matlab": files("torch_mlp.pt", "wave.mat"),
    "equation": equation,
    "holed": holed,
    "cavity": cavity,
}
TRUTHS: dict[str, Callable[[], Split]] = {"holed": exponential, "cavity": lambda: references.table("lid")}
MADE = {"lightning": _brought.lightning, "neuraloperator": _brought.neuraloperator, "netcdf": _brought.netcdf}
RUNS = {"transformers": _brought.refined, "deepxde": _brought.trained}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--way", choices=[*WAYS, *MADE, *RUNS], action="append")
    parser.add_argument("--url")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs:
        os.environ["LSR_RUNS"] = runs
        for name in options.way or [*WAYS, *MADE, *RUNS]:
            with open_page() as page, tempfile.TemporaryDirectory() as scratch:
                page.set_default_timeout(STEP_MS)
                someone = Newcomer(page, name, options.shots)
                before = _used()
                told = take(someone, options.url, Path(scratch), Path(runs))
                print(json.dumps({**told, "processor_seconds": round(_used() - before, 1)}), flush=True)


def _used() -> float:
    """Processor seconds of servers, commands and jobs that have ended: what a machine that does much else at the time can tell."""
    times = os.times()
    return times.children_user + times.children_system


def take(someone: Newcomer, url: str | None, scratch: Path, runs: Path) -> dict[str, object]:
    """One way from the beginning to the refined predictor."""
    if someone.way in RUNS:
        started = time.perf_counter()
        before = set(runs.iterdir())
        RUNS[someone.way](scratch, runs)
        (run,) = (path.name for path in runs.iterdir() if path not in before and not path.name.startswith("."))
        someone.steps += 1
        with dashboard(run, runs, scratch) as opened:
            someone.page.goto(f"{opened}/?run={run}")
            someone.steps += 1
            return refined(someone, scratch, started)
    way = files(*MADE[someone.way](scratch)) if someone.way in MADE else WAYS[someone.way]
    with server(url) as opened:
        started = time.perf_counter()
        someone.page.goto(opened)
        someone.look("opened")
        someone.follow("Bring your own")
        way(someone)
        someone.press("Start refinement")
        return refined(someone, scratch, started)


def refined(someone: Newcomer, scratch: Path, started: float) -> dict[str, object]:
    """The figure on the Overview, then the predictor in a file, read again."""
    figure = someone.page.locator(".lsr-number").first  # there is none while it is at work
    figure.locator(".lsr-refined").wait_for(timeout=WAIT_MS)
    someone.look("refined")
    answer: dict[str, object] = {
        "measure": figure.locator(".lsr-label").inner_text(),
        "network": figure.locator(".lsr-base").inner_text(),
        "refined": figure.locator(".lsr-refined").inner_text(),
    }
    written = scratch / "refined.zip"  # a training writes it, as its network is in no file
    kept = written if written.exists() else someone.take_away(scratch)
    seconds = time.perf_counter() - started
    if someone.way in TRUTHS:
        answer["relative_l2_by_output"] = errors(kept, TRUTHS[someone.way]())
    else:
        read_again(kept, scratch / "sentiment.py")
    return {
        "benchmark": "newcomer",
        "way": someone.way,
        "steps": someone.steps,
        "seconds": round(seconds, 1),
        **answer,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def errors(file: Path, truth: Split) -> list[float]:
    """Relative L2 error of the predictor in the file, for each output, against what the page has never seen."""
    with torch.no_grad():
        found = lsr_core.load_predictor(file)(truth.inputs.double()).reshape(truth.targets.shape)
    return [float(f"{one:.2g}") for one in (found - truth.targets).norm(dim=0) / truth.targets.norm(dim=0)]


def read_again(file: Path, code: Path) -> None:
    """The predictor from its file, by the module where it is one's own."""
    if file.suffix == ".zip":
        evaluate(file, "python", {"some": torch.rand(5, 1)})
        return
    lsr_core.load_predictor(file, runpy.run_path(str(code))["Regressor"]() if code.exists() else None)


@contextmanager
def dashboard(run: str, runs: Path, folder: Path) -> Iterator[str]:
    """`lsr dashboard RUN --trust` in the folder of the file that the run was made by, which is one's own."""
    program = "import sys; from lsr_app.cli import main; main(sys.argv[1:])"

    def start(port: int) -> subprocess.Popen[bytes]:
        command = ["dashboard", run, "--trust", "--runs", str(runs), "--no-browser", "--port", str(port)]
        return subprocess.Popen([sys.executable, "-c", program, *command], stderr=subprocess.DEVNULL, cwd=folder)

    with started(start) as address:
        yield address


if __name__ == "__main__":
    main()
