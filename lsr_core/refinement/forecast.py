"""What a refinement will take, before it is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lsr_core.errors import InputError
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import outline
from lsr_core.refinement.plan import budget_of, make_plan
from lsr_core.refinement.ranks import LADDER
from lsr_core.refinement.resources import sized
from lsr_core.refinement.setting import Outline, Setting
from lsr_core.refinement.sizes import MAX_DISPLAY_POINTS, MAX_STEPPED_POINTS, Sizes


@dataclass(frozen=True)
class Forecast:
    """Expected cost of a refinement.

    Attributes:
        max_rank: the largest rank after clamping to min(n, m).
        strategy: how the Jacobian will be applied, and why.
        peak_bytes: of the working process, its libraries included.
        run_bytes: of the run on disk.
        available_bytes: the memory budget, or what is free on this machine now.
        seconds: rough duration on this machine when it is otherwise idle.
        durations: the stages of it that take long.
        largest_rank: the largest maximum rank that would fit.
        stages: peak of the process in each stage of the job.
        largest_within: the largest maximum rank that fits a number of bytes.
    """

    max_rank: int
    strategy: str
    strategy_reason: str
    peak_bytes: int
    run_bytes: int
    available_bytes: int
    seconds: float
    durations: dict[str, float]
    largest_rank: int
    stages: dict[str, int]
    largest_within: Callable[[int], int]

    @property
    def fits(self) -> bool:
        return self.peak_bytes <= self.available_bytes

    @property
    def sentence(self) -> str:
        """The forecast in words."""
        needs = f"Needs about {sized(self.peak_bytes)} of memory and {sized(self.run_bytes)} on disk"
        if self.fits:
            return f"{needs}; {sized(self.available_bytes)} of memory may be used."
        largest = f"The largest maximum rank that fits is {self.largest_rank}."
        if self.largest_rank == 0:
            largest = "No rank fits; allow more memory."
        return f"{needs}, but only {sized(self.available_bytes)} of memory may be used. {largest}"


def forecast(problem: Problem, config: RefineConfig) -> Forecast:
    """Sizes and times from shapes alone; nothing is computed.

    Raises:
        InputError: a setting that cannot be met, see `refine`.
    """
    return _forecast(problem, config, outline(problem, config))


def _forecast(problem: Problem, config: RefineConfig, seen: Outline | Setting) -> Forecast:
    budget = budget_of(config)
    largest = partial(_largest_within, seen.sizes, config, seen.strategy.name, seen.max_rank)
    return Forecast(
        max_rank=seen.max_rank,
        strategy=seen.strategy.name,
        strategy_reason=seen.strategy.reason,
        peak_bytes=seen.plan.peak_bytes,
        run_bytes=_run_size(problem, seen.sizes, seen.max_rank),
        available_bytes=budget,
        seconds=seen.plan.seconds,
        durations=seen.plan.durations,
        largest_rank=largest(budget),
        stages=seen.plan.stages,
        largest_within=largest,
    )


def need_room(problem: Problem, setting: Setting) -> None:
    """Refuse a setting whose plan does not fit its budget, before anything large is allocated.

    Raises:
        InputError: the plan needs more; the message names the largest rank that fits.
    """
    if setting.plan.peak_bytes > budget_of(setting.config):
        refuse_beyond(_forecast(problem, setting.config, setting), setting.config)


def refuse_beyond(expected: Forecast, config: RefineConfig) -> None:
    """Refuse what is expected to need more than its budget.

    Raises:
        InputError: it does; the message names the largest rank that fits.
    """
    if not expected.fits:
        raise InputError(expected.sentence, key="max_rank" if config.memory_budget is None else "memory_budget")


def _run_size(problem: Problem, sizes: Sizes, rank: int) -> int:
    points = min(len(problem.display[1].inputs), MAX_DISPLAY_POINTS)
    values = sum(split.inputs.numel() + split.targets.numel() for split in problem.splits().values())
    ladder = min(LADDER, rank + 1) * sizes.n_outputs * 4 * (points + min(points, MAX_STEPPED_POINTS))
    return 12 * sizes.n_params + 8 * values + ladder + 8 * 14 * (rank + 1) + 50_000


def _largest_within(sizes: Sizes, config: RefineConfig, strategy: str, rank: int, n_bytes: int) -> int:
    asked = config.model_copy(update={"memory_budget": max(1, n_bytes)})
    low, high = 0, rank
    while low < high:
        middle = (low + high + 1) // 2
        fits = make_plan(sizes, asked, strategy, middle).peak_bytes <= n_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
