"""What bundles ask of a kind of problem."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from lsr_core.problems.kinds import HOMES, ProblemKind, part
from lsr_core.problems.problem import Problem
from lsr_core.storage.bundle_schema import ProblemDescription

P = TypeVar("P", bound=Problem)
Arrays = dict[str, np.ndarray]


class Storing(ABC, Generic[P]):
    """What stands in `storing.py` of a kind's folder.

    Attributes:
        problem_class: of its problems; those of a class derived from it are not stored.
    """

    problem_class: ClassVar[type[Problem]]

    @abstractmethod
    def read(self, description: ProblemDescription, common: dict[str, Any], data: Path) -> P:
        """A problem from its bundle.

        Args:
            common: the fields that every problem has.
            data: the file with the arrays.

        Raises:
            InputError: data that cannot be used, or do not fit the network.
        """

    @abstractmethod
    def read_made(self, description: ProblemDescription, made: Problem | None, common: dict[str, Any], data: Path) -> P:
        """The same of a problem whose network is code, which made it again just now; None where that is the network only."""

    def entry(self, problem: P) -> dict[str, Any]:
        """What problem.json says of this kind only."""
        return {}

    @abstractmethod
    def arrays(self, problem: P) -> Arrays:
        """What data.npz holds."""

    def says_all(self, problem: P) -> bool:
        """Whether a bundle says all of it, beside a network that is built by name: data do."""
        return True

    def points(self, description: ProblemDescription) -> int:
        """How many points are drawn for a bundle of this kind."""
        return 0


def storing(kind: ProblemKind) -> Storing[Any]:
    """The answers of a kind."""
    found: Storing[Any] = part(kind, "storing")
    return found


def problem_classes() -> list[type[Problem]]:
    """Of all kinds."""
    return [storing(kind).problem_class for kind in HOMES]
