"""What is asked before every step of a solve: whether somebody wants it stopped, and whether its time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Allowance:
    """How long steps go on.

    Attributes:
        tick: called before each; may raise to stop at once.
        late: whether the time is up: what was reached is kept, and no further step taken.
    """

    tick: Callable[[], None] = lambda: None
    late: Callable[[], bool] = lambda: False

    def goes_on(self) -> bool:
        """Whether another step may be taken."""
        self.tick()
        return not self.late()


FREE = Allowance()
