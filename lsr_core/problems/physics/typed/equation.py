"""`typed`: an equation of the library that a user wrote, built from its texts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations.definition import PDE, Exact
from lsr_core.problems.physics.typed import conditions
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.checks import check_solution
from lsr_core.problems.physics.typed.conditions import Where
from lsr_core.problems.physics.typed.names import Names, names_of

GRID = {1: 1001, 2: 129, 3: 33, 4: 13}  # points along each axis, by how many there are
TIMES = ("t", "time")


def equation(options: TypedArguments) -> PDE:
    """The equation of these texts.

    Raises:
        InputError: naming the row at fault, and what is wrong with it.
    """
    names = names_of(options)
    blocks, placed = _blocks(options, names)
    exact = _exact(options, names)
    if exact is not None:
        check_solution(blocks, exact, names.outputs, names.inputs)
    periods = {where.across for _, where in placed if where.across is not None}
    return PDE(
        name="typed",
        title=options.title or "Typed equation",
        formula=formula(options),
        arguments=options.model_dump(mode="json"),
        domain=dict(options.inputs),
        blocks=blocks,
        grid=(GRID[len(options.inputs)],) * len(options.inputs),
        exact=exact,
        outputs=names.outputs,
        periods={name: high - low for name, (low, high) in options.inputs.items() if name in periods},
        source="",
    )


def formula(options: TypedArguments) -> str:
    """The whole equation in plain text, one row a line."""
    domain = " × ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in options.inputs.items())
    lines = [f"{_shown(row.equation)}   for {domain}" for row in options.equations]
    lines += [f"{_equal(row.equation, row.where)}   at {row.where}" for row in options.conditions]
    if options.data is not None:
        lines.append(f"{options.data.output} = given values at {len(options.data.rows):,} places")
    if options.constants:
        lines.append("with " + ", ".join(f"{name} = {value:.10g}" for name, value in options.constants.items()))
    lines += [f"solution: {name} = {text}" for name, text in options.solution.items()]
    return "\n".join(lines)


def _shown(text: str) -> str:
    return text.strip() if "=" in text else f"{text.strip()} = 0"


def _equal(text: str, where: str) -> str:
    return text.strip() if where.strip().endswith("periodic") else _shown(text)


def _blocks(
    options: TypedArguments, names: Names
) -> tuple[tuple[ResidualBlock, ...], list[tuple[ResidualBlock, Where]]]:
    """All blocks, and those at the edge with their places."""
    domain, taken = dict(options.inputs), list[str]()
    blocks = []
    for index, row in enumerate(options.equations, 1):
        name = _named(row.name or "interior", taken)
        blocks.append(conditions.inside(row, name, names, domain, options.sampler, f"equation {index}"))
    placed = []
    for index, edge in enumerate(options.conditions, 1):
        key = f"condition {index}"
        where = conditions.where_of(edge.where, domain, names.constants, key)
        name = _named(edge.name or _kind(where, options), taken)
        block = conditions.condition(edge, name, where, names, domain, options.sampler, key)
        placed.append((block, where))
    conditions.check_agreement(placed, domain)
    blocks += [block for block, where in placed if not (options.circular and where.across is not None)]
    if options.data is not None:
        blocks.append(conditions.data(options.data, names))
    return tuple(blocks), placed


def _kind(where: Where, options: TypedArguments) -> str:
    if where.across is not None:
        return "periodic"
    early = all(name in TIMES and end == options.inputs[name][0] for name, end in where.faces)
    return "initial" if early else "boundary"


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
