"""What a solve with measured values or unknown numbers found, as records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.problems.physics.blocks import MEASURED
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.refinement.physics_setting import value_of
from lsr_core.refinement.unknowns import (
    MeasuredFit,
    TradeOff,
    UnknownNumber,
    in_words,
    misfit_in_words,
    number,
)
from lsr_core.solver.balance import MeasuredSpace
from lsr_core.solver.inverse import InverseState, freedom_of, noise_of
from lsr_core.solver.tangent import ROUTE

POINTS = 500  # at which standard deviations of the field are taken


@dataclass(frozen=True, eq=False)
class Found:
    """Beside the field.

    Attributes:
        unknowns: by name.
        measured: how measured values are met; None where there are none.
    """

    unknowns: dict[str, UnknownNumber]
    measured: MeasuredFit | None


def found_by(
    space: MeasuredSpace, state: InverseState, tried: Sequence[InverseState] = (), *, trusted: bool = True
) -> Found:
    """The records of a state.

    Args:
        tried: with other weights of the equation, the state among them.
        trusted: whether the noise is known, so that deviations have a meaning.
    """
    problem = space.space.problem
    joint = space.model(state.triangles.joint(state.balance), state.alpha)
    deviations = joint.flat_deviations(state.strength) * _units(space)
    values, any_measured = numbers_at(space, state.alpha), space.count > 0 and trusted
    unknowns = {
        name: number(name, values[name], float(deviation), start, measured=any_measured)
        for (name, start), deviation in zip(problem.unknown.items(), deviations, strict=True)
    }
    if not any_measured:
        return Found(unknowns, None)
    spread = joint.spread(state.strength)
    return Found(unknowns, _measured(space, state, _field_deviations(space, spread), tried))


def said(found: Found | None) -> list[str]:
    """Sentences on it."""
    if found is None:
        return []
    numbers = [in_words(found.unknowns)] if found.unknowns else []
    return numbers + ([] if found.measured is None else [found.measured.sentence])


def numbers_at(space: MeasuredSpace, alpha: Tensor) -> dict[str, float]:
    """The unknown numbers at coefficients (R,)."""
    names = list(space.space.problem.unknown)
    theta = space.space.function.theta0 + space.space.delta(alpha)
    return dict(zip(names, theta[len(theta) - len(names) :].tolist(), strict=True))


def _units(space: MeasuredSpace) -> Tensor:
    """How far each number moves with its coefficient."""
    directions = space.space.directions
    return directions[len(directions) - space.flat :, directions.shape[1] - space.flat :].diagonal()


def _measured(
    space: MeasuredSpace, state: InverseState, by_output: dict[str, float], tried: Sequence[InverseState]
) -> MeasuredFit:
    blocks = [block for block in space.space.fitted_blocks if block.block.measured]
    given = all(block.block.noise is not None for block in blocks)
    freedom = freedom_of(space, state)
    variance = MEASURED if given else noise_of(space, state)
    noise = {
        block.block.name: block.block.noise or math.sqrt(variance * block.n_rows / block.block.weight)
        for block in blocks
    }
    misfit = math.sqrt((state.losses.measured + space.within) / (variance * space.count))
    return MeasuredFit(
        values=space.count,
        noise=noise,
        noise_given=given,
        misfit=misfit,
        freedom=freedom,
        std_by_output=by_output,
        trade_off=[_trade_off(space, one, state, variance) for one in tried],
        sentence=misfit_in_words(space.count, list(noise.values()), misfit, freedom, given=given),
    )


def _trade_off(space: MeasuredSpace, one: InverseState, chosen: InverseState, variance: float) -> TradeOff:
    return TradeOff(
        weight=one.balance.weight,
        misfit=math.sqrt((one.losses.measured + space.within) / (variance * space.count)),
        residual=math.sqrt(one.fresh.others),
        values=numbers_at(space, one.alpha),
        chosen=one is chosen,
    )


def _field_deviations(space: MeasuredSpace, spread: Tensor) -> dict[str, float]:
    """Root mean squares of the standard deviation of each output that depends on the point."""
    problem, function = space.space.problem, space.space.function
    points = _spread_out(problem).to(function.theta0)
    modes = value_of(function).at(points, len(problem.outputs), ROUTE).matmat(space.space.directions)
    squares = (modes @ spread).square().sum(dim=1).view(len(points), -1).mean(dim=0)
    fields = problem.outputs[: len(problem.outputs) - len(problem.unknown)]
    return {name: math.sqrt(float(value)) for name, value in zip(fields, squares[: len(fields)], strict=True)}


def _spread_out(problem: PhysicsProblem) -> Tensor:
    """Points of the display, equally many apart."""
    inputs = problem.display[1].inputs
    return inputs[torch.linspace(0, len(inputs) - 1, min(POINTS, len(inputs))).round().long()]
