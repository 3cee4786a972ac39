"""Gauss-Newton as every job takes it: steps towards the minimum of a linear model, each held against the true residual."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")


@dataclass(frozen=True, eq=False)
class Advance(Generic[S]):
    """From one state to the next; the same one where nothing better was found.

    Attributes:
        promised: what the linear model at `before` leaves of the loss.
    """

    before: S
    after: S
    promised: float

    @property
    def taken(self) -> bool:
        return self.after is not self.before


def descend(start: S, better: Callable[[S], tuple[S | None, float]], most: int) -> Iterator[Advance[S]]:
    """Steps until one finds nothing better, or there are `most`; whoever reads them may stop before.

    Args:
        better: linearises at a state and gives a better one, None if there is none, with what the linear model promises.
    """
    state = start
    for _ in range(most):
        found, promised = better(state)
        step = Advance(state, state if found is None else found, promised)
        yield step
        if not step.taken:
            return
        state = step.after
