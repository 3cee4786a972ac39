"""The proof for equations: derivatives by the inputs, and residual rows made of them, against plain reverse mode at a few points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.layered import chain_of
from lsr_core.networks.probe import Findings
from lsr_core.networks.proof import Reference, few, operator_defect, push_defect
from lsr_core.networks.pushes import IN_WORDS, WAYS
from lsr_core.networks.residuals import ResidualFunction, factors_of, form_of
from lsr_core.networks.routes import Left, Proved, in_order, passed_on, reason_of, route_of, tolerance, within
from lsr_core.networks.strategies import Strategy
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.proving import checked_reference, held_back, nothing_serves, refuse_named, stream

if TYPE_CHECKING:
    from lsr_core.refinement.setting import Outline

LAYERS = "derivatives carried through the layers"


def first_with_jets(
    problem: PhysicsProblem, function: ParametricFunction, points: Mapping[str, Tensor], findings: Findings
) -> tuple[ParametricFunction, dict[str, int]]:
    """The first way in which the network has the derivatives that the equation needs, and the rows of a point by block.

    Raises:
        InputError: none has, or the residual cannot be evaluated.
    """
    left = []
    for here in ways_of(function):
        try:
            rows = block_rows(problem, here, points, check=False)
        except InputError:
            raise
        except Exception as error:
            passed_on(error)
            left.append(Left(way_in_words(here), reason_of(error, findings)))
            continue
        return here, {part.block.name: part.width for part in rows}
    raise nothing_serves(tuple(left))


def ways_of(function: ParametricFunction) -> Iterator[ParametricFunction]:
    """The function with each way of differentiating it by its inputs and its parameters."""
    if function.layered and chain_of(function.module) is not None:
        yield function
    for way in WAYS:
        yield function.by(way, layered=False)


def way_in_words(function: ParametricFunction) -> str:
    if function.layered and chain_of(function.module) is not None:
        return LAYERS
    return f"derivatives by {IN_WORDS[function.derivatives]}"


def proved_physics(problem: PhysicsProblem, seen: Outline, config: RefineConfig, places: Tensor) -> Proved:
    """The first way whose derivatives and rows agree with plain reverse mode.

    Args:
        places: points at which the network is looked at, (n, d).

    Raises:
        InputError: see `proved_strategy`.
    """
    function, findings, first = seen.function, seen.findings, seen.strategy
    values = checked_reference(function, places, first.n_outputs, findings, config)
    some = {name: few(points, stream(config)) for name, points in problem.points.items()}
    references = _references(problem, function, some, config, findings)
    found = _search(problem, seen, config.strategy, some, values, references)
    if isinstance(found, Proved):
        return replace(found, notes=held_back(function, values, findings))
    if config.strategy != "auto":
        other = _search(problem, seen, "auto", some, values, references)
        refuse_named(config.strategy, found, other.strategy.name if isinstance(other, Proved) else None)
    raise nothing_serves(found)


def _search(
    problem: PhysicsProblem,
    seen: Outline,
    wanted: str,
    some: Mapping[str, Tensor],
    values: Reference,
    references: list[tuple[BlockRows, Reference]],
) -> Proved | tuple[Left, ...]:
    allowed = tolerance(seen.function, seen.findings)
    left: dict[str, str] = {}
    for here in ways_of(seen.function):
        route = way_in_words(here)
        try:
            rows = block_rows(problem, here, some, check=False)
            worst = within(push_defect(here, values), allowed)
            for part, (plain, _) in zip(rows, references, strict=True):
                worst = max(worst, within(_jet_defect(part.residual, plain.residual, part.points), allowed))
        except Exception as error:
            passed_on(error)
            left.setdefault(route, reason_of(error, seen.findings))
            continue
        start = replace(seen.strategy, function=here)
        layered = route == LAYERS
        for strategy in _strategies(start, wanted, layered):
            named = route if layered and strategy.name != "matrix-free" else route_of(strategy)
            try:
                worst = max(worst, within(operator_defect(strategy.at(values.inputs), values), allowed))
                for part, (_, reference) in zip(rows, references, strict=True):
                    worst = max(worst, within(_rows_defect(part, reference, strategy), allowed))
            except Exception as error:
                passed_on(error)
                left.setdefault(named, reason_of(error, seen.findings))
                continue
            reasons = tuple(Left(name, why) for name, why in left.items() if name != named)
            if reasons:
                strategy = replace(
                    strategy, reason=f"right for this network where {reasons[0].route} is not: {reasons[0].reason}"
                )
            return Proved(strategy, worst, reasons)
    return tuple(Left(name, why) for name, why in left.items())


def _strategies(start: Strategy, wanted: str, layered: bool) -> list[Strategy]:
    """In order; plain reverse mode, which is what is left without forward mode, has no rows for many points at a time."""
    if layered and wanted != "auto":
        return [start]
    return [
        strategy
        for strategy in in_order(start, wanted, sample_wise=True)
        if start.function.derivatives == "forward" or strategy.name == "matrix-free"
    ]


def _references(
    problem: PhysicsProblem,
    function: ParametricFunction,
    some: Mapping[str, Tensor],
    config: RefineConfig,
    findings: Findings,
) -> list[tuple[BlockRows, Reference]]:
    """Residual rows of each block by reverse mode through the network as it stands; through forward jets where that has none."""
    for way in ("reverse", "forward"):
        plain = function.by(way, layered=False)
        try:
            rows = block_rows(problem, plain, some, check=False)
            return [(part, _reference(part, config)) for part in rows]
        except InputError:
            raise
        except Exception as error:
            passed_on(error)
            last = error
    raise InputError(
        f"its derivatives by the inputs cannot be differentiated by the parameters: {reason_of(last, findings)}",
        key="model",
    )


def _reference(part: BlockRows, config: RefineConfig) -> Reference:
    residual = part.residual
    found = Reference.of(residual, part.points, part.width, stream(config))
    terms = residual.components().along(part.points, found.directions).unflatten(0, (len(part.points), -1))
    slopes = residual.slopes(part.points)[:, :, :, list(residual.used)].flatten(2)
    size = (slopes.abs() @ terms.abs()).flatten(0, 1).norm(dim=0).max()
    return replace(found, size=float(size))


def _jet_defect(residual: ResidualFunction, plain: ResidualFunction, points: Tensor) -> float:
    """Largest relative difference of values and derivatives by the inputs, component by component."""
    places = points.reshape(-1, points.shape[-1])
    with torch.no_grad():
        found, wanted = (rows.jets.fixed(places)(rows.theta0) for rows in (residual, plain))
    size = wanted.abs().amax(dim=(0, 2)).clamp_min(torch.finfo(wanted.dtype).tiny)
    smallest = size[0] * torch.finfo(wanted.dtype).eps
    defects = (found - wanted).abs().amax(dim=(0, 2)) / size.clamp_min(float(smallest))
    return float(defects.nan_to_num(nan=torch.inf).max())


def _rows_defect(part: BlockRows, reference: Reference, strategy: Strategy) -> float:
    residual = part.residual
    if strategy.name != "factored":
        wide = strategy.name == "matrix-free"
        return operator_defect(residual.at(part.points, part.width, strategy.name), reference, wide=wide)
    shapes = residual.function.shapes
    few = FactoredDirections.random(
        shapes,
        2,
        torch.Generator().manual_seed(1),
        residual.theta0,
        form=form_of(residual),
        sizes=dict.fromkeys(shapes, 1.0),
    )
    return reference.defect_of(factors_of(residual, part.points).images(few), few.written())
