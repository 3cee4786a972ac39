"""Why a page has nothing to show of the run that is open; said in the list of pages and on the page."""

from __future__ import annotations

NO_GRID = (
    "Frequencies need errors on a regular grid of one or two inputs, which this run does not have. "
    "A run of a sample with an equation has one."
)
NO_CHECKPOINTS = (
    "The bundle of this problem holds no checkpoints, so there is no training to follow. The sample sine2d has them; "
    "the page Along a training of the documentation says how to add some to a bundle of your own."
)


def on_overview(kind: str) -> str:
    """Of a kind of run that has no page of its own."""
    return f"This run ({kind}) is no single refinement. Overview shows it."
