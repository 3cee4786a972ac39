"""Parts of the edge of a typed domain at which nothing is asked of an elliptic equation, which asks for a condition all along its edge.

A smooth network continues its field across a hole that has no condition, so that neither the residual nor another seed shows what is missing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.problems.physics.fields import derivative
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.regions import columns
from lsr_core.problems.physics.shapes import Shape
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.domains import ground_of
from lsr_core.problems.physics.typed.names import names_of

TYPED = "typed"
SAMPLES = 2000  # of the edge
ON_EDGE = 1e-6  # of the extent, within which a point is at the edge
REACH = 4.0  # times the mean distance of points along the edge, within which a condition counts as asked
BARE = 0.05  # of the edge, from which a part without conditions is told


def bare_edge(problem: PhysicsProblem) -> str:
    """What part of the edge has no condition, in words; empty where none is missing, or the equation does not ask for one everywhere.

    Looked at are equations on shapes, not on boxes, with a second derivative of one unknown along every input of space.
    """
    if problem.equation != TYPED:
        return ""
    arguments = TypedArguments.model_validate(problem.arguments)
    names = names_of(arguments)
    shape = ground_of(arguments, names).shape
    if shape is None or not _is_elliptic(problem, names.space):
        return ""
    where = columns(dict(arguments.inputs), names.space)
    points = [block.detach().double().cpu() for block in problem.points.values()]
    flat = torch.cat([part.reshape(-1, part.shape[-1]) for part in points])[:, where]
    share = _bare_share(shape, flat)
    if share < BARE:
        return ""
    return f"no condition is written at {100 * share:.0f} % of the edge of the domain, and a second derivative asks for one all along it"


def _is_elliptic(problem: PhysicsProblem, space: tuple[str, ...]) -> bool:
    """Whether some unknown is differentiated twice along every input of space."""
    twice: dict[int, set[int]] = {}
    for block in problem.blocks:
        for name in block.needs:
            found = derivative(name, problem.outputs, problem.variables)
            if len(found.by) >= 2 and len(set(found.by)) == 1:
                twice.setdefault(found.output, set()).add(found.by[0])
    wanted = {problem.variables.index(name) for name in space}
    return any(wanted <= along for along in twice.values())


def _bare_share(shape: Shape, points: Tensor) -> float:
    """Of the edge, by its length or area, that is farther from all points at the edge than these lie apart."""
    generator = torch.Generator().manual_seed(0)
    at_edge = torch.stack([edge.nearest(points)[0] for edge in shape.edges]).amin(dim=0) <= ON_EDGE * shape.extent
    asked = points[at_edge]
    whole = sum(edge.measure for edge in shape.edges)
    samples = []
    for edge in shape.edges:
        count = max(8, round(SAMPLES * edge.measure / whole))
        found, normals = edge.at(torch.rand(count, edge.parameters, generator=generator, dtype=torch.float64))
        samples.append((found[shape.sides(found, normals)[0]], edge.measure / count))
    length = sum(len(found) * one for found, one in samples)
    if len(asked) == 0 or length <= 0:
        return 1.0 if length > 0 else 0.0
    reach = REACH * (length / len(asked)) ** (1 / max(1, points.shape[1] - 1))
    bare = sum(
        float((torch.cdist(found, asked).amin(dim=1) > reach).sum()) * one for found, one in samples if len(found)
    )
    return bare / length
