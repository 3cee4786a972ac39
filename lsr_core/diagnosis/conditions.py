"""Conditions that an equation is short of, as far as counting tells: derivatives along an input beside what is asked along it.

A derivative of order k along an input usually needs k conditions at places of that input. Counting proves nothing: degenerate coefficients need
fewer, and k of the wrong kind do not suffice. So it only names what measured figures have found wrong.
"""

from __future__ import annotations

from collections import Counter

from torch import Tensor, nn

from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.fields import MAX_ORDER, derivative
from lsr_core.problems.physics.problem import PhysicsProblem

ONE_PLACE = 1e-9  # of the extent of an input, within which points have one value of it
FEW = 3  # places of an input at most, for points that are asked there and not all over it


def missing_conditions(problem: PhysicsProblem) -> str:
    """What conditions are missing, in words; empty where counting finds none, or cannot tell."""
    if _meets_by_form(problem):
        return ""
    inside = [block for block in problem.blocks if is_inside(problem, block)]
    asked = [block for block in problem.blocks if block not in inside]
    highest = max((len(by) for block in inside for by in _taken(problem, block)), default=0)
    if not highest:
        return ""
    if not asked:
        return "an equation with derivatives is all that is written, and nothing is asked of the field at any edge, place or time"
    if level := _without_a_level(problem):
        return level
    if len(problem.outputs) > 1 or len(inside) > 1:
        return ""  # what conditions on one unknown are worth to another is not counted
    return _short(problem, inside[0], asked)


def _without_a_level(problem: PhysicsProblem) -> str:
    """An unknown that rows read the derivatives of, and never the value; where all of them tell what they read."""
    if not all(block.reads for block in problem.blocks):
        return ""
    levels = [
        name for name in problem.outputs if not any(name in block.reads for block in problem.blocks if not block.pairs)
    ]
    if not levels:
        return ""
    return f"only derivatives of {levels[0]} are read and its value nowhere, so that a constant may be added to it"


def _meets_by_form(problem: PhysicsProblem) -> bool:
    """Whether the network may meet conditions that stand in no block."""
    known = problem.architecture
    if known is None:
        return type(problem.model) is not nn.Sequential
    return bool(known.arguments.get("output") or known.arguments.get("features"))


def _short(problem: PhysicsProblem, inside: ResidualBlock, asked: list[ResidualBlock]) -> str:
    orders = Counter[int]()
    for by in _taken(problem, inside):
        if len(set(by)) == 1:
            orders[by[0]] = max(orders[by[0]], len(by))
    counts = Counter[int]()
    for block in asked:
        places = [_places(problem, block, variable) for variable in range(len(problem.variables))]
        if not any(places):
            return ""  # along a curve, or data: not counted
        for variable, number in enumerate(places):
            counts[variable] += number * _rows(problem, block)
    for variable, order in sorted(orders.items()):
        if counts[variable] < order:
            name = problem.variables[variable]
            return (
                f"a derivative of order {order} by {name} asks for {order} condition{'s' * (order > 1)} at places of {name}, "
                f"and {counts[variable] or 'none'} {'is' if counts[variable] < 2 else 'are'} written"
            )
    return ""


def _taken(problem: PhysicsProblem, block: ResidualBlock) -> list[tuple[int, ...]]:
    """What is differentiated by, for each derivative that the block reads."""
    return [derivative(name, problem.outputs, problem.variables).by for name in block.needs]


def outputs_read(problem: PhysicsProblem, block: ResidualBlock) -> set[int]:
    """Outputs that a block reads; all of them where it does not tell."""
    if not block.reads:
        return set(range(len(problem.outputs)))
    return {derivative(name, problem.outputs, problem.variables).output for name in (*block.needs, *block.reads)}


def is_inside(problem: PhysicsProblem, block: ResidualBlock) -> bool:
    """Whether it is an equation all over the domain that derivatives stand in."""
    if block.pairs or not _taken(problem, block):
        return False
    return not any(_places(problem, block, variable) for variable in range(len(problem.variables)))


def _places(problem: PhysicsProblem, block: ResidualBlock, variable: int) -> int:
    """How many values of an input its points have; 0 where they lie all over it. A pair at both ends counts as one."""
    low, high = problem.domain[problem.variables[variable]]
    points = problem.points[block.name]
    if block.pairs:
        return int(bool(((points[:, 0, variable] - points[:, 1, variable]).abs() > ONE_PLACE * (high - low)).all()))
    values: Tensor = points[:, 0, variable] if block.nodes else points[:, variable]
    places = int(((values - low) / (ONE_PLACE * (high - low))).round().unique().numel())
    return places if places <= FEW else 0


def _rows(problem: PhysicsProblem, block: ResidualBlock) -> int:
    """Conditions at each of its places; several at once are written by periodic ones."""
    return (len(block.reads) or MAX_ORDER) if block.pairs else 1
