"""The library of equations, by name and JSON arguments: each in a file of its own, with its hard conditions and its solution beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsr_core.errors import InputError
from lsr_core.problems.physics.equations import (  # noqa: F401  # each registers the equation that it defines
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
from lsr_core.problems.physics.equations.definition import EQUATIONS, PDE, Entry
from lsr_core.problems.physics.typed import equation as typed
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.validation import checked

TYPED = Entry(TypedArguments, typed.equation)  # has no published form, so it is not in the library


def build(name: str, arguments: Mapping[str, Any] | None = None) -> PDE:
    """The equation of that name.

    Raises:
        InputError: an unknown name, or arguments that do not fit.
    """
    if name != "typed" and name not in EQUATIONS:
        known = ", ".join([*sorted(EQUATIONS), "typed"])
        raise InputError(f"unknown equation {name!r:.80}; this version knows {known}", key="physics.equation")
    entry = TYPED if name == "typed" else EQUATIONS[name]
    return entry.factory(checked(entry.arguments, dict(arguments or {})))
