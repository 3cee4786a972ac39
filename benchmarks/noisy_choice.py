"""Noisy data and the choice of the rank: how often refinement makes a network worse, and what it gains; one JSON line.

    python benchmarks/noisy_choice.py [--problems 400] [--seed 0]

Each problem is a sum of one to four plane waves in one or two variables, seen at n = 50 to 200 points with Gaussian noise of standard
deviation 0.01 to 0.5 beside a signal of about 1; 10, 20 or 30 % of the points are held out for validation. A tanh network of two layers
with 8 to 32 units takes 100 to 1,200 steps of Adam on the rest, so that some are far from the noise and some have fitted it. `refine` runs
with its defaults. Errors are root mean squares at 2,000 further points, against the function without noise and with it.

`worse_share` is the share of problems whose refined error is more than 2 % above the network's; `oracle` is the rank with the smallest test
error, `smallest_validation` the rank with the smallest validation error, whatever it is worth. Gains are errors over the network's.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine

TEST_POINTS = 2000
WORSE = 1.02
LEARNING_RATE = 5e-3


def made(seed: int) -> tuple[SupervisedProblem, dict[str, Any]]:
    """One problem with its trained network, and what it is made of."""
    draw, torch_draw = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    about = {
        "dimension": 1 + seed % 2,
        "n": round(50 * 4 ** draw.random()),
        "noise": 0.01 * 50 ** draw.random(),
        "held_out": float(draw.choice([0.1, 0.2, 0.3])),
        "width": int(draw.integers(8, 33)),
        "steps": int(100 * 12 ** draw.random()),
    }
    waves, d = int(draw.integers(1, 5)), about["dimension"]

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=torch_draw, dtype=torch.float64)

    speeds, phases, heights = normal(waves, d) * (4.0 if d == 1 else 2.5), 6.28 * normal(waves), normal(waves)

    def truth(x: Tensor) -> Tensor:
        return 1.4 * (torch.sin(x @ speeds.T + phases) * heights).sum(1, keepdim=True) / heights.norm()

    x, test = (
        2 * torch.rand(count, d, generator=torch_draw, dtype=torch.float64) - 1 for count in (about["n"], TEST_POINTS)
    )
    y = truth(x) + about["noise"] * normal(about["n"], 1)
    held = max(5, round(about["n"] * about["held_out"]))
    problem = SupervisedProblem(
        "noisy", network(d, about["width"], seed), Split(x[held:], y[held:]), Split(x[:held], y[:held]), Split(test, truth(test))
    )  # fmt: skip
    train(problem, about["steps"])
    return problem, about


def network(inputs: int, width: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1)]
        return nn.Sequential(*layers).double().eval()


def train(problem: SupervisedProblem, steps: int) -> None:
    optimiser = torch.optim.Adam(problem.model.parameters(), lr=LEARNING_RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        (problem.model(problem.train.inputs) - problem.train.targets).square().mean().backward()
        optimiser.step()


def ratios(seed: int) -> dict[str, float]:
    """Errors over that of the network: of the choice, against the function and against noisy data, and of the two other ranks."""
    problem, about = made(seed)
    found = refine(problem, progress=silent)
    errors, noise = found.sweep.test_mse, about["noise"] ** 2
    validation = np.where(found.sweep.solved, found.sweep.val_mse, np.inf)
    return {
        "choice": float(np.sqrt(errors[found.rank] / errors[0])),
        "noisy": float(np.sqrt((errors[found.rank] + noise) / (errors[0] + noise))),
        "oracle": float(np.sqrt(np.nanmin(errors) / errors[0])),
        "smallest_validation": float(np.sqrt(errors[int(np.nanargmin(validation))] / errors[0])),
        "refined": float(found.rank > 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--problems", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.perf_counter()
    found = [ratios(arguments.seed + index) for index in range(arguments.problems)]
    columns = {name: np.array([one[name] for one in found]) for name in found[0]}
    refined = columns.pop("refined")
    record: dict[str, Any] = {
        "benchmark": "noisy_choice",
        "problems": len(found),
        "seed": arguments.seed,
        "refined_share": round(float(refined.mean()), 4),
        "median_gain_of_refined": round(float(np.median(columns["choice"][refined > 0])), 4) if refined.any() else None,
    }
    for name, values in columns.items():
        record[name] = {
            "worse_share": round(float((values > WORSE).mean()), 4),
            "median": round(float(np.median(values)), 4),
            "geometric_mean": round(float(np.exp(np.log(values).mean())), 4),
            "largest": round(float(values.max()), 4),
        }
    print(json.dumps({**record, "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
