"""The words of this page."""

from __future__ import annotations

FIELD_IN_EQUATION = "its field put into the equation: the result"
STEPPED_PATH = "Gauss-Newton chose this Δθ for the equation itself; the linear model at θ0, the blue curve, may be high where the equation is met."


def interval_sentence(high: float, first: str, upper: str, refined: str, nonlinear: str, times: str) -> str:
    agreement = (
        f"The two losses agree within 10 % up to α = {upper}."
        if high > 0
        else f"The two losses differ by more than 10 % already at α = {first}."
    )
    return (
        f"{agreement} With the whole step (α = 1) the refined predictor "
        f"has loss {refined}, the network at θ0 + Δθ has {nonlinear}: {times}."
    )
