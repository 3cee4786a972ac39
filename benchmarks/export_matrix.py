"""Every registered kind of network in every form that runs without this package, each file read in a fresh process.

    python -m benchmarks.export_matrix

Prints a Markdown table of max|difference|/max|q| over the batch sizes 1, 17 and 300; a cell that is refused shows why below.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

import torch

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.portable.deliver import Precision, deliver
from lsr_core.portable.write import Form
from lsr_core.problems.supervised import Architecture, Split, SupervisedProblem

DOMAIN = {"x": [-1.0, 1.0], "t": [0.0, 1.0]}
FEATURES = [{"kind": "periodic", "input": "x", "period": 2.0, "harmonics": 3}, {"kind": "fourier", "count": 8}]
PINN = {"layers": [2, 24, 24, 1], "domain": DOMAIN, "features": FEATURES}
NETWORKS = [
    *(
        (f"mlp, {name}", "mlp", {"layers": [2, 24, 24, 2], "activation": name, "normalise_inputs": True})
        for name in ("tanh", "relu", "gelu", "silu", "sin")
    ),
    ("pinn-mlp, periodic and Fourier features", "pinn-mlp", PINN),
    *(
        (f"pinn-mlp, features and hard conditions `{name}`", "pinn-mlp", PINN | {"output": {"name": name}})
        for name in ("allen-cahn", "wave-initial")
    ),
]


def problem(architecture: str, arguments: dict[str, object]) -> tuple[SupervisedProblem, torch.Tensor]:
    torch.manual_seed(0)
    model = architectures.build(architecture, arguments).double()
    inputs = torch.rand(300, 2, dtype=torch.float64)
    with torch.no_grad():
        split = Split(inputs, torch.sin(3 * model(inputs)))
    delta = 0.2 * torch.randn(sum(value.numel() for value in model.parameters()), dtype=torch.float64)
    return SupervisedProblem("matrix", model, split, test=split, architecture=Architecture(architecture, {})), delta


def main() -> None:
    columns = [(form, precision) for form in get_args(Form) for precision in get_args(Precision)]
    print("| network | " + " | ".join(f"{form} {precision}" for form, precision in columns) + " |")
    print("|---|" + "---|" * len(columns))
    refused = {}
    for name, architecture, arguments in NETWORKS:
        given, delta = problem(architecture, arguments)
        cells = []
        for form, precision in columns:
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    cells.append(f"{deliver(Path(scratch) / 'file', given, delta, form, precision).difference:.0e}")
                except InputError as error:
                    refused[name, form, precision] = error.message
                    cells.append("no")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    for cell, reason in refused.items():
        print(f"\n{', '.join(cell)}: {reason}")


if __name__ == "__main__":
    main()
