"""Rules for the strength of the smoothing against the best that test data could choose; one JSON line.

    python benchmarks/noise.py [--seeds 12] [--first 0] [--sizes 30 100 400] [--samples 20] [--rules auto gcv loo evidence discrepancy]
    python benchmarks/noise.py --seeds 2 --first 4 --samples 0 --rules auto --part FILE    # the runs of two seeds, in a file: 4 minutes of a core
    python benchmarks/noise.py --join FILE FILE …                                          # the figures over the runs of several files

Grid: noise of 0, 1e-4, 0.01, 0.1 and 0.5 of the signal's spread x Gaussian, heavy-tailed (t with three degrees of freedom) and correlated (equal in
pairs of near points) x n samples x a tanh network 2-32-32-1 untrained and trained (200 steps of Adam) x three targets x seeds. The figure of a
rule is its root mean square error at 1,500 test points without noise over that of the oracle, which has seen these points: the smallest over all
ranks without a penalty, all strengths without a cut, and the network as it is, of the same run. Mean squares have the squares of these ratios.
Each entry is [median, nine tenths, largest] over runs.

`delivered` is `auto` with its answer not to refine; `above_base` is the share of runs in which it is worse than the network. `told` is the one
strength, relative to the largest singular value, that is best in the mean over the seeds with everything else equal: it knows target, network, n
and noise, but not the draw, so that no rule for one strength can be expected below it. `worst_seed` is the largest median of a single seed.

A file holds a line for each seed and size that is done; what it has already is not run again.

`samples` is the bundle `noisy1d` with so many fresh draws of its noise: test error, estimated noise and coverage of the 95 % bands.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine
from lsr_core.refinement.smoothing import smoothed
from lsr_core.refinement.solve import LinearSolve, planned, solved_in_basis

LEVELS = (0.0, 1e-4, 0.01, 0.1, 0.5)
KINDS = ("gauss", "t3", "pairs")
RULES = ("auto", "gcv", "loo", "evidence", "discrepancy")
TEST_POINTS = 1500
NEAR = 0.05  # distance of points that share their noise
TARGETS: dict[str, Callable[[Tensor], Tensor]] = {
    "wave": lambda x: torch.sin(3 * x[:, :1]) * torch.cos(2 * x[:, 1:]),
    "bump": lambda x: 2 * torch.exp(-8 * (x - 0.2).square().sum(1, keepdim=True)) - 0.5 + 0.3 * x[:, :1],
    "front": lambda x: torch.tanh(4 * (x[:, :1] + 0.5 * x[:, 1:])) * torch.cos(3 * x[:, 1:]),
}


def made(target: str, n: int, kind: str, level: float, trained: bool, seed: int) -> tuple[SupervisedProblem, float]:
    """A problem, and the standard deviation of its noise."""
    draw = torch.Generator().manual_seed(7919 * seed + n)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    x, test = (2 * torch.rand(count, 2, generator=draw, dtype=torch.float64) - 1 for count in (n, TEST_POINTS))
    noise = normal(n, 1)
    if kind == "t3":
        noise = noise / (normal(n, 3).square().mean(1, keepdim=True)).sqrt() / math.sqrt(3)
    if kind == "pairs":
        x[1::2] = x[0::2][: n // 2] + NEAR * normal(n // 2, 2)
        noise[1::2] = noise[0::2][: n // 2]
    truth = TARGETS[target]
    sigma = level * float(truth(test).std())
    problem = SupervisedProblem(
        "noise", network(seed), Split(x, truth(x) + sigma * noise), test=Split(test, truth(test))
    )
    if trained:
        train(problem)
    return problem, sigma


def network(seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)]
        return nn.Sequential(*layers).double().eval()


def train(problem: SupervisedProblem, steps: int = 200, rate: float = 5e-3) -> None:
    optimiser = torch.optim.Adam(problem.model.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        (problem.model(problem.train.inputs) - problem.train.targets).square().mean().backward()
        optimiser.step()


def ratios(problem: SupervisedProblem, sigma: float, rules: list[str]) -> tuple[dict[str, float], list[float]]:
    """Of every rule, and whether the delivered one says not to refine; of every strength of the grid."""
    config = RefineConfig(regularise="evidence")
    setting = planned(problem, config)
    solve = solved_in_basis(setting, lambda fraction: None)
    test = setting.splits["test"]
    errors = (setting.function.outputs(test.inputs) - test.targets).reshape(-1, 1)
    modes = solve.subspace.modes(test.inputs)

    def error(coefficients: Tensor) -> Tensor:
        return (errors + modes @ coefficients).square().mean(dim=0).sqrt()

    base = float(errors.square().mean().sqrt())
    family = smoothed(solve).family  # type: ignore[union-attr]
    penalised = torch.stack([family.coefficients(float(strength)) for strength in family.grid()], dim=1)
    cut = error(solve.solver.solve_leading(solve.solver.max_rank)).nan_to_num(torch.inf)
    oracle = max(min(base, float(error(penalised).min()), float(cut.min())), 1e-300)
    found: dict[str, float] = {"base": base / oracle, "no penalty": float(cut[-1]) / oracle}
    for rule in rules:
        if rule == "discrepancy" and sigma == 0:
            continue
        chosen = smoothed(by(solve, rule if rule != "discrepancy" else f"discrepancy:{sigma}"))
        assert chosen is not None
        step = chosen.family.coefficients(chosen.penalty) if math.isfinite(chosen.strength) else 0 * penalised[:, 0]
        found[rule] = float(error(step[:, None])[0]) / oracle
        if rule == "auto":
            found["delivered"] = found[rule] if chosen.refines else base / oracle
            found["refused"] = float(not chosen.refines)
    return found, [float(f"{value:.5g}") for value in error(penalised) / oracle]


def by(solve: LinearSolve, rule: str) -> LinearSolve:
    """The same solve under another rule."""
    config = solve.setting.config.model_copy(update={"regularise": rule})
    return replace(solve, setting=replace(solve.setting, config=config))


Case = tuple[float, int, bool, str, str]  # noise, n, trained, target, kind
Runs = dict[
    Case, dict[int, tuple[dict[str, float], list[float]]]
]  # of every seed: ratios by name, and at every strength


def runs(seeds: range, sizes: list[int], rules: list[str], part: Path | None) -> Runs:
    """Of the whole grid; a part is a file that has those of some seeds, and gets the others."""
    found = read([part]) if part is not None and part.exists() else {}
    done = {(seed, case[1]) for case, alike in found.items() for seed in alike}
    for seed, n in itertools.product(seeds, sizes):
        if (seed, n) in done:
            continue
        rows = []
        for trained, target, kind, level in itertools.product((False, True), TARGETS, KINDS, LEVELS):
            rows.append(
                [[level, n, trained, target, kind], *ratios(*made(target, n, kind, level, trained, seed), rules)]
            )
        add(found, seed, rows)
        if part is not None:
            with part.open("a") as file:
                file.write(json.dumps([seed, rows]) + "\n")
    return found


def read(parts: list[Path]) -> Runs:
    found: Runs = {}
    for line in itertools.chain.from_iterable(part.read_text().splitlines() for part in parts):
        add(found, *json.loads(line))
    return found


def add(found: Runs, seed: int, rows: list[Any]) -> None:
    for case, by_name, curve in rows:
        found.setdefault(tuple(case), {})[seed] = (by_name, curve)


def table(found: Runs) -> dict[str, Any]:
    """Median, nine tenths and worst ratio of every rule at every level, over everything else."""
    flat: list[tuple[float, int, int, dict[str, float]]] = []
    for (level, n, *_), alike in found.items():
        best = int(np.log([curve for _, curve in alike.values()]).mean(axis=0).argmin())
        flat += [(level, n, seed, named | {"told": curve[best]}) for seed, (named, curve) in alike.items()]
    record: dict[str, Any] = {"runs": len(flat), "seeds": len({seed for _, _, seed, _ in flat})}
    for level in LEVELS:
        for n in (None, *sorted({n for _, n, _, _ in flat})):
            some = [(seed, named) for at, size, seed, named in flat if at == level and n in (None, size)]
            names = [name for name in ("base", "no penalty", "told", *RULES, "delivered") if name in some[0][1]]
            entry: dict[str, Any] = {name: spread([named[name] for _, named in some]) for name in names}
            medians = (
                spread([named["auto"] for at, named in some if at == seed])[0] for seed in {at for at, _ in some}
            )
            entry["worst_seed"] = max(medians)
            entry["beyond_3"] = round(float(np.mean([named["delivered"] > 3 for _, named in some])), 4)
            record[f"noise {level:g}" + (f", n {n}" if n else "")] = entry
    named = [named for _, _, _, named in flat]
    above = [one for one in named if one["delivered"] > one["base"] * (1 + 1e-9)]
    record["above_base"] = round(len(above) / len(named), 4)
    record["worst_above_base"] = round(max((one["delivered"] / one["base"] for one in above), default=1.0), 3)
    record["refused"] = round(float(np.mean([one["refused"] for one in named])), 4)
    return record


def spread(values: list[float]) -> list[float]:
    return [round(float(value), 3) for value in (np.median(values), np.quantile(values, 0.9), np.max(values))]


def samples(count: int) -> dict[str, Any]:
    """`noisy1d` with fresh noise: what refine says and what is true."""
    from lsr_core.storage.bundles import load_problem
    from lsr_samples import __file__ as home
    from lsr_samples.train_noisy1d import NOISE, truth

    problem = load_problem(Path(home).parent / "noisy1d")
    found = []
    for seed in range(count):
        draw = np.random.default_rng(1000 + seed)
        parts = {}
        for name in ("train", "validation"):
            x = getattr(problem, name).inputs
            parts[name] = Split(x, torch.from_numpy(truth(x.numpy()) + NOISE * draw.standard_normal(x.shape)))
        found.append(refine(problem.changed(**parts), regularise="auto", progress=silent).summary)
    figures = {
        "test_mse": [one.refined.test_mse or math.nan for one in found],
        "noise_std": [one.noise_std or math.nan for one in found],
        "coverage": [one.coverage or math.nan for one in found],
    }
    return {name: {"mean": float(np.mean(v)), "smallest": min(v), "largest": max(v)} for name, v in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--sizes", type=int, nargs="+", default=[30, 100, 400])
    parser.add_argument("--samples", type=int, default=20, help="draws of the noise of noisy1d")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=list(RULES), help="auto must be among them")
    parser.add_argument("--part", type=Path, help="a file that keeps the runs")
    parser.add_argument("--join", type=Path, nargs="+", default=[], help="files of such runs: nothing is run")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.join:
        print(json.dumps({"benchmark": "noise", **table(read(arguments.join))}))
        return
    started = time.perf_counter()
    record: dict[str, Any] = {"benchmark": "noise"}
    if arguments.seeds:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        record |= table(runs(seeds, arguments.sizes, arguments.rules, arguments.part))
    if arguments.samples:
        record["noisy1d"] = samples(arguments.samples)
    print(json.dumps({**record, "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
