"""How a refinement is to use memory, and what it will take of memory and time."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_core.refinement import serverlimits
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.durations import durations
from lsr_core.refinement.peaks import Blocks, sample_bytes, stages
from lsr_core.refinement.resources import available_bytes
from lsr_core.refinement.sizes import Sizes, item_of

MIN_BLOCK, MAX_BLOCK = 4 * 2**20, 128 * 2**20
LARGEST_BLOCK = 2**29  # in forward mode, where each block costs the passes over what samples share once more
BLOCK_SHARE = 0.05  # of the budget that such a block, or one of factored images, may take
KEEP_SHARE = 0.3  # of the budget that kept rows may take
MOST_SAMPLES = 2**30  # no limit by activations


@dataclass(frozen=True)
class Plan:
    """Block sizes and what they lead to.

    Attributes:
        block_bytes: largest block of rows or modes.
        gather: rows gathered for a QR step, in multiples of its columns.
        samples: in a block of rows, where their activations or factors limit it.
        keep_rows: whether Jacobian rows are kept between passes.
        peak_bytes: of the process, its libraries included.
        stages: peak of the process in each stage of a job.
        durations: rough duration on this machine of the stages that take long, in seconds.
    """

    block_bytes: int
    gather: int
    samples: int
    keep_rows: bool
    peak_bytes: int
    stages: dict[str, int]
    durations: dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.durations.values())


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
        times = durations(sizes, config, strategy, rank, gather=gather, samples=samples)
        plan = Plan(block_bytes, gather, samples, keep, max(found.values()), found, times)
        if plan.peak_bytes <= budget:
            return plan
    assert plan is not None
    return plan
