"""How a refinement is to use memory, and what it will take of memory and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import torch

from lsr_core.refinement import serverlimits
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.peaks import Blocks, Sizes, directions, item_of, sample_bytes, stages
from lsr_core.refinement.ranks import LADDER
from lsr_core.refinement.resources import available_bytes

MIN_BLOCK, MAX_BLOCK = 4 * 2**20, 128 * 2**20
LARGEST_BLOCK = 2**29  # in forward mode, where each block costs the passes over what samples share once more
BLOCK_SHARE = 0.05  # of the budget that such a block, or one of factored images, may take
KEEP_SHARE = 0.3  # of the budget that kept rows may take
MOST_SAMPLES = 2**30  # no limit by activations
PATH_SAMPLES = 52 * (20 * 200 + 2500)  # forward passes of loss paths and moved networks
QR_RATE, SVD_RATE, ROW_RATE, MODE_RATE = 0.6, 0.5, 0.55, 0.12  # shares of the GEMM rate that are reached
ENTRY = 150  # operations for which an entry of a Jacobian row counts: it is made, written and read
FORWARD = 24  # operations of a product of rows whose time one of a pass takes as a tangent
STARTING = 0.3  # seconds of everything that does not grow


@dataclass(frozen=True)
class Plan:
    """Block sizes and what they lead to.

    Attributes:
        block_bytes: largest block of rows or modes.
        gather: rows gathered for a QR step, in multiples of its columns.
        samples: in a block of rows, where their activations or factors limit it.
        keep_rows: whether Jacobian rows are kept between passes.
        peak_bytes: of the process, its libraries included.
        seconds: rough duration on this machine.
        stages: peak of the process in each stage of a job.
    """

    block_bytes: int
    gather: int
    samples: int
    keep_rows: bool
    peak_bytes: int
    seconds: float
    stages: dict[str, int]


def budget_of(config: RefineConfig) -> int:
    """Bytes the process may use: what was asked for, or what is free, and no more than the server allows a job."""
    asked = config.memory_budget if config.memory_budget is not None else available_bytes()
    allowed = serverlimits.current().memory
    return asked if allowed is None else min(asked, allowed)


def make_plan(sizes: Sizes, config: RefineConfig, strategy: str, rank: int) -> Plan:
    """The fastest plan that stays within the budget, or the most frugal one if none does."""
    budget = budget_of(config)
    item = item_of(config)
    kept = sizes.n_train * sizes.n_outputs * sizes.n_params * item
    keep = strategy == "row-blocks" and kept <= KEEP_SHARE * budget
    share = min(LARGEST_BLOCK, int(BLOCK_SHARE * budget))
    most = max(MAX_BLOCK, share) if sizes.pass_flops else MAX_BLOCK
    per_sample = sample_bytes(sizes, config, strategy, rank)
    plan = None
    for gather, block_bytes in ((7, most), (3, most), (2, most // 4), (1, MIN_BLOCK)):
        room = min(share, 4 * block_bytes)
        samples = max(1, min(MOST_SAMPLES, room // (per_sample + 1)))
        found = stages(sizes, config, strategy, rank, Blocks(block_bytes, gather, samples, keep))
        seconds = _seconds(sizes, config, strategy, rank, gather)
        plan = Plan(block_bytes, gather, samples, keep, max(found.values()), seconds, found)
        if plan.peak_bytes <= budget:
            return plan
    assert plan is not None
    return plan


def _seconds(sizes: Sizes, config: RefineConfig, strategy: str, rank: int, gather: int) -> float:
    rate = gemm_rate(torch.float64 if config.dtype == "float64" else torch.float32)
    train, other = (n * sizes.n_outputs for n in (sizes.n_train, sizes.n_other))
    width = min(rank + config.oversampling, train, sizes.n_params)
    share = 1 + 1 / gather
    reduce_other = 2 * other * rank**2 * share / QR_RATE
    paths = 1.5 * 2 * sizes.n_params * min(LADDER, rank + 1) / LADDER * PATH_SAMPLES / ROW_RATE
    if strategy == "factored":
        p = directions(sizes, config, rank)
        samples = sizes.n_train + sizes.n_other
        images = FORWARD * sizes.pass_flops * samples * p
        if not sizes.pass_flops:
            images = (train + other + samples) * p * sizes.signals + 60 * (train + other) * p * sizes.layers
        work = images / ROW_RATE + 2 * train * p**2 * share / QR_RATE + 30 * p**3 / SVD_RATE
        work += 2 * other * p * rank / ROW_RATE
    else:
        speed = MODE_RATE if strategy == "matrix-free" else ROW_RATE
        passes = 2 + 2 * config.power_iterations
        work = 2 * sizes.n_params * (passes * train * width + other * rank) / speed
        work += ENTRY * (sizes.row_entries or sizes.n_params) * (passes * train + other)
        work += (1 + config.power_iterations) * 4 * sizes.n_params * width**2 / QR_RATE
        work += 2 * train * width**2 * share / QR_RATE + 30 * width**3 / SVD_RATE
    work += config.gauss_newton * 2 * train * rank**2 * share / QR_RATE
    return STARTING + (work + reduce_other + paths) / rate


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
