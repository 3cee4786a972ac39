"""What a way of applying J adds to the sizes of a problem, and another way where the quickest takes too much memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsr_core.errors import InputError
from lsr_core.networks.strategies import Strategy
from lsr_core.refinement.peaks import Sizes
from lsr_core.refinement.plan import Plan


def frugal(
    by: Callable[[str], tuple[Strategy, Sizes, Plan]], strategy: Strategy, sizes: Sizes, plan: Plan, budget: int
) -> tuple[Strategy, Sizes, Plan]:
    """Another way that fits the budget where the fastest one does not; that one if none does."""
    for wanted in ("factored", "row-blocks", "matrix-free"):
        try:
            other, its_sizes, its_plan = by(wanted)
        except InputError:  # it cannot serve this function
            continue
        if other.name != strategy.name and its_plan.peak_bytes <= budget:
            reason = f"{strategy.name} would be quicker, but needs more memory than may be used"
            return replace(other, reason=reason), its_sizes, its_plan
    return strategy, sizes, plan


def routed(sizes: Sizes, strategy: Strategy) -> Sizes:
    """Sizes with those that the route has: scalars of a factored direction, and those outside the factored layers."""
    shapes = strategy.function.shapes
    network = strategy.network
    rest = direction = 0
    if strategy.name == "factored" and network is not None:
        rest = sum(shapes[name].numel() for name in network.rest)
        direction = sizes.signals + rest
    elif strategy.name == "factored":
        direction = sum(
            shape[0] + shape[1:].numel() if len(shape) > 1 else shape.numel() + 1 for shape in shapes.values()
        )
    return replace(sizes, pass_flops=strategy.pass_flops, rest=rest, direction=direction)
