"""Figures of a smoothed refinement: criteria against its strength, bands with the data, and how often they hold."""

from __future__ import annotations

import numpy as np

from lsr_app.plots import maps, scales
from lsr_app.plots.base import Canvas, Picture, Rows, light, number
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats
from lsr_core.refinement.smoothing_record import SmoothingCurves

BAND = 1.96  # standard deviations of a band of 95 %


def criterion(found: SmoothingCurves, at: float) -> Picture:
    """Residual, cross-validation and left-out error against the strength, those of smaller ranks behind them."""
    canvas = Canvas()
    colours = canvas.colours
    x = found.strength
    for rank, values in zip(found.ranks.tolist(), found.gcv_by_rank, strict=True):
        canvas.line(
            x, _shown(values), f"Cross-validation, rank {rank}", colours.muted, width=1.0, dash="dot", showlegend=False
        )
    canvas.line(x, _shown(found.mean_square), "Residual of the fit", colours.train)
    canvas.line(x, _shown(found.gcv), "Cross-validation", colours.validation)
    if np.isfinite(found.left_out).any():
        canvas.line(x, _shown(found.left_out), "Left out in turn", colours.refined)
    if np.isfinite(found.chosen) and found.chosen > 0:
        canvas.vertical(found.chosen, colours.refined, "solid")
    if at != found.chosen and at > 0:
        canvas.vertical(at, colours.muted)
    finite = found.mean_square[np.isfinite(found.mean_square)]
    top = float(finite.max()) if finite.size else 1.0
    low = float(np.nanmin(np.where(found.gcv > 0, found.gcv, np.nan)))
    canvas.axes(
        "Strength, relative to the largest singular value", "Mean square", logx=True, logy=True,
        yaxis={"range": [np.log10(low) - 1, np.log10(top) + 1]} if 0 < low < np.inf and top > 0 else {},
    )  # fmt: skip
    best = float(found.strength[int(np.nanargmin(np.where(np.isfinite(found.gcv), found.gcv, np.nan)))])
    alt = f"Mean squares against the strength. Cross-validation is smallest at {formats.error(best)}; {formats.error(found.chosen)} was chosen."
    columns = ("strength", "mean_square", "gcv", "left_out", "log_evidence_per_row", "degrees_of_freedom", "noise_std")

    def rows() -> Rows:
        parts = (
            found.strength,
            found.mean_square,
            found.gcv,
            found.left_out,
            found.log_evidence,
            found.freedom,
            found.noise,
        )
        for row in zip(*(part.tolist() for part in parts), strict=True):
            yield tuple(number(value) for value in row)

    return Picture(canvas.figure(), alt, columns, rows)


def has_fields(found: SmoothingCurves) -> bool:
    """Whether anything was refined, of which bands can be drawn."""
    return bool(np.isfinite(found.chosen))


def has_calibration(found: SmoothingCurves) -> bool:
    return bool(np.isfinite(found.observed).any())


def chosen_place(found: SmoothingCurves) -> int:
    """Place of the run's own strength among those with fields."""
    return int(np.argmin(np.abs(found.shown - found.chosen)))


def has_inside(found: SmoothingCurves) -> bool:
    """Whether the run tells deviations without what the subspace leaves out, and these differ; runs of earlier versions do not."""
    pairs = ((found.inside, found.deviation), (found.line_inside, found.line_deviation))
    return any(part.size and not np.allclose(part, whole, rtol=1e-3) for part, whole in pairs)


def field(
    run: RunData, found: SmoothingCurves, place: int, output: int, axes: tuple[int, int], *, inside: bool = False
) -> tuple[str, Picture]:
    """What shows the standard deviations, by the name of its words: bands over a single input, a map elsewhere.

    Args:
        inside: without what the subspace leaves out.
    """
    if run.dimension == 1:
        return "smoothing_bands", bands(run, found, place, output, inside=inside)
    return "deviation", deviation(run, found, place, output, axes, inside=inside)


def at_own_strength(run: RunData, found: SmoothingCurves | None, rank: int) -> tuple[str, Picture] | None:
    """`field` of the first output as the run itself has it; None where there are no bands, another rank is shown, or there are too many inputs."""
    if found is None or not has_fields(found) or rank != run.summary.rank or run.dimension > 2:
        return None
    return field(run, found, chosen_place(found), 0, (0, 1))


