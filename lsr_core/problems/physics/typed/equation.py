"""`typed`: an equation of the library that a user wrote, built from its texts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations.definition import PDE, Exact, points_of
from lsr_core.problems.physics.regions import columns
from lsr_core.problems.physics.samplers import Box
from lsr_core.problems.physics.typed.arguments import Data, TypedArguments
from lsr_core.problems.physics.typed.checks import check_solution
from lsr_core.problems.physics.typed.conditions import TypedRows, check_agreement
from lsr_core.problems.physics.typed.domains import Ground, ground_of
from lsr_core.problems.physics.typed.measurements import measurements
from lsr_core.problems.physics.typed.names import Names, names_of
from lsr_core.problems.physics.typed.places import Places, Where

GRID = {1: 1001, 2: 129, 3: 33, 4: 13}  # points along each axis, by how many there are
SCATTERED = 5000  # points instead of a grid of five coordinates or more
LOOKING = 4  # seed of these points


def equation(options: TypedArguments) -> PDE:
    """The equation of these texts.

    Raises:
        InputError: naming the row at fault, and what is wrong with it.
    """
    names = names_of(options)
    ground = ground_of(options, names)
    blocks, placed = _blocks(options, names, ground)
    _check_unknowns(blocks, names)
    exact = _exact(options, names)
    if exact is not None:
        check_solution(blocks, exact, names.outputs, names.inputs)
    data = tuple(
        measurements(given, names, "data" if index == 1 else f"data {index}")
        for index, given in enumerate(options.measured, 1)
    )
    periods = {where.across for _, where in placed if where.across is not None}
    return PDE(
        name="typed",
        title=options.title or "Typed equation",
        formula=formula(options),
        arguments=options.model_dump(mode="json"),
        domain=dict(options.inputs),
        blocks=blocks + data,
        grid=(GRID.get(len(options.inputs), 3),) * len(options.inputs),
        exact=exact,
        outputs=names.outputs,
        unknown=dict(options.unknown),
        periods={name: high - low for name, (low, high) in options.inputs.items() if name in periods},
        looked_at=_looked_at(ground),
        source="",
    )


def _looked_at(ground: Ground) -> Tensor | None:
    """The points of the grid that lie in the domain; scattered ones where a grid would have too many."""
    count = len(ground.domain)
    if count in GRID and ground.shape is None:
        return None
    if count in GRID:
        axes = [torch.linspace(low, high, GRID[count], dtype=torch.float64) for low, high in ground.domain.values()]
        points = points_of(axes)
    else:
        points = Box(ground.domain, "sobol")(SCATTERED, torch.Generator().manual_seed(LOOKING))
    if ground.shape is None:
        return points
    return points[ground.shape.holds(points[:, columns(ground.domain, ground.space)])]


def _check_unknowns(blocks: tuple[ResidualBlock, ...], names: Names) -> None:
    """Refuse an unknown function that no equation and no condition reads."""
    heads = {need.rpartition("_")[0] for block in blocks for need in block.needs}
    heads |= {name for block in blocks for name in block.reads}
    if missing := [name for name in names.outputs if name not in heads]:
        raise InputError(
            f"{missing[0]} is in no equation and no condition, so nothing would determine it; leave it out, or write what it has to meet",
            key="outputs",
        )


def formula(options: TypedArguments) -> str:
    """The whole equation in plain text, one row a line."""
    domain = " × ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in options.inputs.items())
    if options.domain.strip():
        domain += f" in {options.domain.strip()}"
    lines = [
        f"{_shown(row.equation)}   for {domain}{f' where {row.where.strip()}' if row.where.strip() else ''}"
        for row in options.equations
    ]
    lines += [f"{_equal(row.equation, row.where)}   at {row.where}" for row in options.conditions]
    lines += [
        f"{given.output} = given values at {len(given.rows):,} places{_noisy(given)}" for given in options.measured
    ]
    lines += [f"{name} = {text.strip()}" for name, text in options.shapes.items()]
    lines += [f"{name}({', '.join(given.inputs)}) by data" for name, given in options.coefficients.items()]
    if options.unknown:
        lines.append("to be found: " + ", ".join(options.unknown))
    if options.constants:
        lines.append("with " + ", ".join(f"{name} = {value:.10g}" for name, value in options.constants.items()))
    lines += [f"solution: {name} = {text}" for name, text in options.solution.items()]
    return "\n".join(lines)


def _noisy(given: Data) -> str:
    return "" if given.noise is None else f" with noise {given.noise:g}"


def _shown(text: str) -> str:
    return text.strip() if "=" in text else f"{text.strip()} = 0"


def _equal(text: str, where: str) -> str:
    return text.strip() if where.strip().endswith("periodic") else _shown(text)


def _blocks(
    options: TypedArguments, names: Names, ground: Ground
) -> tuple[tuple[ResidualBlock, ...], list[tuple[ResidualBlock, Where]]]:
    """All blocks but those of data, and those of conditions with their places."""
    places, rows, taken = Places(ground, names, options.sampler), TypedRows(names, ground), list[str]()
    blocks = []
    for index, row in enumerate(options.equations, 1):
        key = f"equation {index}"
        name = _named(row.name or "interior", taken)
        blocks.append(rows.inside(row, name, places.inside(row.where, key), key))
    placed = []
    for index, edge in enumerate(options.conditions, 1):
        key = f"condition {index}"
        where = places.of(edge.where, key)
        name = _named(edge.name or _kind(where), taken)
        placed.append((rows.condition(edge, name, where, key), where))
    check_agreement(placed, ground.domain)
    blocks += [block for block, where in placed if not (options.circular and where.across is not None)]
    return tuple(blocks), placed


def _kind(where: Where) -> str:
    if where.across is not None:
        return "periodic"
    if where.early:
        return "initial"
    return "boundary" if where.faces or where.normals is not None else "condition"


def _named(name: str, taken: list[str]) -> str:
    """The name with a number behind it where it is taken."""
    number, found = 2, name
    while found in (*taken, "data"):
        found, number = f"{name} {number}", number + 1
    taken.append(found)
    return found


def _exact(options: TypedArguments, names: Names) -> Exact | None:
    """The known solution as a function of points; None where there is none."""
    texts = {name: text for name, text in options.solution.items() if text.strip()}
    if not texts:
        return None
    _same(texts, names.outputs)
    found = [names.known(texts[name], f"solution {name}") for name in names.outputs]

    def exact(points: Tensor) -> Tensor:
        values = {name: points[:, place] for place, name in enumerate(names.inputs)}
        columns = [torch.as_tensor(one(values)).to(points) + torch.zeros_like(points[:, 0]) for one in found]
        return torch.stack(columns, dim=1)

    return exact


def _same(texts: Iterable[str], outputs: tuple[str, ...]) -> None:
    given = set(texts)
    if unknown := sorted(given - set(outputs)):
        raise InputError(f"there is no output {unknown[0]!r}; outputs: {', '.join(outputs)}", key="solution")
    if missing := [name for name in outputs if name not in given]:
        raise InputError(f"has no expression for {missing[0]}; give one for every output, or none", key="solution")
