"""Every kind of network in every form that it can leave in, each file read in a fresh process without this package.

    python benchmarks/export_matrix.py [NAME …]

Each network starts at random and is refined for a smooth target. A Markdown table of max|difference|/max|q| over the batch sizes 1, 17
and 300, then one of relative L2 test errors: before, refined, and of what each file computes. A cell that is refused shows why below.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import get_args

import torch
from _networks import NETWORKS, problem, read_together
from torch import Tensor, fx

import lsr_core
from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.lab.records import Precision
from lsr_core.portable.check import BATCHES, spread, standalone_of, tolerance
from lsr_core.portable.forms import standalone
from lsr_core.portable.graph import explicit
from lsr_core.portable.measured import predictor_of, relative_error
from lsr_core.portable.weights import aligned_weights

MAX_RANK = 16
FIT_SECONDS = 5.0
CELLS = [(form, precision) for form in standalone() for precision in get_args(Precision)]
NAMES = [f"{form} {precision}" for form, precision in CELLS]


def main() -> None:
    refused: dict[str, str] = {}
    rows = [
        f"| network | before | refined | {' | '.join([*NAMES, '`weights`'])} |",
        "|---|" + "---|" * (len(CELLS) + 3),
    ]
    print("| network | `predictor` | " + " | ".join(NAMES) + " |\n|---|" + "---|" * (len(CELLS) + 1))
    for name in sys.argv[1:] or NETWORKS:
        given = problem(name)
        refined = lsr_core.refine(given, max_rank=MAX_RANK, oversampling=4)
        delta = refined.delta.double()
        with tempfile.TemporaryDirectory() as scratch:
            bundle = bundled(Path(scratch) / "predictor", given, delta, refined.rank)
            cells = measured(Path(scratch), name, given, delta, refused)
            aligned = aligned_weights(Path(scratch) / "weights", given, delta, seconds=FIT_SECONDS)
        print(f"| {name} | {bundle:.0e} | " + " | ".join(cell[0] for cell in cells) + " |", flush=True)
        errors = [
            f"{aligned.network:.4e}",
            f"{aligned.refined:.4e}",
            *(cell[1] for cell in cells),
            f"{aligned.aligned:.4e}",
        ]
        rows.append(f"| {name} | " + " | ".join(errors) + " |")
    print("\n" + "\n".join(rows))
    for cell, reason in refused.items():
        print(f"\n{cell}: {reason}")


def measured(
    folder: Path, name: str, given: SupervisedProblem, delta: Tensor, refused: dict[str, str]
) -> list[tuple[str, str]]:
    """Difference and test error of every cell of a network; `refused` gets the reasons of those that there are not."""
    assert given.test is not None
    graphs: dict[tuple[bool, str], fx.GraphModule] = {}
    files = {}
    for form, precision in CELLS:
        dtype, plain = getattr(torch, precision), standalone_of(form).plain
        predictor, inputs = predictor_of(given, delta, dtype), given.test.inputs.to(dtype)
        try:
            if (plain, precision) not in graphs:
                graphs[plain, precision] = explicit(predictor, inputs[:2], plain=plain)
            path = folder / f"{form}-{precision}"
            standalone_of(form).write(path, graphs[plain, precision], inputs[:2], name)
        except InputError as error:
            refused[f"{name}, {form} {precision}"] = error.message
            continue
        batches = {f"batch_{size}": spread(inputs, size) for size in BATCHES} | {"all": inputs}
        files[form, precision] = (
            form,
            path,
            batches,
            {key: predictor.predict(value) for key, value in batches.items()},
        )
    found, said = read_together([file[:3] for file in files.values()])
    if said:
        refused[name] = said.strip().splitlines()[-1]
    cells = dict.fromkeys(CELLS, ("no", "–"))
    for cell, file, outputs in zip(files, files.values(), found, strict=True):
        if outputs:
            memory = file[3]
            largest = max(float(values.abs().max()) for values in memory.values())
            worst = max(float((outputs[key] - values).abs().max()) for key, values in memory.items()) / largest
            allowed = worst <= tolerance(cell[0], getattr(torch, cell[1]))
            error = relative_error(outputs["all"], given.test)
            cells[cell] = (f"{worst:.0e}" + ("" if allowed else " (refused)"), f"{error:.4e}")
    return list(cells.values())


def bundled(path: Path, given: SupervisedProblem, delta: Tensor, rank: int) -> float:
    """max|difference|/max|q| of a `predictor` file that was written and read again."""
    assert given.test is not None
    lsr_core.save_predictor(path, given, delta, {"rank": rank})
    read, memory = lsr_core.load_predictor(path), predictor_of(given, delta, delta.dtype)
    pairs = [(one.predict(spread(given.test.inputs, size)) for one in (read, memory)) for size in BATCHES]
    both = [tuple(pair) for pair in pairs]
    largest = max(float(values.abs().max()) for _, values in both)
    return max(float((one - two).abs().max()) for one, two in both) / largest


if __name__ == "__main__":
    main()
