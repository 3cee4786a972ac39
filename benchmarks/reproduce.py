"""The headline figures of the README and the site, computed afresh: a line for each, with what was expected and a verdict.

    python benchmarks/reproduce.py [--only NAME] [--list]

About three minutes of a core; nothing is written outside a temporary folder. Ends with 1 if a figure lies outside its range.
Ranges are wide where rounding decides. Time is printed and not judged.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

import lsr_core
from lsr_app import cli
from lsr_samples.make_runs import SHIPPED_ID


class Figure(NamedTuple):
    """A number, and the range in which it was expected."""

    what: str
    value: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.value <= self.high


def sine2d() -> Iterator[Figure]:
    problem = lsr_core.load_problem("sine2d")
    found = lsr_core.refine(problem)
    summary = found.summary
    yield Figure("test mean square error of the network", summary.base.test_mse, 1.5e-5, 1.7e-5)
    yield Figure("test mean square error, refined", summary.refined.test_mse, 1e-16, 1e-13)
    inputs = problem.test.inputs.double()
    passes = least_time(found.predictor, inputs) / least_time(copy.deepcopy(problem.model).double(), inputs)
    yield Figure("processor time of the predictor, in forward passes of the network", passes, 1, 4)


def noisy1d() -> Iterator[Figure]:
    problem = lsr_core.load_problem("noisy1d")
    plain, smooth = lsr_core.refine(problem).summary, lsr_core.refine(problem, regularise="auto").summary
    yield Figure("relative test error of the network", plain.base.test_relative_l2, 0.38, 0.39)
    yield Figure("the rank that validation chooses", plain.rank, 14, 18)
    yield Figure("relative test error at that rank", plain.refined.test_relative_l2, 0.12, 0.14)
    yield Figure("relative test error, smoothed", smooth.refined.test_relative_l2, 0.085, 0.1)
    yield Figure("share of test targets inside of the 95 % bands", smooth.coverage, 0.9, 1.0)


def poisson_untrained() -> Iterator[Figure]:
    summary = lsr_core.refine(lsr_core.load_problem("poisson-untrained")).summary
    yield Figure("relative error of the untrained network", summary.base.relative_l2, 0.5, 10)
    yield Figure("relative error after one solve", summary.refined.relative_l2, 1e-14, 1e-11)


def reaction() -> Iterator[Figure]:
    summary = lsr_core.refine(lsr_core.load_problem("reaction"), gauss_newton=8).summary
    yield Figure("relative error of the network", summary.base.relative_l2, 1.9e-3, 2.3e-3)
    yield Figure("relative error after one solve", summary.one_shot.refined.relative_l2, 8e-6, 3e-5)
    yield Figure("relative error after Gauss-Newton steps", summary.refined.relative_l2, 1e-13, 1e-10)


def antiderivative() -> Iterator[Figure]:
    record = lsr("refine", "antiderivative", "--cases", "300")
    yield Figure("mean relative error of the network over 300 unseen functions", record["base"]["mean"], 2.9e-2, 3.3e-2)
    yield Figure("mean relative error, refined", record["refined"]["mean"], 1e-12, 1e-10)


def stuck() -> Iterator[Figure]:
    from tests import examples

    page = examples.ROOT / "docs" / "howto" / "stuck-pinn.md"
    namespace: dict[str, Any] = {}
    for block in examples.blocks(page):
        if block.language == "python" and block.mark:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block.code, namespace)
    yield Figure("relative error of the stuck PINN", namespace["summary"].base.relative_l2, 0.03, 0.5)
    yield Figure("relative error, refined", namespace["summary"].refined.relative_l2, 1e-14, 1e-9)


def export() -> Iterator[Figure]:
    record = lsr("export", SHIPPED_ID, "--format", "pt2", "--out", "predictor.pt2")
    yield Figure("largest difference of the .pt2 file from the predictor in memory", record["difference"], 0, 1e-12)
    yield Figure("relative test error of the file", record["file_error"], 2.2e-7, 2.5e-7)


FIGURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "sine2d": sine2d, "noisy1d": noisy1d, "stuck": stuck, "poisson-untrained": poisson_untrained, "export": export,
    "antiderivative": antiderivative, "reaction": reaction,
}  # fmt: skip


def least_time(function: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor) -> float:
    """Processor seconds of a call without gradients, the least of five."""
    taken = []
    with torch.no_grad():
        for _ in range(5):
            began = time.process_time()
            function(inputs)
            taken.append(time.process_time() - began)
    return min(taken)


def lsr(*arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = cli.run([*arguments, "--json"])
    record: dict[str, Any] = json.loads(out.getvalue())
    if code:
        raise SystemExit(f"lsr {' '.join(arguments)}: {record}")
    return record


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", choices=FIGURES, action="append", help="this one; may be given several times")
    options.add_argument("--list", action="store_true", help="names, and nothing else")
    given = options.parse_args(arguments)
    if given.list:
        print("\n".join(FIGURES))
        return 0
    sys.path.insert(0, str(Path(__file__).parents[1]))
    about = f"lsr {lsr_core.__version__}, torch {torch.__version__}, python {platform.python_version()}"
    print(f"{about}, {torch.get_num_threads()} threads, {platform.machine()} {platform.system()}", flush=True)
    outside = 0
    with tempfile.TemporaryDirectory(prefix="lsr-reproduce-") as scratch, contextlib.chdir(scratch):
        for name in given.only or FIGURES:
            began, at_work = time.perf_counter(), time.process_time()
            for figure in FIGURES[name]():
                outside += not figure.holds
                mark = "ok  " if figure.holds else "FAIL"
                print(
                    f"{mark} {name}: {figure.what} {figure.value:.3g} (expected {figure.low:.2g} to {figure.high:.2g})",
                    flush=True,
                )
            taken, worked = time.perf_counter() - began, time.process_time() - at_work
            print(f"     {name} took {taken:.0f} s, {worked:.0f} s of processor time", flush=True)
    print("all figures are inside of their ranges" if not outside else f"{outside} figures are outside of their ranges")
    return min(outside, 1)


if __name__ == "__main__":
    sys.exit(main())
