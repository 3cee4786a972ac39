"""The library of equations, by name and JSON arguments: each in a file of its own, with its solution beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from lsr_core.errors import InputError
from lsr_core.problems.physics.equations import (
    allen_cahn,
    antiderivative,
    burgers,
    convection,
    diffusion_reaction,
    heat,
    poisson,
    reaction,
    wave,
)
from lsr_core.problems.physics.equations.definition import PDE
from lsr_core.problems.physics.typed import equation as typed
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.validation import checked


@dataclass(frozen=True)
class Entry:
    """Arguments and factory of an equation."""

    arguments: type[BaseModel]
    factory: Callable[[Any], PDE]


EQUATIONS: dict[str, Entry] = {
    "poisson": Entry(poisson.PoissonArguments, poisson.equation),
    "convection": Entry(convection.ConvectionArguments, convection.equation),
    "reaction": Entry(reaction.ReactionArguments, reaction.equation),
    "wave": Entry(wave.WaveArguments, wave.equation),
    "heat": Entry(heat.HeatArguments, heat.equation),
    "burgers": Entry(burgers.BurgersArguments, burgers.equation),
    "allen-cahn": Entry(allen_cahn.AllenCahnArguments, allen_cahn.equation),
    "diffusion-reaction": Entry(diffusion_reaction.DiffusionReactionArguments, diffusion_reaction.equation),
    "antiderivative": Entry(antiderivative.AntiderivativeArguments, antiderivative.equation),
}
TYPED = Entry(TypedArguments, typed.equation)  # has no published form, so it is not in the catalogue


def build(name: str, arguments: Mapping[str, Any] | None = None) -> PDE:
    """The equation of that name.

    Raises:
        InputError: an unknown name, or arguments that do not fit.
    """
    if name != "typed" and name not in EQUATIONS:
        known = ", ".join([*EQUATIONS, "typed"])
        raise InputError(f"unknown equation {name!r:.80}; this version knows {known}", key="physics.equation")
    entry = TYPED if name == "typed" else EQUATIONS[name]
    return entry.factory(checked(entry.arguments, dict(arguments or {})))


def catalogue() -> list[PDE]:
    """All equations as they are published."""
    return [build(name) for name in EQUATIONS]
