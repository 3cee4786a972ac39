"""Data made ready for one refinement: function, strategy and plan from shapes, then checks and conversion."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.checks import check_outputs
from lsr_core.networks.footprints import footprint
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.probe import Findings, examine
from lsr_core.networks.strategies import Strategy, choose_strategy, uses_of
from lsr_core.problems.splits import MappedSplit
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.output_sizes import note, output_sizes, parts_of
from lsr_core.refinement.plan import Plan, budget_of, make_plan
from lsr_core.refinement.proving import note_of, precision_of, proved_strategy, some_inputs
from lsr_core.refinement.routed import frugal, routed
from lsr_core.refinement.setting import (
    Outline,
    Setting,
    clamp_rank,
    converted,
    divided,
    function_of,
    in_precision_of,
    rcond_of,
    refuse_other_answers,
    with_strategy,
)
from lsr_core.refinement.sizes import MAX_DISPLAY_POINTS, Sizes
from lsr_core.refinement.uses import refuse_unused_on


class _Looked(NamedTuple):
    """What does not depend on whether samples influence each other."""

    function: ParametricFunction
    few: Tensor
    findings: Findings
    sizes: Sizes
    max_rank: int
    notes: tuple[str, ...]


def outline(problem: SupervisedProblem, config: RefineConfig) -> Outline:
    """Function, strategy and plan of a refinement, from shapes alone, for samples that do not influence each other.

    Raises:
        InputError: a device or dtype this machine does not have, a rank beyond min(n, m), a strategy or a choice of parameters that cannot be met,
            a setting that the way to the basis does not use.
    """
    return _outlined(_looked(problem, config), problem, config, sample_wise=True)


def _looked(problem: SupervisedProblem, config: RefineConfig) -> _Looked:
    function = function_of(problem.model, config)
    rows = some_inputs(problem.splits(), 2)[:2]
    refuse_other_answers(function, rows, problem.output_shape)
    max_rank, notes = clamp_rank(config, problem.n_rows, function.n_params)
    few = in_precision_of(function, rows.to(function.device))
    findings = examine(function, few)
    return _Looked(function, few, findings, _sizes(problem, function, few), max_rank, tuple(notes))


def _outlined(seen: _Looked, problem: SupervisedProblem, config: RefineConfig, *, sample_wise: bool) -> Outline:
    sizes = replace(seen.sizes, coupled=not sample_wise)

    uses = cache(uses_of)  # a look at a large network takes seconds

    def by(wanted: str) -> tuple[Strategy, Sizes, Plan]:
        strategy = choose_strategy(
            seen.function,
            seen.few,
            problem.n_rows,
            sizes.n_outputs,
            width=seen.max_rank + config.oversampling,
            wanted=wanted,
            sample_wise=sample_wise,
            uses=uses,
        )
        found = routed(sizes, strategy)
        return strategy, found, make_plan(found, config, strategy.name, seen.max_rank)

    strategy, routed_sizes, plan = by(config.strategy)
    if config.strategy == "auto" and plan.peak_bytes > budget_of(config):
        strategy, routed_sizes, plan = frugal(by, strategy, routed_sizes, plan, budget_of(config))
    refuse_unused_on(
        config, "published" if config.published else "factored" if strategy.name == "factored" else "sketch"
    )
    strategy = replace(strategy, block_bytes=plan.block_bytes)
    return Outline(seen.function, strategy, routed_sizes, plan, seen.max_rank, seen.notes, seen.findings)


def prepare(problem: SupervisedProblem, config: RefineConfig) -> Setting:
    """Check and convert.

    Raises:
        InputError: see `outline`; a network that cannot be linearised; a memory budget that cannot be met.
    """
    looked = _looked(problem, config)
    seen = _outlined(looked, problem, config, sample_wise=True)
    function = seen.function
    splits = {name: converted(split, function.dtype, function.device) for name, split in problem.splits().items()}
    n_outputs = splits["train"].targets.shape[1]
    eps = precision_of(seen.findings, function.dtype)
    alone = [check_outputs(function, split.inputs, n_outputs, precision=eps) for split in splits.values()]
    sample_wise = all(alone)
    sizes = output_sizes(problem.output_shape, config, splits["train"], function)
    if sizes is not None:
        looked = looked._replace(function=looked.function.divided(sizes))
        splits = {name: divided(split, sizes) for name, split in splits.items()}
    if not sample_wise or sizes is not None:
        seen = _outlined(looked, problem, config, sample_wise=sample_wise)
    proved = proved_strategy(
        seen.strategy,
        some_inputs(splits),
        seen.findings,
        config,
        seen.sizes,
        seen.max_rank,
        sample_wise=sample_wise,
    )
    seen = with_strategy(seen, proved.strategy, config)
    return Setting(
        kind=problem.kind,
        config=config,
        function=seen.function,
        strategy=seen.strategy,
        sizes=seen.sizes,
        plan=seen.plan,
        sample_wise=sample_wise,
        splits=splits,
        parts=parts_of(problem.output_shape),
        display=problem.display[0],
        max_rank=seen.max_rank,
        rcond=rcond_of(config, splits["train"].targets.numel(), eps),
        adjoint_error=proved.defect,
        routes_left=proved.left,
        notes=(
            *seen.notes,
            *note(sizes, parts_of(problem.output_shape)),
            *note_of(seen.findings, function.dtype),
            *proved.notes,
        ),
    )


def _sizes(problem: SupervisedProblem, function: ParametricFunction, few: Tensor) -> Sizes:
    train, dtype = problem.train, function.dtype
    data, divided = 0, parts_of(problem.output_shape) > 1  # which is known once the targets are looked at
    for split in problem.splits().values():
        for values in split:
            held = 0 if isinstance(split, MappedSplit) else values.dtype.itemsize
            other = values.dtype != dtype or (values is split.targets and divided)
            copied = dtype.itemsize if other and values.is_floating_point() else 0
            data += values.numel() * (held + copied)
    matrices = [shape for shape in function.shapes.values() if len(shape) == 2]
    return Sizes(
        n_params=function.n_params,
        n_outputs=train.targets.numel() // len(train.targets),
        n_train=len(train.inputs),
        n_other=sum(len(split.inputs) for name, split in problem.splits().items() if name != "train"),
        data_bytes=data,
        signals=sum(sum(shape) for shape in matrices),
        layers=len(matrices),
        row_entries=sum(shape.numel() for shape in function.shapes.values()),
        live=(taken := footprint(function, few)).live,
        kept=taken.kept,
        flops=taken.flops,
        total=function.n_total,
        shown=min(len(problem.display[1].inputs), MAX_DISPLAY_POINTS),
    )
