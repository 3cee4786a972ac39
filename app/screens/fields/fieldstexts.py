"""The words of this page."""

from __future__ import annotations

QUANTILES_CAPTION = "Sizes of the error"
WORST_CAPTION = "Points where the refined predictor errs most"
COMPARE_POINTS = "The run to compare with was drawn at other points; maps and slices show this run only."


def slice_place(name: str, value: str, exact: bool, points: int) -> str:
    if exact:
        return f"{name} = {value}, {points:,} points of the grid"
    return f"The {points:,} points nearest to {name} = {value}"


def fields_sentence(percent: float, truth: str) -> str:
    """Of points at which there are targets by this name."""
    shown = percent if percent in (0, 100) else min(99.9, max(0.1, percent))
    return f"At {shown:.3g} % of the points the refined predictor is closer to the {truth.lower()} than the network."
