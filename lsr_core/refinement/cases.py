"""Physics-informed operators: one refinement for each unseen input function, by its equation alone (Cao & Zhang 2026)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.errors import InputError
from lsr_core.problems.physics.input_functions import InputArguments
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem
from lsr_core.refinement.case_batch import CaseBatch
from lsr_core.refinement.case_records import CaseFields, CasesRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.progress import Progress, ProgressCallback, default_callback
from lsr_core.refinement.uses import refuse_unused

STAGES = {"shared modes": 4, "rank": 2, "cases": 10}


class CasesSettings(BaseModel):
    """What a batch of cases has besides the config of the refinement.

    Attributes:
        cases: how many test functions are refined.
        steps: Gauss-Newton steps of each at most; a linear equation needs one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: int = Field(300, ge=1, le=100_000)
    steps: int = Field(6, ge=1, le=100)


def input_of(problem: Problem) -> tuple[PhysicsProblem, InputArguments]:
    """The problem as one whose equation has an input function that its network sees.

    Raises:
        InputError: it has none.
    """
    given = problem.varied_input()
    if given is None:
        raise InputError(
            "has no input function to vary; cases are for operators that are learnt from an equation, such as antiderivative",
            key="cases",
        )
    return cast(PhysicsProblem, problem), InputArguments.model_validate(given)


def refine_cases(
    problem: PhysicsProblem,
    config: RefineConfig | None = None,
    settings: CasesSettings | None = None,
    *,
    progress: ProgressCallback | None = None,
    on_record: Callable[[CasesRecord], None] = lambda record: None,
    on_fields: Callable[[int, CaseFields], None] = lambda case, found: None,
) -> CasesRecord:
    """Refine one test function after another in a subspace that all share.

    The rank is fixed, or the one with the smallest residual at fresh points over a few validation functions; solutions are looked at for
    the report only.

    Args:
        problem: an operator network and its equation.
        config: of the refinement; `uses` says which of its settings count.
        progress: called with (stage, fraction done); may raise `Cancelled` to stop.
        on_record: called with what there is from time to time.
        on_fields: called with the number and the fields of every function.

    Raises:
        InputError: the equation has no input function, or a setting cannot be used.
    """
    problem, given = input_of(problem)
    config, settings = config or RefineConfig(), settings or CasesSettings()
    refuse_unused(config, "cases", problem.kind)
    clock = Progress(progress or default_callback(), STAGES)
    started = time.perf_counter()
    clock.stage("shared modes")
    batch = CaseBatch(problem, given, config, clock.fraction)
    clock.stage("rank")
    rank, how, residuals = batch.choose_rank(settings.steps, clock.fraction)
    record = CasesRecord(
        problem=problem.name,
        equation=problem.equation,
        n_params=batch.n_params,
        n_residuals=batch.n_residuals,
        seed=config.seed,
        max_rank=batch.max_rank,
        rank=rank,
        rank_choice=how,
        ranks_tried=residuals,
        n_cases=settings.cases,
        shared_seconds=time.perf_counter() - started,
    )
    clock.stage("cases")
    kept = time.perf_counter()
    for number in range(settings.cases):
        case, found = batch.refine(number, rank, settings.steps)
        on_fields(number, found)
        record.cases.append(case)
        clock.fraction((number + 1) / settings.cases)
        if time.perf_counter() - kept > 2:
            on_record(record.so_far(time.perf_counter() - started))
            kept = time.perf_counter()
    clock.finish()
    final = record.so_far(time.perf_counter() - started)
    on_record(final)
    return final
