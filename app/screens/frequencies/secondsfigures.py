"""What the time of an iteration was worth."""

from __future__ import annotations

import numpy as np

from lsr_app.plots.base import Canvas, Picture, Rows, light, number, positive
from lsr_app.reading.iterationdata import HalfSteps
from lsr_app.screens.frequencies import frequenciestexts
from lsr_app.screens.frequencies.figures import OBJECTS, mark_steps, of_which, pair_lines, value_or_nan
from lsr_app.words import formats, stages


def against_seconds(iteration: HalfSteps, measure: str) -> Picture:
    """Error or residual against the seconds spent, with the trainings that ran beside it.

    Args:
        measure: relative_l2 or fresh_residual.
    """
    canvas = Canvas()
    colours = canvas.colours
    seconds = np.array([step.seconds for step in iteration.steps])
    if measure == "relative_l2":
        series = {
            which: np.array([value_or_nan(of_which(step.relative_l2, which)) for step in iteration.steps])
            for which in OBJECTS
        }
        pair_lines(canvas, iteration.steps, seconds, series)
    else:
        values = positive(np.array([step.fresh_residual for step in iteration.steps]))
        series = {"iterative LSR": values}
        canvas.line(seconds, values, "Iterative LSR", colours.muted, width=1.5)
        mark_steps(canvas, iteration.steps, values, seconds)
    styles = {"pinn": (colours.train, "dash"), "time-stepping": (colours.validation, "dashdot")}
    for name, points in iteration.baselines.items():
        colour, dash = styles.get(name, (colours.truth, "dot"))
        values = np.array([value_or_nan(getattr(point, measure)) for point in points])
        if np.isfinite(values).any():
            times = np.array([point.seconds for point in points])
            canvas.line(
                light(times), light(positive(values)), stages.BASELINES.get(name, formats.plot(name)), colour, dash=dash
            )
    canvas.axes("Seconds", frequenciestexts.SECONDS_MEASURES[measure], logy=True, xaxis={"rangemode": "tozero"})
    ends = [f"{name} {formats.error(float(values[-1]))}" for name, values in series.items()]
    ends += [
        f"{name} {formats.error(value_or_nan(getattr(points[-1], measure)))}"
        for name, points in iteration.baselines.items()
    ]
    alt = f"{frequenciestexts.SECONDS_MEASURES[measure]} against seconds. At the end: {', '.join(ends)}."

    def rows() -> Rows:
        for place, step in enumerate(iteration.steps):
            for name, values in series.items():
                yield name, step.kind, step.seconds, number(float(values[place]))
        for name, points in iteration.baselines.items():
            for point in points:
                yield name, point.stage, point.seconds, getattr(point, measure)

    return Picture(canvas.figure(), formats.one_line(alt, 300), ("name", "stage", "seconds", measure), rows)
