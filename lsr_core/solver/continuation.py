"""Continuation in a number of an equation: solved where it is easy, then step by step to where it is wanted, each from the field before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.solver.attempt import Attempt
from lsr_core.solver.measuring import is_inverse

SHORTEST = 2.0**-8  # of the way: no step is shorter
Attempted = Callable[[PhysicsProblem, float, Tensor | None], Attempt]


class Reached(NamedTuple):
    """Where a continuation ended: the problem with the number that it has there, its solution, and why it went no further, empty at the end."""

    problem: PhysicsProblem
    attempt: Attempt
    stopped: str


class Path:
    """The values that a number of an equation takes on the way to its own.

    Args:
        problem: as it is to be solved.
        name: of the number: a constant of a typed equation, or an option of one in the library.
        begin: value to begin with.

    Raises:
        InputError: no such number; a beginning where it ends, or where the equation cannot be built; a problem that was written in Python.
    """

    def __init__(self, problem: PhysicsProblem, name: str, begin: float) -> None:
        self.problem, self.name, self.begin = problem, name, begin
        known = _numbers(problem.arguments)
        if not known:
            raise InputError(
                "the problem has no numbers by name; write it as a typed equation with constants", key="along"
            )
        if name not in known:
            raise InputError(f"is {name!r:.40}; the numbers of this equation are {', '.join(known)}", key="along")
        if is_inverse(problem):
            raise InputError("is not for problems with unknown numbers or measured values", key="along")
        self.end = known[name]
        if begin == self.end:
            raise InputError(
                f"is {begin:g}, which is the value of {name} in the problem; begin with an easier one", key="begin"
            )
        if self._built(begin).transform != self._built(self.end).transform:
            raise InputError(
                f"the network meets conditions by a form that depends on {name}; leave it out", key="along"
            )

    def value(self, share: float) -> float:
        """At a share of the way: by equal factors where both ends have one sign, else by equal steps."""
        if share == 1.0:
            return self.end
        if self.begin * self.end > 0:
            return float(self.begin * (self.end / self.begin) ** share)
        return self.begin + share * (self.end - self.begin)

    def at(self, value: float) -> PhysicsProblem:
        """The problem with another value of the number."""
        given = self.problem
        made = make_problem(
            self._built(value),
            given.model,
            name=given.name,
            seed=given.seed,
            architecture=given.architecture,
            title=given.title,
        )
        return given if value == self.end else made

    def _built(self, value: float) -> Any:
        given = dict(self.problem.arguments)
        if self.name in given.get("constants", {}):
            given["constants"] = {**given["constants"], self.name: value}
        else:
            given[self.name] = value
        return build(self.problem.equation, given)

    def follow(self, attempted: Attempted, enough: float, goes_on: Callable[[], bool]) -> Reached:
        """Solve at the beginning, then as far as each step leads to a solution: half as far where it does not, twice after two that do.

        Args:
            attempted: solves a problem with a value of the number from a Δθ (m,), None for the network's own start.
            enough: relative residual up to which a value counts as solved.
            goes_on: whether there is time.
        """
        problem, share, step, cautious = self.at(self.begin), 0.0, 1.0, False
        made = attempted(problem, self.begin, None)
        if made.relative > enough:
            return Reached(
                problem, made, f"{self.name} = {self.begin:g}, where it begins, is not solved, and the field is that"
            )
        while share < 1.0:
            if not goes_on():
                return Reached(
                    problem,
                    made,
                    f"the time is up at {self.name} = {self.value(share):.6g}, which the field belongs to",
                )
            there = min(1.0, share + step)
            harder = self.at(self.value(there))
            found = attempted(harder, self.value(there), made.delta)
            if found.relative <= enough:
                problem, made, share = harder, found, there
                step, cautious = (step if cautious else 2 * step), False
                continue
            step, cautious = (there - share) / 2, True
            if step < SHORTEST:
                return Reached(
                    problem,
                    made,
                    f"no step beyond {self.name} = {self.value(share):.6g}, which the field belongs to, is solved, however short",
                )
        return Reached(problem, made, "")


def _numbers(arguments: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that an equation is built with, by name: its constants where it is typed."""
    constants = arguments.get("constants")
    if constants is not None:
        return {name: float(value) for name, value in constants.items()}
    return {name: value for name, value in arguments.items() if isinstance(value, float)}
