"""A network at its random start for a typed equation, and the problem of the two."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.layered import ActivationName
from lsr_core.networks.pinn import Positive
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.equations.definition import PDE
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.supervised import Architecture

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
    return make_problem(
        equation,
        architectures.build(architecture.name, architecture.arguments).double().eval(),
        name=name,
        seed=network.seed,
        architecture=architecture,
        title=equation.title,
        description=description,
    )


def _arguments(equation: PDE, network: StartingNetwork) -> dict[str, Any]:
    inputs = equation.domain
    scale = network.scale if isinstance(network.scale, dict) else dict.fromkeys(inputs, network.scale)
    found: dict[str, Any] = {
        "layers": [len(inputs), *network.widths, len(equation.outputs)],
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
