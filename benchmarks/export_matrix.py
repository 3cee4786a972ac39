"""Every kind of network in every form that it can leave in, each file read in a fresh process without this package.

    python benchmarks/export_matrix.py

Each network starts at random and is refined for a smooth target. Two Markdown tables: max|difference|/max|q| over the batch sizes 1, 17
and 300, and the relative L2 test errors of what the files compute; a cell that is refused shows why below.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

import torch
from _networks import NETWORKS, problem

import lsr_core
from lsr_core.errors import InputError
from lsr_core.portable.check import BATCHES, spread
from lsr_core.portable.deliver import Precision, deliver, predictor_of
from lsr_core.portable.weights import aligned_weights
from lsr_core.portable.write import Form
from lsr_core.problems.supervised import SupervisedProblem

MAX_RANK = 16
FIT_SECONDS = 10.0
CELLS = [(form, precision) for form in get_args(Form) for precision in get_args(Precision)]
NAMES = [f"{form} {precision}" for form, precision in CELLS]


def main() -> None:
    found: dict[str, list[str]] = {}
    refused: dict[tuple[str, str], str] = {}
    print("| network | `predictor` | " + " | ".join(NAMES) + " |\n|---|" + "---|" * (len(CELLS) + 1))
    for name in NETWORKS:
        given = problem(name)
        refined = lsr_core.refine(given, max_rank=MAX_RANK, oversampling=4)
        delta = refined.delta.double()
        differences, errors = [], []
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "file"
            bundle = bundled(path, given, delta, refined.rank)
            for (form, precision), cell in zip(CELLS, NAMES, strict=True):
                try:
                    check = deliver(path, given, delta, form, precision)
                except InputError as error:
                    refused[name, cell] = error.message
                    differences.append("no")
                    errors.append("–")
                else:
                    differences.append(f"{check.difference:.0e}")
                    errors.append(f"{check.file_error:.4e}")
            aligned = aligned_weights(path, given, delta, seconds=FIT_SECONDS)
        ends = [f"{aligned.network:.4e}", f"{aligned.refined:.4e}"]
        found[name] = [*ends, *errors, f"{aligned.aligned:.4e}"]
        print(f"| {name} | {bundle:.0e} | " + " | ".join(differences) + " |", flush=True)
    print(
        "\n| network | before | refined | "
        + " | ".join([*NAMES, "`weights`"])
        + " |\n|---|"
        + "---|" * (len(CELLS) + 3)
    )
    for name, row in found.items():
        print(f"| {name} | " + " | ".join(row) + " |")
    for cell, reason in refused.items():
        print(f"\n{', '.join(cell)}: {reason}")


def bundled(path: Path, given: SupervisedProblem, delta: torch.Tensor, rank: int) -> float:
    """max|difference|/max|q| of a `predictor` file that was written and read again."""
    lsr_core.save_predictor(path, given, delta, {"rank": rank})
    read, memory = lsr_core.load_predictor(path), predictor_of(given, delta, delta.dtype)
    batches = [spread(given.test.inputs, size) for size in BATCHES] if given.test else []
    pairs = [(read.predict(batch), memory.predict(batch)) for batch in batches]
    largest = max(float(values.abs().max()) for _, values in pairs)
    return max(float((one - two).abs().max()) for one, two in pairs) / largest


if __name__ == "__main__":
    main()
