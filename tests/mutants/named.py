"""Faults that once survived all tests, by the line that they change; `__main__` finds the file that has the line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Named:
    """A fault known by name.

    Attributes:
        was: the text that is changed, which exactly one file of the engine has.
        becomes: the faulty text.
        tests: files of tests, or single ones, of which one should notice.
    """

    name: str
    was: str
    becomes: str
    tests: tuple[str, ...]


NAMED = (
    Named(
        "a block restricted to some points is not weighted again",
        "factor = math.sqrt(len(self.points) / max(1, len(chosen)))",
        "factor = 1.0",
        ("tests/core/test_physics.py::TestRows::test_squared_norm_is_the_weighted_loss",),
    ),
    Named(
        "the offset of a block is forgotten where the basis is drawn",
        "start += len(points)\n",
        "start += 0\n",
        ("tests/core/test_physics.py::TestRefinement::test_the_basis_comes_from_as_many_places_as_asked_for",),
    ),
    Named(
        "a step for one of many input functions is never halved",
        "for halving in range(HALVINGS):",
        "for halving in range(1):",
        ("tests/core/test_cases.py::test_a_step_that_raises_the_true_residual_is_halved",),
    ),
    Named(
        "a Gauss-Newton step is taken that raises the residual at fresh points",
        "return self.fitted < other.fitted and self.fresh < other.fresh",
        "return self.fitted < other.fitted",
        (
            "tests/core/test_gauss_newton.py::TestFewPoints::test_a_step_that_raises_the_residual_at_fresh_points_is_no_step",
        ),
    ),
    Named(
        "what a model promises is off by a row",
        "return float(factor[factor.shape[1] - 1 :, -1].square().sum())",
        "return float(factor[factor.shape[1] :, -1].square().sum())",
        ("tests/core/test_damped_steps.py",),
    ),
    Named(
        "the forecast forgets the copies of a QR",
        "return 2 * (gathered + columns) * columns * item",
        "return (gathered + columns) * columns * item",
        ("tests/core/test_memory.py::TestForecast::test_a_factor_takes_its_rows_twice",),
    ),
)
