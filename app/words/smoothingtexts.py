"""Words about a smoothed refinement: strength, degrees of freedom, noise, bands."""

from __future__ import annotations

import math

from lsr_app.words import formats
from lsr_core.refinement.regularisation import Regularisation
from lsr_core.refinement.summary import Summary

RULES = {
    "none": "None",
    "auto": "Automatic",
    "gcv": "Generalised cross-validation",
    "loo": "Left-out error",
    "evidence": "Evidence",
}
COVERAGE = {
    "function": "test targets, which carry next to no noise, inside of the 95 % bands of the function",
    "observations": "test targets inside of the 95 % bands of observations",
    "left out": "training targets inside of their 95 % bands in the solution without them",
}

FIGURES = {  # title, what it shows, how to read it
    "criterion": (
        "What the strength was chosen by",
        "Mean squares against the strength of the penalty: of the fit, by cross-validation, and of samples left out; dotted at smaller ranks.",
        "Left of the minimum the fit follows the noise, right of it the signal is lost. The solid line is the strength of this run.",
    ),
    "calibration": (
        "How often bands hold",
        "The share of held-out values inside of central bands, against the share that should be.",
        "Below the diagonal bands are too narrow, above it too wide.",
    ),
    "smoothing_bands": (
        "Bands",
        "The refined predictor, its 95 % bands without and with the noise of an observation, and the samples that were fitted.",
        "The inner band should hold the truth, the outer one further samples.",
    ),
    "deviation": (
        "Standard deviation",
        "How far the refined predictor may be off, by the posterior of the linearised model; the noise is not in it.",
        "It grows where there are no samples. The calibration on the page Rank tells how far to believe it.",
    ),
}


def rule(name: str) -> str:
    """A rule in words; a strength or discrepancy is its own."""
    return RULES.get(name, name)


def used(found: Regularisation) -> str:
    """The rule that chose, and whether it took one strength."""
    return f"average over strengths by {found.used}" if found.averaged else found.used


def spent(summary: Summary) -> str:
    """Degrees of freedom as a sentence."""
    return f"uses {summary.degrees_of_freedom or 0:,.1f} of {summary.n_params:,} parameters"


def coverage(summary: Summary) -> str:
    """How often the bands hold, as a sentence; empty where nobody counted."""
    if summary.coverage is None or summary.coverage_of is None:
        return ""
    return f"{100 * summary.coverage:.1f} % of {COVERAGE[summary.coverage_of]}"


STRENGTH = "Strength of the smoothing"
STRENGTH_HELP = "Moves the penalty away from what the rule chose. Fields, bands and noise follow; what is exported stays that of the rule."
CHOSEN = " (chosen)"
OUTSIDE = "With what the subspace leaves out"
OUTSIDE_HELP = (
    "Directions of the parameters that the fitted samples do not see, each with the standard deviation that it has before any data. Without "
    "them bands are too narrow far from the samples."
)


def _left(summary: Summary) -> float | None:
    """√ of the residual, of the same unit as σ."""
    found = summary.refined.train_mse
    return None if found is None else math.sqrt(found)


def _noise(summary: Summary) -> str:
    return formats.NONE if summary.noise_std is None else formats.error(summary.noise_std)


OF_NOISE = slice(2, None)  # of the numbers: what the fit leaves, the noise, and how often bands hold


def numbers(summary: Summary) -> list[tuple[str, str, str]]:
    """For a headline: label, value, remark, as plain text."""
    found = summary.regularisation
    assert found is not None
    by = rule(found.rule) if found.rule == found.used else f"{rule(found.rule)}: {used(found)}"
    several = summary.noise_std_by_output
    remark = "by output: " + ", ".join(formats.error(value) for value in several) if several else found.noise_by
    items = [
        ("Strength", formats.error(found.value), by),
        ("Degrees of freedom", f"{summary.degrees_of_freedom or 0:,.1f}", f"of {summary.n_params:,} parameters"),
        ("Left by the fit", formats.error(_left(summary)), "root mean square at the fitted values"),
        ("Noise σ", _noise(summary), remark),
    ]
    if summary.coverage is not None:
        items.append(("Inside of 95 % bands", f"{100 * summary.coverage:.1f} %", str(summary.coverage_of)))
    return items


def sentence(summary: Summary) -> str:
    """What smoothing did, and what it may claim."""
    if summary.rank == 0:
        return f"{summary.rank_choice.removeprefix('auto: ').capitalize()}. The network stays as it is."
    spent_of_all = spent(summary)
    held = coverage(summary)
    freedom, rows = summary.degrees_of_freedom or 0.0, summary.n_residuals
    noise = summary.noise_std or 0.0
    words = f"The fit {spent_of_all}."
    if noise > 0 and freedom > 0:
        error = noise * (freedom / rows) ** 0.5
        words += (
            f" With noise of {formats.error(noise)} and {rows:,} values it may claim about {formats.error(error)} on average at the fitted points; "
            f"four times as many samples would halve that, if the fit needs no more freedom then."
        )
    if summary.regularisation is not None and summary.regularisation.stretch != 1:
        words += f" {stretched(summary.regularisation.stretch)}."
    if summary.regularisation is not None and summary.regularisation.optima:
        others = ", ".join(formats.error(value) for value in summary.regularisation.optima)
        words += f" The rule has other, higher optima at a strength of {others}."
    return f"{words} {held}." if held else words


def stretched(factor: float) -> str:
    """What conformal bands are, as a sentence without its end."""
    return (
        f"Standard deviations are multiplied by {factor:.2f}, so that 95 % bands hold training samples left out in turn"
    )


def kept(*, banded: bool) -> str:
    """What bands a network has that smoothing keeps as it is, as a sentence without its end."""
    if banded:
        return "The network is kept, and its standard deviations are those of the prior of its weights; files of the predictor carry them"
    return "The network is kept, and has none"


def at_strength(error: float, noise: float) -> str:
    """Under a field at a strength of one's choice."""
    return f"Root mean square error at these points {formats.error(error)}; noise by what this fit leaves {formats.error(noise)}."


def smoothing_lines(summary: Summary, *, banded: bool) -> list[str]:
    """For a terminal; `banded` is whether the run has standard deviations."""
    found = summary.regularisation
    if found is None:
        return []
    lines = [
        f"smoothing: {found.rule}{f' ({used(found)})' if found.used != found.rule else ''}, strength {formats.error(found.value)}, "
        f"{spent(summary)}",
        f"noise: {_noise(summary)}, {found.noise_by}; the fit leaves {formats.error(_left(summary))}",
    ]
    if summary.noise_std_by_output:
        lines.append("noise by output: " + ", ".join(formats.error(value) for value in summary.noise_std_by_output))
    if found.optima:
        lines.append("other optima of the rule: " + ", ".join(formats.error(value) for value in found.optima))
    if found.stretch != 1:
        lines.append(f"bands: {stretched(found.stretch)}")
    if summary.rank == 0:
        lines.append(f"bands: {kept(banded=banded)}")
    if words := coverage(summary):
        lines.append(f"coverage: {words}")
    return lines
