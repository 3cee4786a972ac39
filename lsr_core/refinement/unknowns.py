"""Numbers that were to be found, how sure they are, and how well the values that were measured are met, in the form in which they are stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

LARGE = 0.5  # of a number: a standard deviation from which the data say little of it
FAR = 1.5  # times the noise that was given: a misfit that it does not explain


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class UnknownNumber(_Record):
    """A number of an equation that was to be found.

    Attributes:
        value: the estimate.
        std: its standard deviation by the linearised model of all unknowns together; None where nothing measured tells it.
        start: where it started.
        said: what the reader should know of it; empty = nothing.
    """

    value: float
    std: float | None
    start: float
    said: str = ""


class TradeOff(_Record):
    """What another weight of the equation gives.

    Attributes:
        weight: of the equation and its conditions, over the one that the problem states.
        misfit: root mean square of what is left of the measured values, in units of the noise.
        residual: √ Σ weight·mean(r²) of the equation and its conditions at points that the solve has not seen, by the problem's weights.
        values: the unknown numbers, by name.
        chosen: whether it is the one that is delivered.
    """

    weight: float
    misfit: float
    residual: float
    values: dict[str, float]
    chosen: bool = False


class MeasuredFit(_Record):
    """How measured values are met.

    Attributes:
        values: how many there are.
        noise: standard deviation of each of them by block, as it was given or as it was found.
        noise_given: whether it was given.
        misfit: root mean square of what is left of them, in units of the noise.
        freedom: degrees of freedom that they determine.
        std_by_output: root mean square of the standard deviation of each output over the domain, without noise; None where it is not known.
        trade_off: other weights of the equation; empty where none was tried.
        sentence: the same in words.
    """

    values: int
    noise: dict[str, float]
    noise_given: bool
    misfit: float
    freedom: float
    std_by_output: dict[str, float] | None = None
    trade_off: list[TradeOff] = Field(default_factory=list)
    sentence: str = ""


def number(name: str, value: float, deviation: float | None, start: float, *, measured: bool) -> UnknownNumber:
    """A number with what is to be said of it.

    Args:
        deviation: infinite where no row reads it; None where the deviation has no meaning.
        measured: whether anything is measured with an error.
    """
    if deviation is not None and not math.isfinite(deviation):
        said = (
            f"{name} enters no row that the solution reaches, so nothing tells it; what is given is where it started."
        )
        return UnknownNumber(value=value, std=None, start=start, said=said)
    if not measured or deviation is None:
        said = f"{name} comes from the equation and its conditions alone; no value is measured with an error, so it has no standard deviation."
        return UnknownNumber(value=value, std=None, start=start, said=said)
    if deviation > LARGE * abs(value):
        said = (
            f"{name} cannot be told from these data: its standard deviation, {deviation:.2g}, is {deviation / max(abs(value), 1e-300):.2g} "
            "times its value. Measure where the solution depends on it, more often, or with less noise."
        )
        return UnknownNumber(value=value, std=deviation, start=start, said=said)
    return UnknownNumber(value=value, std=deviation, start=start)


def in_words(numbers: Mapping[str, UnknownNumber]) -> str:
    """The numbers as a sentence."""
    parts = [
        f"{name} = {found.value:.6g}" + ("" if found.std is None else f" ± {found.std:.2g}")
        for name, found in numbers.items()
    ]
    remarks = [found.said for found in numbers.values() if found.said]
    deviations = " (one standard deviation)" if any(found.std is not None for found in numbers.values()) else ""
    return " ".join([f"Found: {', '.join(parts)}{deviations}.", *remarks])


def misfit_in_words(values: int, noise: Sequence[float], misfit: float, freedom: float, *, given: bool) -> str:
    """How measured values are met, as a sentence."""
    sizes = ", ".join(f"{value:.3g}" for value in dict.fromkeys(noise))
    if not given:
        return f"The noise of the {values:,} measured values was not given; what is left of them says {sizes}."
    plain = f"The {values:,} measured values are met to {misfit:.2f} times their noise of {sizes}"
    expected = math.sqrt(max(values - freedom, 0.0) / values)
    if misfit > FAR * max(expected, 1e-3):
        return f"{plain}, more than it explains ({expected:.2f}): the noise is larger than stated, or the equation is not theirs."
    return f"{plain}; {expected:.2f} is what the noise leaves after {freedom:.3g} degrees of freedom."
