"""Faults that once survived all tests, by the line that they change; `__main__` finds the file that has the line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """A fault known by name.

    Attributes:
        was: the text that is changed, which exactly one file of the engine has.
        becomes: the faulty text.
        tests: what should notice, as arguments of pytest.
    """

    name: str
    was: str
    becomes: str
    tests: tuple[str, ...]


PHYSICS, STEPS = "tests/core/test_physics.py", "tests/core/test_gauss_newton.py"

NAMED = (
    Named(
        "a block restricted to some points is not weighted again",
        "factor = math.sqrt(len(self.points) / max(1, len(chosen)))",
        "factor = 1.0",
        (PHYSICS, "-k", "weighted_loss"),
    ),
    Named(
        "the offset of a block is forgotten where the basis is drawn",
        "start += len(points)\n",
        "start += 0\n",
        (PHYSICS, "-k", "as_many_places"),
    ),
    Named(
        "a step for one of many input functions is never halved",
        "for halving in range(HALVINGS):",
        "for halving in range(1):",
        ("tests/core/test_cases.py",),
    ),
    Named(
        "a Gauss-Newton step is taken that raises the residual at fresh points",
        "return self.fitted < other.fitted and self.fresh < other.fresh",
        "return self.fitted < other.fitted",
        (STEPS,),
    ),
    Named(
        "what a model promises is off by a row",
        "return float(factor[factor.shape[1] - 1 :, -1].square().sum())",
        "return float(factor[factor.shape[1] :, -1].square().sum())",
        (STEPS,),
    ),
    Named(
        "the forecast forgets the copies of a QR",
        "return 2 * (gathered + columns) * columns * item",
        "return (gathered + columns) * columns * item",
        ("tests/core/test_memory.py", "-k", "takes_its_rows_twice"),
    ),
)