def bands(run: RunData, found: SmoothingCurves, place: int, output: int, *, inside: bool = False) -> Picture:
    """The refined predictor over a single input with its bands and the samples that were fitted."""
    canvas = Canvas()
    colours = canvas.colours
    points = run.fields.stepped_points
    order = np.argsort(run.fields.inputs[points, 0], kind="stable")
    known, truth = run.fields.inputs[points, 0][order], run.fields.targets[points, output][order]
    noise = found.stretch * noise_at(found, place, output)
    if len(found.line):
        x, mean = found.line, found.line_mean[place, :, output]
        model = (found.line_inside if inside else found.line_deviation)[place, :, output]
    else:  # a run of an earlier version
        x, mean, model = known, truth + found.error[place, order, output], found.deviation[place, order, output]
    mean, model = mean.astype(float), model.astype(float)
    for reach, name, opacity in (
        (np.hypot(model, noise), "95 % of observations", 0.12),
        (model, "95 % band of the function", 0.3),
    ):
        canvas.line(
            np.concatenate([x, x[::-1]]), np.concatenate([mean + BAND * reach, (mean - BAND * reach)[::-1]]), name,
            colours.refined, width=0.0, fill="toself", fillcolor=_faded(colours.refined, opacity), hoverinfo="skip",
        )  # fmt: skip
    canvas.points(
        light(found.inputs[:, 0]), light(found.targets[:, output]), "Fitted samples", colours.muted, size=4, outline=0
    )
    if (
        run.summary.coverage_of == "function"
    ):  # else the targets are further measurements, and no line goes through them
        canvas.line(light(known), light(truth), "Truth", colours.truth, width=4, opacity=0.28)
    canvas.line(light(x), light(mean), "Refined predictor", colours.refined)
    canvas.axes(formats.plot(run.input_name(0)), formats.plot(run.output_name(output)))
    alt = (
        f"Refined predictor with 95 % bands at {len(x)} points and {len(found.inputs)} fitted samples; standard deviation of the function between "
        f"{formats.error(float(model.min()))} and {formats.error(float(model.max()))}, noise {formats.error(noise)}."
    )

    def rows() -> Rows:
        return zip(x.tolist(), mean.tolist(), model.tolist(), [noise] * len(x), strict=True)

    return Picture(canvas.figure(), alt, (run.input_name(0), "refined", "std", "noise_std"), rows)


def noise_at(found: SmoothingCurves, place: int, output: int) -> float:
    """σ of an output at a strength."""
    return float(found.spread[place]) * (float(found.sizes[output]) if output < len(found.sizes) else 1.0)


def deviation(
    run: RunData, found: SmoothingCurves, place: int, output: int, axes: tuple[int, int], *, inside: bool = False
) -> Picture:
    """Standard deviation of the refined predictor over two inputs."""
    values = (found.inside if inside else found.deviation)[place, :, output].astype(float)
    return maps.error_magnitude(run, values, "Standard deviation", scales.decades(values), axes=axes, coarse=True)


def calibration(found: SmoothingCurves) -> Picture:
    """Observed against nominal share of values inside of central bands."""
    canvas = Canvas()
    colours = canvas.colours
    canvas.line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "As it should be", colours.muted, dash="dash", width=1.0)
    canvas.line(found.level, found.observed, "Observed", colours.refined, mode="lines+markers")
    canvas.axes("Nominal share", "Observed share", xaxis={"range": [0, 1]}, yaxis={"range": [0, 1.02]})
    at = int(np.argmin(np.abs(found.level - 0.95)))
    alt = f"Observed against nominal share inside of bands: {100 * float(found.observed[at]):.1f} % of what 95 % should hold."
    return Picture(
        canvas.figure(),
        alt,
        ("nominal", "observed"),
        lambda: zip(found.level.tolist(), found.observed.tolist(), strict=True),
    )


def _shown(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour.lstrip("#")[place : place + 2], 16) for place in (0, 2, 4))
    return f"rgba({red},{green},{blue},{opacity})"
