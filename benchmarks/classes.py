"""A classifier on as much data as MNIST has: one JSON line.

    python benchmarks/classes.py [--samples 60000] [--rank 1000] [--budget 8GB] [--linearised logits|probabilities]

A GELU network 784-32-10 at its random start and synthetic images: ten random prototypes of 784 pixels with noise, so that nothing is downloaded.
The residual rows are 600,000; they are streamed, and one run in a process of its own is measured.
"""

from __future__ import annotations

import _harness as harness
import torch
from streaming import size

from lsr_core import Architecture, Split
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.networks import architectures

CLASSES, PIXELS = 10, 784
LAYERS = [PIXELS, 32, CLASSES]
NOISE = 2.0  # of each pixel; the prototypes have deviation 0.25, so that neighbouring classes overlap
SPREAD = 0.25
N_OTHER = 5_000  # samples to validate and to test


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--rank", type=int, default=1_000)
    parser.add_argument("--budget", default="8GB")
    parser.add_argument("--linearised", choices=("logits", "probabilities"), default="logits")
    options = parser.parse_args()
    harness.begin(options)
    samples, rank = (400, 20) if options.quick else (options.samples, options.rank)
    settings: dict[str, object] = {
        "max_rank": rank,
        "memory_budget": size(options.budget),
        "linearised": options.linearised,
    }

    def ours() -> harness.Outcome:
        refinement, outcome = harness.refined(make(samples), **settings)
        base, refined = refinement.summary.base, refinement.summary.refined
        return outcome | {
            "rank_chosen": refinement.rank,
            "strategy": refinement.summary.strategy,
            "base_accuracy": base.test_accuracy,
            "refined_accuracy": refined.test_accuracy,
            "base_log_loss": base.test_log_loss,
            "refined_log_loss": refined.test_log_loss,
        }

    if options.only:
        harness.run_only({"ours": ours}, options.only)
        return
    machine = harness.Machine()
    arguments = [f"--{key}={getattr(options, key)}" for key in ("samples", "rank", "budget", "linearised", "threads")]
    found = harness.in_fresh_process(__file__, "ours", [*arguments, *(["--quick"] if options.quick else [])])
    line = {"benchmark": "classes", "samples": samples, "pixels": PIXELS, "rows": samples * CLASSES, "max_rank": rank}
    harness.emit({**line, "linearised": options.linearised, "ours": found, "machine": machine.report()})


def make(samples: int) -> ClassificationProblem:
    """The network and its data, from fixed seeds."""
    generator = torch.Generator().manual_seed(0)
    prototypes = SPREAD * torch.randn(CLASSES, PIXELS, generator=generator)
    arguments = {"layers": LAYERS, "activation": "gelu"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = architectures.build("mlp", arguments)

    def split(count: int) -> Split:
        labels = torch.randint(CLASSES, (count,), generator=generator)
        images = prototypes[labels] + NOISE * torch.randn(count, PIXELS, generator=generator)
        return Split(images, one_hot(labels, CLASSES))

    parts = (split(samples), split(N_OTHER), split(N_OTHER))
    return ClassificationProblem("classes", model, *parts, architecture=Architecture("mlp", arguments))


if __name__ == "__main__":
    main()
