"""The untrained network of a window: as the problem's own, on the window's part of the domain."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.layered import chain_of
from lsr_core.networks.pinn import PinnMLP
from lsr_core.networks.unknowns import NAME as UNKNOWNS
from lsr_core.networks.unknowns import WithUnknowns, without_unknowns
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.splits import Architecture

PATTERNS = ("pinn-mlp", "mlp")
SINGLE_INPUT = [40]  # hidden widths where there is one input, at most


class NetworkForm(NamedTuple):
    """A choice of activation and of scale, relative to the first layer of the problem's own network.

    Attributes:
        along: of the scale of the input that is taken window by window, relative to that of the others.
    """

    activation: str
    scale: float
    along: float = 1.0


class WindowNetwork(NamedTuple):
    """A network at θ0 in float64, the arguments of `pinn-mlp` that it is built from, and the Δθ (m,) that takes away its last weights."""

    model: nn.Module
    arguments: dict[str, Any]
    silent: Tensor


def check_pattern(problem: PhysicsProblem) -> None:
    """Refuse a network of another form: it may meet conditions in a way that the networks made here would not.

    Raises:
        InputError: saying which networks can be a pattern.
    """
    known = problem.architecture
    model = problem.model.network if isinstance(problem.model, WithUnknowns) else problem.model
    plain = type(model) is nn.Sequential and chain_of(model) is not None
    if not plain and (known is None or without_unknowns(known.name, known.arguments)[0] not in PATTERNS):
        if known is not None and known.name == "python-file":
            raise InputError(
                "comes from a Python file, of which a solve cannot make others of the same form; where it is a pinn-mlp or an mlp and the "
                "equation is a typed one or one of the library, store the problem, lsr_core.save_problem('folder', problem()), and solve that",
                key="model",
            )
        raise InputError(
            "is no plain chain of layers, so that conditions which it meets by its form could be lost with it; "
            "take a pinn-mlp, an mlp or an nn.Sequential, or refine this network",
            key="model",
        )


def own_form(problem: PhysicsProblem) -> NetworkForm:
    """That of the problem's network."""
    return NetworkForm(_own(problem).get("activation", "tanh"), 1.0)


def window_network(
    problem: PhysicsProblem,
    domain: dict[str, tuple[float, float]],
    axis: str | None,
    form: NetworkForm,
    start: Tensor,
    seed: int,
) -> WindowNetwork:
    """A network in float64, the arguments of `pinn-mlp` that it is built from, and the Δθ by which its field becomes constant.

    Args:
        problem: whose network is the pattern.
        domain: bounds of the window.
        axis: the input that is taken window by window, if one is.
        form: activation and scale.
        start: the constants (o,) of the outputs that depend on the point.
        seed: of its weights.
    """
    own = _own(problem)
    scales = _scales(own, domain).items()
    arguments: dict[str, Any] = {
        "layers": [len(domain), *_widths(own, len(domain)), len(start)],
        "domain": {name: list(bounds) for name, bounds in domain.items()},
        "activation": form.activation,
        "features": own.get("features", []),
        "first_layer": {
            "scale": {name: value * form.scale * (form.along if name == axis else 1.0) for name, value in scales}
        },
        "seed": seed,
        "output": own.get("output"),
    }
    model = architectures.build("pinn-mlp", arguments).double()
    assert isinstance(model, PinnMLP)
    last = model.linears[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.bias.copy_(start)
    whole = WithUnknowns(model, list(problem.unknown.values())) if problem.unknown else model
    silent = [-value if value is last.weight else torch.zeros_like(value) for value in whole.parameters()]
    return WindowNetwork(whole, arguments, torch.cat([part.detach().reshape(-1) for part in silent]))


def architecture_of(problem: PhysicsProblem, arguments: dict[str, Any]) -> Architecture:
    """Of the network on the whole domain, from the arguments of its `pinn-mlp`."""
    if not problem.unknown:
        return Architecture("pinn-mlp", arguments)
    return Architecture(UNKNOWNS, {"network": ["pinn-mlp", arguments], "values": list(problem.unknown.values())})


def _own(problem: PhysicsProblem) -> dict[str, Any]:
    """Arguments of the problem's network, as far as a `pinn-mlp` has them."""
    known = problem.architecture
    if known is not None:
        name, arguments = without_unknowns(known.name, known.arguments)
        if name in PATTERNS:
            return arguments
    inputs, outputs = len(problem.domain), len(problem.outputs) - len(problem.unknown)
    return {"layers": [inputs, 64, 64, outputs]}


def _widths(own: dict[str, Any], inputs: int) -> list[int]:
    """Of the hidden layers; of one input a window needs few units, and many are a waste."""
    hidden = own["layers"][1:-1]
    return SINGLE_INPUT if inputs == 1 and sum(hidden) > sum(SINGLE_INPUT) else hidden


def _scales(own: dict[str, Any], domain: dict[str, tuple[float, float]]) -> dict[str, float]:
    first = own.get("first_layer") or {}
    scale = first.get("scale", 2.0) if isinstance(first, dict) else 2.0
    if isinstance(scale, dict):
        return {name: float(scale.get(name, 1.0)) for name in domain}
    return dict.fromkeys(domain, float(scale))
