"""A solution beside that of another seed: the difference is an estimate of its error, and a doubt where it is large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsr_core.errors import InputError
from lsr_core.solver.solution import JoinedSolution, difference


def compared(
    found: JoinedSolution, again: Callable[[], JoinedSolution], late: Callable[[], bool], enough: float
) -> JoinedSolution:
    """The solution, or the other where that has the smaller residual, with the difference of the two and what it says.

    Args:
        again: solves from the other seed.
        late: whether the time is up.
        enough: of the field, up to which the two agree.
    """
    try:
        other = again()
    except InputError as error:
        return _without_second(found, str(error), late=late())
    if (found.problem.domain, found.problem.arguments) != (other.problem.domain, other.problem.arguments):
        return _without_second(found, other.sentence, late=late())
    apart = difference(found, other)
    better = " It had the smaller residual, and is kept." if other.relative_residual < found.relative_residual else ""
    if better:
        found = replace(other, steps=(*found.steps, *other.steps))
    agrees = apart <= enough
    words = f" A second solve from another seed differs by {apart:.1e} of the field: an estimate of the error, not a bound.{better}"
    if agrees:
        return replace(found, estimate=apart, sentence=found.sentence + words)
    said = found.sentence.replace("Solved with", "Not shown to be solved, with", 1).removesuffix(
        " Do not rely on the field."
    )
    doubt = " The two disagree: the equation has several solutions, or is not solved. Do not rely on the field."
    return replace(found, estimate=apart, solved=False, sentence=said + words + doubt)


def _without_second(found: JoinedSolution, reason: str, *, late: bool) -> JoinedSolution:
    """The solution where another seed did not get as far: no doubt where the time was up, else a failure."""
    if late:
        words = " The time was up before a second solve had ended, so there is no estimate of the error."
        return replace(found, sentence=found.sentence + words)
    words = f" A second solve from another seed failed ({reason}). Do not rely on the field."
    return replace(found, solved=False, sentence=found.sentence + words)
