"""How long each stage of a job takes, from sizes and the speed of this machine at matrix products."""

from __future__ import annotations

import time
from functools import lru_cache
from math import ceil

import torch

from lsr_core.networks.strategies import BACKWARD
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.ranks import LADDER
from lsr_core.refinement.sizes import (
    PATH_STEPS,
    PROBES,
    TRIED,
    Sizes,
    directions,
    item_of,
    path_samples,
    stepped_points,
)

# shares of the GEMM rate that are reached
QR_RATE, SVD_RATE, ROW_RATE, MODE_RATE, PASS_RATE = 0.6, 0.5, 0.55, 0.12, 0.9
ENTRY = 150  # operations for which an entry of a Jacobian row counts: it is made, written and read
TANGENT = 3  # passes that a tangent costs, with the value
MOVED = 700  # operations for which a number counts that goes through memory
STARTING = 0.3  # seconds of everything that does not grow


def durations(
    sizes: Sizes, config: RefineConfig, strategy: str, rank: int, *, gather: int, samples: int
) -> dict[str, float]:
    """Seconds by stage.

    Args:
        gather, samples: see `Plan`.
    """
    work = _Work(sizes, config, rank, 1 + 1 / gather)
    basis = work.by_directions(strategy, samples) if strategy == "factored" else work.by_rows(strategy)
    rate = gemm_rate(torch.float64 if config.dtype == "float64" else torch.float32)
    found = {"basis": basis + work.steps(), "checking": work.checks(), "loss paths": work.paths()}
    return {"preparing": STARTING, **{stage: operations / rate for stage, operations in found.items()}}


class _Work:
    """Operations at the GEMM rate."""

    def __init__(self, sizes: Sizes, config: RefineConfig, rank: int, share: float) -> None:
        self.sizes, self.config, self.rank, self.share = sizes, config, rank, share
        self.train, self.other = (n * sizes.n_outputs for n in (sizes.n_train, sizes.n_other))
        self.width = min(rank + config.oversampling, self.train, sizes.n_params)
        moved = MOVED * sizes.live / item_of(config)
        self.one = sizes.flops / PASS_RATE + moved if sizes.flops else 3 * sizes.n_params / ROW_RATE  # pass of a sample

    def by_directions(self, strategy: str, samples: int) -> float:
        """Images of the directions at all samples, the factor of those of the training rows, modes of the others."""
        p = directions(self.sizes, self.config, self.rank)
        images = self._tangents(p, samples) if self.sizes.pass_flops else self._products(p)
        factors = 2 * self.train * p**2 * self.share / QR_RATE + 30 * p**3 / SVD_RATE
        return images + factors + 2 * self.other * (p * self.rank / ROW_RATE + self.rank**2 * self.share / QR_RATE)

    def _tangents(self, p: int, samples: int) -> float:
        """By forward mode, one direction at a time: passes, what they move, and each direction written out for every block of samples."""
        sizes = self.sizes
        blocks = sum(ceil(n / max(1, samples)) for n in (sizes.n_train, sizes.n_other))
        return (p + PROBES) * ((sizes.n_train + sizes.n_other) * TANGENT * self.one + MOVED * blocks * sizes.n_params)

    def _products(self, p: int) -> float:
        """By the uses of the parameters, with the trial of directions where samples pass layers at several places."""
        sizes, outputs = self.sizes, self.sizes.n_outputs
        tried = min(TRIED, sizes.n_train) if sizes.places > 1 else 0
        rows = p if tried else 0
        samples = sizes.n_train + sizes.n_other
        passes = (samples + tried) * (1 + BACKWARD * outputs) + rows * (1 + BACKWARD)
        factors = (sizes.factors / 2 or sizes.signals) * (1 + outputs)
        products = p * (samples + 2 * tried) * (factors + 60 * outputs * sizes.layers)
        return passes * self.one + products / ROW_RATE

    def by_rows(self, strategy: str) -> float:
        sizes, config = self.sizes, self.config
        speed = MODE_RATE if strategy == "matrix-free" else ROW_RATE
        passes = 2 + 2 * config.power_iterations
        work = 2 * sizes.n_params * (passes * self.train * self.width + self.other * self.rank) / speed
        work += ENTRY * (sizes.row_entries or sizes.n_params) * (passes * self.train + self.other)
        work += (1 + config.power_iterations) * 4 * sizes.n_params * self.width**2 / QR_RATE
        work += 2 * self.train * self.width**2 * self.share / QR_RATE + 30 * self.width**3 / SVD_RATE
        return work + 2 * self.other * self.rank**2 * self.share / QR_RATE

    def steps(self) -> float:
        """Of Gauss-Newton."""
        return self.config.gauss_newton * 2 * self.train * self.rank**2 * self.share / QR_RATE

    def checks(self) -> float:
        """Outputs of all samples before, and those of the network and of the predictor afterwards."""
        return (2 + TANGENT) * (self.sizes.n_train + self.sizes.n_other) * self.one

    def paths(self) -> float:
        """Networks at several steps along the ladder's ranks, and those at full steps at the display points."""
        sizes = self.sizes
        passed = PATH_STEPS * path_samples(sizes) + stepped_points(sizes)
        return min(LADDER, self.rank + 1) * passed * self.one


@lru_cache(maxsize=4)
def gemm_rate(dtype: torch.dtype) -> float:
    """Floating-point operations a second of a matrix product here, measured once."""
    side = 768
    block = torch.ones(side, side, dtype=dtype)
    best = float("inf")
    for _ in range(12):  # the best of many: others may be at work
        began = time.perf_counter()
        block @ block
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best
