"""The networks of `tests/core/zoo.py` all the way: from Python and from the command line to the files that leave.

    python -m benchmarks.zoo [1/4 | NAME …]

For each network: the relative L2 test error before and after `refine` in Python, how far the run of `lsr refine` is from it, and
max|difference|/max|q| of every file from the predictor in memory, over the batch sizes 1, 17 and 300, read in a fresh process without
this package. With `1/4` only the first quarter. The reasons of cells that are refused stand below the table.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
from pathlib import Path

import torch

from benchmarks._networks import read_together
from lsr_app import cli
from lsr_core.errors import InputError
from lsr_core.jobs.rebuild import confirmed
from lsr_core.portable.check import BATCHES, spread, standalone_of, tolerance
from lsr_core.portable.forms import standalone
from lsr_core.portable.graph import explicit
from lsr_core.portable.measured import predictor_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.refine import refine
from lsr_core.storage import code_problems
from lsr_core.storage.runs import Run, RunStore
from tests.core import zoo

MAX_RANK = 3


def main() -> None:
    asked, names = sys.argv[1:], list(zoo.CASES)
    quarter = re.fullmatch(r"(\d+)/(\d+)", asked[0] if asked else "1/1")
    if quarter:
        part, parts = int(quarter[1]), int(quarter[2])
        size = -(-len(names) // parts)
        names = names[(part - 1) * size : part * size]
    else:
        names = [name for name in names if name in asked]
    reasons: list[str] = []
    if quarter is None or part == 1:
        print("| network | parameters | before | refined | `lsr refine` | " + " | ".join(standalone()) + " |")
        print("|---|---|---|---|---|" + "---|" * len(standalone()))
    for name in names:
        with tempfile.TemporaryDirectory() as scratch:
            print("| " + " | ".join(cells(name, Path(scratch), reasons)) + " |", flush=True)
    print("\n" + "\n".join(reasons))


def cells(name: str, folder: Path, reasons: list[str]) -> list[str]:
    """A row of the table; `reasons` gets those of what is refused."""
    source = f"{zoo.__file__}:{zoo.identifier(name)}"
    problem = code_problems.from_file(source)
    memory = refine(problem, max_rank=MAX_RANK, rank=MAX_RANK - 1)
    run = commanded(source, folder)
    _, delta = confirmed(run, run.summary.rank)
    base, refined = memory.summary.base.test_relative_l2, memory.summary.refined.test_relative_l2
    assert base is not None
    assert refined is not None
    assert run.summary.refined.test_relative_l2 is not None
    found = [name, f"{memory.summary.n_params:,}", f"{base:.2e}", f"{refined:.2e}"]
    found.append(f"{abs(run.summary.refined.test_relative_l2 / refined - 1):.0e}")
    inputs = problem.train.inputs  # type: ignore[attr-defined]
    predictor = predictor_of(problem, delta, torch.float64)
    return found + exported(name, predictor, inputs, folder, reasons)


def commanded(source: str, folder: Path) -> Run:
    """The run that the command line makes."""
    said = io.StringIO()
    asked = [
        "refine",
        source,
        "--max-rank",
        str(MAX_RANK),
        "--rank",
        str(MAX_RANK - 1),
        "--runs",
        str(folder),
        "--json",
    ]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        code = cli.run(asked)
    answer = json.loads(said.getvalue())
    if code:
        raise InputError(answer["error"]["message"])
    return RunStore(folder).open(answer["run"])


def exported(
    name: str, predictor: RefinedPredictor, inputs: torch.Tensor, folder: Path, reasons: list[str]
) -> list[str]:
    """A cell for each form; all files are read by one process."""
    batches = {f"batch_{size}": spread(inputs, size) for size in BATCHES}
    memory = {key: predictor.predict(batch) for key, batch in batches.items()}
    largest = max(float(values.abs().max()) for values in memory.values())
    written, cells = [], dict.fromkeys(standalone(), "")
    for form in cells:
        path = folder / f"{form}.file"
        try:
            graph = explicit(predictor, inputs[:2], plain=standalone_of(form).plain)
            standalone_of(form).write(path, graph, inputs[:2], name)
            written.append((form, path, batches))
        except InputError as error:
            reasons.append(f"{name}, {form}: {error.message}")
            cells[form] = "refused"
    found, said = read_together(written) if written else ([], "")
    for (form, _, _), outputs in zip(written, found, strict=True):
        if not outputs:
            reasons.append(f"{name}, {form}: {said.strip().splitlines()[-1]}")
        gaps = [float((outputs[key] - memory[key]).abs().max()) / largest for key in outputs]
        fits = bool(gaps) and max(gaps) <= tolerance(form, torch.float64)
        cells[form] = f"{max(gaps):.0e}" if fits else "refused"
        if gaps and not fits:
            reasons.append(f"{name}, {form}: differs by {max(gaps):.0e}")
    return list(cells.values())


if __name__ == "__main__":
    main()
