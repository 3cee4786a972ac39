"""An equation made ready for one refinement: function, strategy and plan, then residual rows at fitted and fresh points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from lsr_core.errors import InputError
from lsr_core.kinds.equations.proving import first_with_jets, proved_physics
from lsr_core.networks.checks import check_outputs
from lsr_core.networks.footprints import Footprint, footprint
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.layered import chain_of
from lsr_core.networks.probe import examine
from lsr_core.networks.strategies import choose_strategy
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.output_sizes import parts_of
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.plan import make_plan
from lsr_core.refinement.proving import note_of, precision_of
from lsr_core.refinement.routed import routed
from lsr_core.refinement.setting import (
    Outline,
    clamp_rank,
    converted,
    function_of,
    rcond_of,
    refuse_other_answers,
    with_strategy,
)
from lsr_core.refinement.sizes import MAX_DISPLAY_POINTS, Sizes
from lsr_core.refinement.uses import Route, refuse_unused_on

WAYS = ("auto", "row-blocks", "matrix-free", "factored")  # of making rows of an equation's Jacobian
HEALTH_SAMPLES = 64
TOGETHER = 64  # points that a pass has at least, where there are as many
FULL_SPACE = 2500  # parameters up to which the whole space is taken by default
MAX_RANK = 1400  # otherwise


def outline(problem: PhysicsProblem, config: RefineConfig) -> Outline:
    """Function, strategy and plan; the residuals are called at two points of each block to count their rows.

    Raises:
        InputError: a device this machine does not have, a rank beyond min(n, m), the factored route, a setting that the way to the basis does
            not use, or a residual that cannot be evaluated.
    """
    if config.strategy not in WAYS:
        raise InputError(f"is {config.strategy}, which equations do not know; use {', '.join(WAYS)}", key="strategy")
    if config.strategy == "factored" and chain_of(problem.model) is None:
        raise InputError(
            "the network is not a chain of layers through which derivatives are carried; use row-blocks, matrix-free or auto",
            key="strategy",
        )
    if config.strategy == "factored" and problem.unknown:
        raise InputError(
            "numbers that are to be found have no layer to factor; use row-blocks, matrix-free or auto", key="strategy"
        )
    function = function_of(problem.model, config)
    few = {name: points[:2] for name, points in problem.points.items()}
    example = next(iter(few.values())).to(function.theta0)
    example = example.reshape(-1, example.shape[-1])
    refuse_other_answers(function, example, (len(problem.outputs),))
    findings = examine(function, example)
    function, widths = first_with_jets(problem, function, few, findings)
    n_residuals = sum(len(problem.points[name]) * width for name, width in widths.items())
    sizes = _sizes(problem, function, n_residuals, block_rows(problem, function, few, check=False))
    default = sizes.n_params if sizes.n_params <= FULL_SPACE else MAX_RANK
    max_rank, notes = clamp_rank(config, n_residuals, sizes.n_params, default)
    name = "row-blocks" if config.strategy == "auto" else config.strategy
    strategy = choose_strategy(
        function, example, n_residuals, len(problem.outputs), width=max_rank + config.oversampling, wanted=name
    )
    if config.strategy == "auto":
        layered = function.layered and chain_of(function.module) is not None
        reason = "derivatives are carried through the layers" if layered else "rows by differentiation point by point"
        strategy = replace(strategy, reason=reason)
    whole: Route = "equation-whole" if max_rank == sizes.n_params else "equation-sketch"
    refuse_unused_on(config, "equation-factored" if strategy.name == "factored" else whole)
    sizes = routed(sizes, strategy)
    plan = make_plan(sizes, config, strategy.name, max_rank)
    strategy = replace(strategy, block_bytes=plan.block_bytes)
    return Outline(function, strategy, sizes, plan, max_rank, tuple(notes), findings)


def prepare(problem: PhysicsProblem, config: RefineConfig) -> PhysicsSetting:
    """Check and convert.

    Raises:
        InputError: see `outline`; residuals that are not finite; a network whose points influence each other.
    """
    seen = outline(problem, config)
    function = seen.function
    splits = {name: converted(split, function.dtype, function.device) for name, split in problem.splits().items()}
    eps = precision_of(seen.findings, function.dtype)
    every = [points.to(function.theta0) for points in (*problem.points.values(), *problem.fresh.values())]
    places = [points.reshape(-1, points.shape[-1])[:HEALTH_SAMPLES] for points in every]
    everywhere = torch.cat([*places, *(split.inputs for split in splits.values())])
    if not check_outputs(
        function, everywhere, len(problem.outputs), precision=eps
    ):  # together: where u = 0 is met, outputs are rounding only
        raise InputError(
            "outputs at one point depend on the points beside it, so they have no derivatives of their own; "
            "leave out what mixes a batch",
            key="model",
        )
    try:
        proved = proved_physics(problem, seen, config, everywhere)
    except InputError:
        block_rows(problem, function)  # a residual that is no number is the reason then, and is said with its place
        raise
    seen = with_strategy(seen, proved.strategy, config)
    fitted = tuple(block_rows(problem, seen.function))
    fresh = tuple(block_rows(problem, seen.function, problem.fresh))
    return PhysicsSetting(
        parts=parts_of((len(problem.outputs),)),
        kind=problem.kind,
        config=config,
        function=seen.function,
        strategy=seen.strategy,
        sizes=seen.sizes,
        plan=seen.plan,
        sample_wise=True,
        splits=splits,
        display=problem.display[0],
        max_rank=seen.max_rank,
        rcond=rcond_of(config, sum(part.n_rows for part in fitted), eps),
        adjoint_error=proved.defect,
        routes_left=proved.left,
        notes=(
            *seen.notes,
            *note_of(seen.findings, function.dtype),
            *proved.notes,
            *([problem.graded_on] if problem.graded_on else []),
            *problem.remarks,
        ),
        problem=problem,
        fitted=fitted,
        fresh=fresh,
    )


def _sizes(
    problem: PhysicsProblem, function: ParametricFunction, n_residuals: int, blocks: Sequence[BlockRows]
) -> Sizes:
    taken = [_footprint_of(part, len(problem.points[part.block.name])) for part in blocks]
    tensors = [*problem.points.values(), *problem.fresh.values()]
    tensors += [values for split in problem.splits().values() for values in split]
    matrices = [shape for shape in function.shapes.values() if len(shape) == 2]
    return Sizes(
        n_params=function.n_params,
        n_outputs=1,
        n_train=n_residuals,
        n_other=0,
        data_bytes=2 * sum(tensor.numel() * tensor.dtype.itemsize for tensor in tensors),
        signals=sum(sum(shape) for shape in matrices),
        layers=len(matrices),
        row_entries=sum(shape.numel() for shape in function.shapes.values()),
        live=max(one.live for one in taken),
        kept=max(one.kept for one in taken),
        total=function.n_total,
        equation=True,
        shown=min(len(problem.display[1].inputs), MAX_DISPLAY_POINTS),
    )


def _footprint_of(block: BlockRows, count: int) -> Footprint:
    """By point, as a pass of `TOGETHER` points or more has it: of a block of fewer, such as one integral with its nodes, all are in it."""
    one = footprint(block.residual, block.points)
    share = min(count, TOGETHER) / TOGETHER
    return Footprint(math.ceil(one.live * share), math.ceil(one.kept * share))
