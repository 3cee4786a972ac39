"""What a way of applying J adds to the sizes of a problem, and another way where the quickest takes too much memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsr_core.errors import InputError
from lsr_core.networks.directions import DirectionForm
from lsr_core.networks.strategies import Strategy
from lsr_core.refinement.plan import Plan
from lsr_core.refinement.sizes import Sizes


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
    """Sizes with those that the route has: scalars of a factored direction, and those without rules."""
    shapes, network = strategy.function.shapes, strategy.network
    if network is None:
        direction = DirectionForm().length(shapes) if strategy.name == "factored" else 0
        return replace(sizes, pass_flops=strategy.pass_flops, rest=0, direction=direction)
    return replace(
        sizes,
        pass_flops=strategy.pass_flops,
        rest=sum(shapes[name].numel() for name in network.rest),
        direction=network.form.length(shapes) if strategy.name == "factored" else 0,
        signals=network.signals,
        places=network.places,
        factors=network.factors,
    )
