"""The tables of the form as the arguments of a typed equation, and what can be said about them before anything is solved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from lsr_app.screens.bring import datatexts
from lsr_app.screens.bring import equationtexts as texts
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.checks import fit_of, is_linear
from lsr_core.problems.physics.typed.expressions import number
from lsr_core.problems.physics.typed.grammar import pieces
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of, problem_with
from lsr_core.problems.splits import Architecture
from lsr_core.validation import checked

Row = Mapping[str, Any]
MANY_VALUES = 5e8  # entries of the fitted rows times the parameters, above which the form asks for less


@dataclass(frozen=True)
class Sheet:
    """The form's tables as they are shown: texts, because 2*pi is a number too. By itself it has empty rows to write into.

    Attributes:
        inputs: rows of name, from, to.
        equations: rows of equation, points, weight.
        conditions: rows of where, equation, points, weight.
        constants: rows of name, value.
        solution: rows of output, expression.
        outputs: names, separated by commas.
        shapes: rows of name, shape.
        domain: made of shapes; empty = the box of the inputs.
        coefficients: data of coefficients, each below a line such as `k(x, y) cubic`.
        unknown: numbers that are to be found with the values that they start from, such as `D = 0.1, k = 2`.
        noise: standard deviation of every value of the data; empty = not known.
    """

    title: str = ""
    outputs: str = "u"
    inputs: Sequence[Row] = ({}, {})
    equations: Sequence[Row] = ({},)
    conditions: Sequence[Row] = ({}, {}, {})
    constants: Sequence[Row] = ({},)
    solution: Sequence[Row] = ({},)
    data: str = ""
    shapes: Sequence[Row] = ({}, {})
    domain: str = ""
    coefficients: str = ""
    unknown: str = ""
    noise: str = ""


@dataclass(frozen=True)
class Brought:
    """A network that was trained elsewhere, the file it came in, and the seed of the points."""

    model: nn.Module
    architecture: Architecture
    file: str
    seed: int = 0


@dataclass(frozen=True)
class Checked:
    """What the form says about an equation.

    Attributes:
        blocks: name, points, derivatives, linear or not, residual of the known solution.
        linear: whether every block is.
        n_params: of the network.
        residual: √loss of the network at the fitted points.
        trained: whether it is one that was brought.
        missed: its relative L2 error, where a solution is known.
    """

    problem: PhysicsProblem
    blocks: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    linear: bool = True
    solved: bool = False
    n_params: int = 0
    n_rows: int = 0
    residual: float = math.nan
    trained: bool = False
    missed: float = math.nan


def sheet_of(ready: Mapping[str, Any]) -> Sheet:
    """A ready-made equation as tables."""
    arguments = TypedArguments.model_validate(ready)
    return Sheet(
        title=arguments.title,
        outputs=", ".join(arguments.outputs),
        inputs=[
            {"name": name, "from": short(low), "to": short(high)} for name, (low, high) in arguments.inputs.items()
        ],
        equations=[row.model_dump() for row in arguments.equations],
        conditions=[row.model_dump() for row in arguments.conditions],
        constants=[{"name": name, "value": short(value)} for name, value in arguments.constants.items()],
        solution=[{"output": name, "expression": text} for name, text in arguments.solution.items()],
        shapes=[{"name": name, "shape": text} for name, text in arguments.shapes.items()],
        domain=arguments.domain,
        unknown=", ".join(f"{name} = {short(value)}" for name, value in arguments.unknown.items()),
    )


def arguments_of(sheet: Sheet) -> TypedArguments:
    """The arguments that the tables mean; rows without any text are left out.

    Raises:
        InputError: a number that is none, a name twice, or too much of something.
    """
    constants: dict[str, float] = {}
    for row in _filled(sheet.constants, "name"):
        name = _text(row, "name")
        if name in constants:
            raise InputError("is there twice; give each its own name", key=f"constant {name:.12}")
        constants[name] = number(_text(row, "value"), constants, f"constant {name:.12}")
    inputs: dict[str, tuple[float, float]] = {}
    for row in _filled(sheet.inputs, "name"):
        name = _text(row, "name")
        if name in inputs:
            raise InputError("is there twice; give each its own name", key=f"input {name:.12}")
        key = f"input {name:.12}"
        inputs[name] = (number(_text(row, "from"), constants, key), number(_text(row, "to"), constants, key))
    if not inputs:
        raise InputError("there is none; write a name such as x, and where it begins and ends", key="inputs")
    equations = [_block(row) for row in _filled(sheet.equations, "equation")]
    if not equations:
        raise InputError("there is none; write one such as u_xx + u_yy = 0", key="equations")
    return checked(
        TypedArguments,
        {
            "title": sheet.title.strip(),
            "inputs": inputs,
            "outputs": pieces(sheet.outputs),
            "constants": constants,
            "equations": equations,
            "conditions": [_block(row) for row in _filled(sheet.conditions, "equation", "where")],
            "solution": {
                _text(row, "output"): _text(row, "expression") for row in _filled(sheet.solution, "expression")
            },
            "unknown": datatexts.unknown(sheet.unknown, constants),
            "data": datatexts.measured(sheet.data, pieces(sheet.outputs), sheet.noise, constants),
            "shapes": _shapes(sheet.shapes),
            "domain": sheet.domain.strip(),
            "coefficients": datatexts.coefficients(sheet.coefficients),
        },
    )


def check(arguments: TypedArguments, network: StartingNetwork | Brought) -> Checked:
    """Build the problem and look at it from all sides that cost little.

    Raises:
        InputError: what is wrong, and where.
    """
    rows = sum(row.points for row in arguments.equations) + sum(row.points for row in arguments.conditions)
    problem = _problem(arguments, network)
    equation = build("typed", problem.arguments)
    n_params = sum(parameter.numel() for parameter in problem.model.parameters())
    if rows * n_params > MANY_VALUES:
        raise InputError(
            f"{rows:,} points and {n_params:,} parameters are more than this form takes on; use fewer points or a smaller network",
            key="points",
        )
    found = block_rows(problem, ParametricFunction.from_module(problem.model, dtype=torch.float64))
    square = sum(float(part.residual.outputs(part.points).square().sum()) for part in found)
    names, variables = equation.outputs, tuple(equation.domain)
    lines, linear = [], True
    for block in equation.blocks:
        affine = is_linear(block, names, variables)
        linear = linear and affine
        fit = None if equation.exact is None else fit_of(block, equation.exact, names, variables)
        lines.append(
            (
                block.name,
                f"{block.n_points:,}{' pairs' if block.pairs else f' × {block.places}' if block.nodes else ''}",
                ", ".join(block.needs) or "none",
                "yes" if affine else "no",
                "" if fit is None else formats.error(fit.residual),
            )
        )
    return Checked(
        problem,
        lines,
        linear,
        equation.exact is not None,
        n_params,
        sum(part.n_rows for part in found),
        math.sqrt(square),
        isinstance(network, Brought),
        _missed(problem),
    )


def _problem(arguments: TypedArguments, network: StartingNetwork | Brought) -> PhysicsProblem:
    if isinstance(network, StartingNetwork):
        return problem_of(arguments, network, name="typed-equation", description=texts.untrained(network.activation))
    return problem_with(
        arguments, network.model, network.architecture, seed=network.seed, name="typed-equation",
        description=texts.trained(network.file),
    )  # fmt: skip


def _missed(problem: PhysicsProblem) -> float:
    if problem.test is None:
        return math.nan
    with torch.no_grad():
        gap = problem.model(problem.test.inputs.double()) - problem.test.targets
    return float(gap.norm() / problem.test.targets.norm())


def scale_of(text: str) -> float | dict[str, float]:
    """One number, or `x = 2.8, t = 1.4`.

    Raises:
        InputError: neither.
    """
    if "=" not in text:
        return number(text, {}, "first-layer scale")
    found = {}
    for piece in pieces(text):
        name, _, value = piece.partition("=")
        found[name.strip()] = number(value, {}, "first-layer scale")
    return found


def scale_text(scales: Mapping[str, float]) -> str:
    """The other way round."""
    return ", ".join(f"{name} = {formats.plain(value, 4)}" for name, value in scales.items())


def network_of(widths: str, activation: str, scale: str, circular: bool, seed: int) -> StartingNetwork:
    """The network that the fields mean.

    Raises:
        InputError: widths that are no whole numbers, or too many, or a scale that is none.
    """
    try:
        layers = [int(piece) for piece in pieces(widths)]
    except ValueError:
        raise InputError(
            f"{widths!r:.40} are no whole numbers; write widths such as 64, 64", key="hidden widths"
        ) from None
    values = {"widths": layers, "activation": activation, "scale": scale_of(scale), "circular": circular, "seed": seed}
    return checked(StartingNetwork, values)


def short(value: float) -> str:
    """A number as a person would write it."""
    for factor in (1, 2, 4):
        if value != 0 and math.isclose(abs(value), factor * math.pi, rel_tol=1e-15):
            return f"{'-' if value < 0 else ''}{f'{factor}*' if factor > 1 else ''}pi"
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e6 else repr(value)


def _block(row: Row) -> dict[str, Any]:
    """The numbers of a row where there are any; the engine has its own for the others."""
    found: dict[str, Any] = {
        "equation": _text(row, "equation"),
        "name": _text(row, "name"),
        "where": _text(row, "where"),
    }
    for key, kind in (("points", int), ("weight", float)):
        value = row.get(key)
        if isinstance(value, (int, float)) and math.isfinite(value):
            found[key] = kind(value)
    return found


def _shapes(rows: Sequence[Row]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in _filled(rows, "name", "shape"):
        name = _text(row, "name")
        if name in found:
            raise InputError("is there twice; give each its own name", key=f"shape {name:.12}")
        found[name] = _text(row, "shape")
    return found


def _filled(rows: Sequence[Row], *keys: str) -> list[Row]:
    return [row for row in rows if any(_text(row, key) for key in keys)]


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""
