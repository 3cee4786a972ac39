"""How the residual of a refined equation falls with Gauss-Newton steps."""

from __future__ import annotations

import numpy as np

from lsr_app.plots.base import Canvas, Picture, Rows, positive
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats


def steps(run: RunData) -> Picture:
    """The true residual after each Gauss-Newton step, at fitted and at fresh points, with that of the network."""
    canvas = Canvas()
    colours = canvas.colours
    records = run.summary.gauss_newton
    axis = np.array([record.step for record in records])
    fitted = positive(np.array([record.fitted_residual for record in records]))
    fresh = positive(np.array([record.fresh_residual for record in records]))
    canvas.line(axis, fitted, "Fitted points", colours.train, mode="lines+markers")
    canvas.line(axis, fresh, "Fresh points", colours.refined, mode="lines+markers")
    base = run.summary.residual_norm.base
    if base is not None and base > 0:
        canvas.line(axis[[0, -1]], np.array([base, base]), "Network", colours.network, dash="dash", width=1.5)
    canvas.axes("Gauss-Newton step", "True residual", logy=True, xaxis={"dtick": max(1, len(axis) // 8)})
    last = records[-1]
    alt = (
        f"True residual by Gauss-Newton step: at fitted points from {formats.error(records[0].fitted_residual)} to "
        f"{formats.error(last.fitted_residual)}, at fresh points to {formats.error(last.fresh_residual)}, in {last.step} steps."
    )

    def rows() -> Rows:
        for record in records:
            yield record.step, record.fitted_residual, record.fresh_residual

    return Picture(canvas.figure(), alt, ("step", "fitted_points", "fresh_points"), rows)
