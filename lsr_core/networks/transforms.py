"""Conditions that a network meets exactly, by name: u(x) = lift(x) + mask(x) · N(x) (Lagaris et al. 1998).

Each is known to bundles by a registered name and JSON arguments, and stands beside the equation that it belongs to. Coordinates come in the
order of that equation, space before time. Everything is written in torch functions that can be differentiated twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.validation import checked


class Transform(Protocol):
    """Lift (n, 1) and mask (n, 1) at points (n, d); the lift may be absent."""

    def lift(self, points: Tensor) -> Tensor | None: ...
    def mask(self, points: Tensor) -> Tensor: ...


class HardConditions(BaseModel):
    """Base of the transforms: their fields are the JSON arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def lift(self, points: Tensor) -> Tensor | None:
        return None

    def mask(self, points: Tensor) -> Tensor:
        raise NotImplementedError


_REGISTRY: dict[str, type[HardConditions]] = {}
_Class = TypeVar("_Class", bound=type[HardConditions])


def register(name: str) -> Callable[[_Class], _Class]:
    """Decorator: make hard conditions available to bundles under a name."""

    def add(kind: _Class) -> _Class:
        _REGISTRY[name] = kind
        return kind

    return add


def names() -> list[str]:
    """Registered names, sorted."""
    return sorted(_REGISTRY)


def make(name: str, arguments: Mapping[str, Any] | None = None) -> Transform:
    """The transform of that name.

    Raises:
        InputError: unknown name, or arguments that do not fit.
    """
    if name not in _REGISTRY:
        raise InputError(f"unknown output transform {name!r:.80}; this version knows {', '.join(names())}", key="name")
    return checked(_REGISTRY[name], dict(arguments or {}))
