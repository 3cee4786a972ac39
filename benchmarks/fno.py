"""A Fourier neural operator on the data of the Burgers samples, trained and then refined in double precision: one JSON line.

    python benchmarks/fno.py [--epochs 30] [--rank 500]

The network is the library's `fno-1d` with 12 channels, 12 frequencies and 3 layers on 32 of the 128 points, trained by Adam as the sample
is. Errors are relative L2 norms of functions that neither the training nor the solve has seen; the rank is the one that the validation
functions choose.
"""

from __future__ import annotations

import time

import _harness as harness
import torch

from lsr_core.kinds.operators import OperatorProblem
from lsr_core.networks import architectures
from lsr_core.problems.splits import Architecture, Split
from lsr_samples import train_burgers_operator as sample

EVERY = 4  # points of the sample's grid, of which the network sees one
ARGUMENTS: dict[str, object] = {
    "points": sample.GRID // EVERY,
    "width": 12,
    "depth": 3,
    "modes": 12,
    "activation": "gelu",
}


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rank", type=int, default=500)
    options = parser.parse_args()
    harness.begin(options)
    epochs, rank = (1, 20) if options.quick else (options.epochs, options.rank)
    machine = harness.Machine()
    problem, training = trained(epochs)
    refinement, found = harness.refined(problem, max_rank=rank)
    base, refined = refinement.summary.base, refinement.summary.refined
    errors = {
        name: {"network": getattr(base, name), "refined": getattr(refined, name)}
        for name in ("val_mse", "mean", "median", "p90", "max")
    }
    line = {"benchmark": "fno", "epochs": epochs, "max_rank": rank, "n_params": refinement.summary.n_params}
    harness.emit({**line, "training_cpu_seconds": training, **errors, **found, "machine": machine.report()})


def trained(epochs: int) -> tuple[OperatorProblem, float]:
    """The network after a training in single precision, and the CPU seconds of that."""
    train, validation, test = (Split(*(part[:, ::EVERY] for part in split)) for split in sample.splits())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sample.SEED)
        model = architectures.build("fno-1d", ARGUMENTS)
    began = time.process_time()
    sample.adam(model, train, epochs)
    seconds = time.process_time() - began
    architecture = Architecture("fno-1d", ARGUMENTS)
    return OperatorProblem("fno", model, train, validation, test, architecture=architecture), seconds


if __name__ == "__main__":
    main()
