"""Words about a smoothed refinement: strength, degrees of freedom, noise, bands."""

from __future__ import annotations

from lsr_app.words import formats
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


def rule(name: str) -> str:
    """A rule in words; a strength or discrepancy is its own."""
    return RULES.get(name, name)


def spent(summary: Summary) -> str:
    """Degrees of freedom as a sentence."""
    return f"uses {summary.degrees_of_freedom or 0:,.1f} of {summary.n_params:,} parameters"


def coverage(summary: Summary) -> str:
    """How often the bands hold, as a sentence; empty where nobody counted."""
    if summary.coverage is None or summary.coverage_of is None:
        return ""
    return f"{100 * summary.coverage:.1f} % of {COVERAGE[summary.coverage_of]}"


def smoothing_lines(summary: Summary) -> list[str]:
    """For a terminal."""
    found = summary.regularisation
    if found is None:
        return []
    lines = [
        f"smoothing: {found.rule}{f' ({found.used})' if found.used != found.rule else ''}, strength {formats.error(found.value)}, "
        f"{spent(summary)}",
        f"noise: {formats.error(summary.noise_std or 0.0)}, {found.noise_by}",
    ]
    if summary.noise_std_by_output:
        lines.append("noise by output: " + ", ".join(formats.error(value) for value in summary.noise_std_by_output))
    if found.optima:
        lines.append("other optima of the rule: " + ", ".join(formats.error(value) for value in found.optima))
    if words := coverage(summary):
        lines.append(f"coverage: {words}")
    return lines
