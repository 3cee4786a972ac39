"""Which activation and first-layer scales the networks of a solve have: those whose residual is smallest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lsr_core.solver.networks import NetworkForm

FORMS = (NetworkForm("sin", 1.0), NetworkForm("tanh", 2.0), NetworkForm("sin", 0.5), NetworkForm("sin", 2.0))
# In a short window a field hardly bends along time, where it may be as steep as ever across it.
IN_TIME = (
    NetworkForm("tanh", 2.0, 1 / 8),
    NetworkForm("sin", 3.0, 1 / 12),
    NetworkForm("tanh", 1.0, 1 / 4),
    NetworkForm("sin", 1.0, 1 / 4),
    *FORMS,
)
STRETCHES = (1 / 8, 1 / 64, 1 / 512)  # of the time, on which forms are compared where all of it tells nothing
Judge = Callable[[NetworkForm], float]


def best_form(
    own: NetworkForm, forms: Sequence[NetworkForm], judged: Judge, *, small: float, late: Callable[[], bool]
) -> tuple[NetworkForm, float]:
    """The form with the smallest figure, and that figure.

    Args:
        own: is tried first, then the others.
        judged: the figure of a form, most often its relative residual.
        small: enough: no other form is tried.
        late: whether the time is up.
    """
    tried = {own: judged(own)}
    for form in forms:
        if min(tried.values()) <= small or late():
            break
        if form not in tried:
            tried[form] = judged(form)
    best = min(tried, key=lambda form: tried[form])
    return best, tried[best]


def best_in_time(
    own: NetworkForm,
    judged: Callable[[NetworkForm, float], float],
    *,
    small: float,
    enough: float,
    late: Callable[[], bool],
) -> NetworkForm:
    """The same on a first stretch of the time, the longest on which residuals tell forms apart.

    Args:
        judged: the figure of a form on a share of the time.
        enough: the own form's figure from which a stretch is short enough.
    """
    for share in STRETCHES:
        first = judged(own, share)
        if first <= enough or late():
            break

    def again(form: NetworkForm) -> float:
        return first if form == own else judged(form, share)

    return best_form(own, IN_TIME, again, small=small, late=late)[0]
