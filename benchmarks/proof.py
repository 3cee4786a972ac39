"""What the proof of a way of taking derivatives costs, as a share of the refinement that it belongs to, in one run; in seconds of the processor.

`python benchmarks/proof.py` prints a table; `--json` one line for each problem.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from unittest import mock

import torch
from torch import nn

from lsr_core import Split, SupervisedProblem, refine
from lsr_core.kinds.data import preparing as data
from lsr_core.kinds.equations import preparing as equations


def _timed(function: Callable, spent: list[float]) -> Callable:  # type: ignore[type-arg]
    def call(*args: object, **given: object) -> object:
        began = time.process_time()
        try:
            return function(*args, **given)
        finally:
            spent.append(time.process_time() - began)

    return call


def measured(make: Callable[[], object], **settings: object) -> dict[str, object]:
    """Seconds of the processor for the proof and for the whole, of a refinement without a run on disk."""
    problem, spent = make(), list[float]()
    places = [
        (data, "examine"),
        (data, "proved_strategy"),
        (equations, "examine"),
        (equations, "proved_physics"),
    ]
    patches = [mock.patch.object(module, name, _timed(getattr(module, name), spent)) for module, name in places]
    for patch in patches:
        patch.start()
    began = time.process_time()
    try:
        result = refine(problem, **settings)  # type: ignore[arg-type]
    finally:
        for patch in patches:
            patch.stop()
    whole = time.process_time() - began
    summary = result.summary
    return {
        "problem": summary.problem,
        "strategy": summary.strategy,
        "parameters": summary.n_params,
        "rank": summary.max_rank,
        "proof_s": round(sum(spent), 4),
        "whole_s": round(whole, 3),
        "share": round(sum(spent) / whole, 4),
        "defect": summary.adjoint_error,
    }


def sample(name: str) -> object:
    from lsr_core.storage.bundles import load_problem
    from lsr_samples import folder

    return load_problem(folder(name))


def network(kind: str) -> SupervisedProblem:
    """Networks of other kinds, with random weights."""
    torch.manual_seed(0)
    x, y = torch.rand(600, 64).double(), torch.rand(600, 1).double()
    image, sequence = nn.Unflatten(1, (1, 8, 8)), nn.Unflatten(1, (8, 8))
    models = {
        "cnn": lambda: [image, nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(True), nn.Flatten(), *_mlp(1024, 256, 1)],
        "wide": lambda: _mlp(64, 1000, 1000, 1),
        "gru": lambda: [sequence, _Last(8), nn.Linear(16, 1)],
    }
    model = nn.Sequential(*models[kind]())
    return SupervisedProblem(kind, model.double().eval(), *[Split(x[i::3], y[i::3]) for i in range(3)])


def _mlp(*widths: int) -> list[nn.Module]:
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts += [nn.Linear(before, after), nn.GELU()]
    return parts[:-1]


class _Last(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(width, 16, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last: torch.Tensor = self.rnn(x)[0][:, -1]
        return last


CASES: list[tuple[Callable[[], object], dict[str, object]]] = [
    (lambda: sample("sine2d"), {"max_rank": 1000}),
    (lambda: network("cnn"), {"max_rank": 100}),
    (lambda: network("wide"), {"max_rank": 100}),
    (lambda: network("gru"), {"max_rank": 100}),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("problems", nargs="*", help="samples to add, such as poisson2d")
    arguments = parser.parse_args()
    refine(network("gru"), max_rank=20)  # what is imported at the first product counts for none of them
    cases = CASES + [(lambda name=name: sample(name), {}) for name in arguments.problems]  # type: ignore[misc]
    print(f"{'problem':<16}{'strategy':<12}{'parameters':>11}{'rank':>6}{'proof':>9}{'whole':>9}{'share':>8}")
    for make, settings in cases:
        row = measured(make, **settings)
        if arguments.json:
            print(json.dumps(row), flush=True)
        else:
            print(
                f"{row['problem']:<16}{row['strategy']:<12}{row['parameters']:>11,}{row['rank']:>6}"
                f"{row['proof_s']:>7.3f} s{row['whole_s']:>7.2f} s{row['share']:>8.2%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
