"""An equation of the user's own: residual blocks in plain torch, and where they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn

from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.places import places
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.splits import Split


def own_equation(
    name: str,
    model: nn.Module,
    domain: Mapping[str, tuple[float, float]],
    blocks: Sequence[ResidualBlock],
    solution: Callable[[Tensor], Tensor] | None = None,
    *,
    outputs: Sequence[str] = ("u",),
    seed: int = 0,
    unknown: Mapping[str, float] | None = None,
) -> PhysicsProblem:
    """A problem on points drawn from a seed, reported on an equally spaced grid of about 10,000 points.

    A domain that is no box is known by the regions of its blocks only: it is then reported at points which these draw.

    Args:
        name: of the problem and of its equation.
        model: maps points (n, d) to outputs (n, o).
        domain: bounds by variable; their order is that of the coordinates.
        blocks: the equation and its conditions.
        solution: exact or reference values (n,) or (n, o) at points (n, d); only reported, never used to choose. None = nobody knows
            it; the field is drawn, and measured by its residual.
        outputs: names by which residuals read the network's outputs.
        seed: from which fitted and fresh points are drawn.
        unknown: numbers that are to be found, by name, with the values that they start from; residuals read them by these names as they read
            outputs. The model does not give them; a known solution does, behind its outputs.

    Raises:
        InputError: points outside the domain, unknown derivatives, conditions that contradict each other.
    """
    points, fresh = draw_points(blocks, seed)
    where, graded_on = places(domain, blocks)
    test = None if solution is None else Split(where, solution(where).detach().double().reshape(len(where), -1))
    return PhysicsProblem(
        name=name,
        model=model,
        equation=name,
        arguments={},
        domain={variable: (float(low), float(high)) for variable, (low, high) in domain.items()},
        outputs=tuple(outputs),
        blocks=tuple(blocks),
        points=points,
        fresh=fresh,
        test=test,
        unknown=dict(unknown or {}),
        seed=seed,
        graded_on=graded_on,
    )
