"""A network for a typed equation, at its random start or trained elsewhere, and the problem of the two."""

from __future__ import annotations

import copy
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.activations import ActivationName
from lsr_core.networks.layered import LayeredNetwork
from lsr_core.networks.pinn import Positive
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.equations.definition import PDE
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.splits import Architecture

MOST_WIDE, MOST_DEEP = 2000, 6
Widths = Annotated[list[Annotated[int, Field(ge=1, le=MOST_WIDE)]], Field(min_length=1, max_length=MOST_DEEP)]


class StartingNetwork(BaseModel):
    """A fully connected network that is not trained.

    Attributes:
        widths: of its hidden layers.
        activation: between them.
        scale: half-width of the first layer's uniform weights, one number or by input.
        circular: whether inputs with a periodic condition enter as cosine and sine, so that the condition holds by itself.
        seed: of weights and points.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    widths: Widths = [64, 64]
    activation: ActivationName = "tanh"
    scale: Positive | dict[str, Positive] = 2.0
    circular: bool = False
    seed: int = Field(0, ge=0, lt=2**31)


def problem_of(
    arguments: TypedArguments, network: StartingNetwork, *, name: str = "typed", description: str = ""
) -> PhysicsProblem:
    """The problem of a typed equation and an untrained network in float64.

    Raises:
        InputError: the equation cannot be built, or the network does not fit it.
    """
    equation = build("typed", {**arguments.model_dump(), "circular": network.circular})
    if network.circular and not equation.periods:
        raise InputError("no input has a periodic condition, so none can enter as cosine and sine", key="circular")
    architecture = Architecture("pinn-mlp", _arguments(equation, network))
    model = architectures.build(architecture.name, architecture.arguments)
    return _problem(equation, model, architecture, network.seed, name, description)


def problem_with(
    arguments: TypedArguments,
    model: nn.Module,
    architecture: Architecture,
    *,
    seed: int = 0,
    name: str = "typed",
    description: str = "",
) -> PhysicsProblem:
    """The problem of a typed equation and a network that was trained elsewhere, in float64.

    Args:
        arguments: of the equation.
        model: takes the coordinates as they stand in the equation, in the order of its inputs, and gives its unknown functions in
            their order. Its weights are widened to float64, which changes its predictions by rounding only.
        architecture: the `mlp` or `composed-mlp` that the model is an instance of.
        seed: of the points.

    Raises:
        InputError: the equation cannot be built, or the network has another form, or another number of inputs or outputs.
    """
    equation = build("typed", arguments.model_dump())
    check_form(architecture.name, model)
    layers = architecture.arguments["layers"]
    for found, wanted, what in (
        (layers[0], tuple(equation.domain), "inputs"),
        (layers[-1], equation.fields, "outputs"),
    ):
        if found != len(wanted):
            raise InputError(
                f"has {found:,} {what}, the equation has {len(wanted)} ({', '.join(wanted)}); change one of the two",
                key="network",
            )
    return _problem(equation, model, architecture, seed, name, description)


def check_form(architecture: str, model: nn.Module | None = None) -> None:
    """Refuse what is no network of points, as far as its name tells, or the network itself.

    Raises:
        InputError: any architecture but a chain of layers: `mlp`, or `composed-mlp` without skips, norms and trained slopes.
    """
    if architecture not in ("mlp", "composed-mlp") or not (model is None or isinstance(model, LayeredNetwork)):
        raise InputError(
            f"is a {architecture}; an equation needs a chain of linear layers from the coordinates of a point to the unknown functions",
            key="network",
        )


def _problem(
    equation: PDE, model: nn.Module, architecture: Architecture, seed: int, name: str, description: str
) -> PhysicsProblem:
    return make_problem(
        equation,
        copy.deepcopy(model).double().eval(),
        name=name,
        seed=seed,
        architecture=architecture,
        title=equation.title,
        description=description,
    )


def _arguments(equation: PDE, network: StartingNetwork) -> dict[str, Any]:
    inputs = equation.domain
    scale = network.scale if isinstance(network.scale, dict) else dict.fromkeys(inputs, network.scale)
    found: dict[str, Any] = {
        "layers": [len(inputs), *network.widths, len(equation.fields)],
        "domain": {name: list(bounds) for name, bounds in inputs.items()},
        "activation": network.activation,
        "first_layer": {"scale": scale},
        "seed": network.seed,
    }
    if network.circular:
        found["features"] = [
            {"kind": "periodic", "input": name, "period": period} for name, period in equation.periods.items()
        ]
    return found
