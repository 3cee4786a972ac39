"""The figures of the lesson: one for each step, with as little on it as will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lsr_app.plots.base import Canvas, Picture, Rows, light, positive
from lsr_app.plots.racers import colour
from lsr_app.words import formats, labtexts
from lsr_core.lab.records import RaceRecord

if TYPE_CHECKING:
    from lsr_app.screens.lesson.lessonlab import LessonTraining, NoisyFit, SlowDirections, Solution, StepLosses

HEIGHT = 340
SHOWN = 400  # points of a curve, more than a screen tells apart
RACERS = (  # in whitened coordinates all but Adam are there at once; one of them will do
    *(("gradient-descent", "original"), ("adam", "original"), ("lsqr", "original")),
    *(("gradient-descent", "whitened"), ("adam", "whitened")),
)


def training(found: LessonTraining) -> Picture:
    """Loss against steps; between two points that are drawn, the largest one."""
    canvas = Canvas(HEIGHT)
    steps = np.unique(np.geomspace(1, len(found.losses), SHOWN).round().astype(int))
    peaks = np.maximum.reduceat(found.losses, np.concatenate([[0], steps[:-1]]))
    canvas.line(steps, positive(peaks), "Network", canvas.colours.network)
    canvas.vertical(len(found.losses) / 2, canvas.colours.muted)
    canvas.axes("Step of Adam", "Loss (mean square)", logx=True, logy=True)
    alt = f"Loss over {len(found.losses):,} steps: {formats.error(found.half)} in the first half, {formats.error(found.end)} in all."

    def rows() -> Rows:
        return enumerate(found.losses.tolist(), start=1)

    return Picture(canvas.figure(), alt, ("step", "loss"), rows)


def errors(found: Solution) -> Picture:
    """|error| of network and refined predictor over the input."""
    canvas = Canvas(HEIGHT)
    before, after = found.network - found.truth, found.refined - found.truth
    canvas.line(light(found.x), positive(np.abs(before)), "Network", canvas.colours.network)
    canvas.line(light(found.x), positive(np.abs(after)), "Refined predictor", canvas.colours.refined)
    canvas.axes("x", "|Error|", logy=True)
    ends = [formats.error(float(np.abs(values).max())) for values in (before, after)]
    alt = f"Errors over x: network up to {ends[0]}, refined predictor up to {ends[1]}."

    def rows() -> Rows:
        return zip(found.x.tolist(), found.truth.tolist(), before.tolist(), after.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("x", "truth", "network_error", "refined_error"), rows)


def step_losses(found: StepLosses) -> Picture:
    """Both losses along the step."""
    canvas = Canvas(HEIGHT)
    alpha = positive(found.alpha)
    canvas.line(alpha, positive(found.linearised), "Linear model", canvas.colours.refined, width=2.5)
    canvas.line(alpha, positive(found.nonlinear), "Network at θ0 + αΔθ", canvas.colours.stepped, width=2.5)
    canvas.axes("α, the part of the step that is taken", "Loss (mean square)", logx=True, logy=True)
    alt = (
        f"Loss along the step: at α = 1 {formats.error(found.linear_at_one)} in the linear model, "
        f"{formats.error(found.network_at_one)} in the network, {formats.error(found.base)} before."
    )

    def rows() -> Rows:
        return zip(found.alpha.tolist(), found.linearised.tolist(), found.nonlinear.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("alpha", "linearised_loss", "nonlinear_loss"), rows)


def slowness(found: SlowDirections) -> Picture:
    """Time constant of every direction, with the length of the training as a line."""
    canvas = Canvas(HEIGHT)
    trained = found.trained
    ends = np.array([0.5, float(found.index[-1]) + 0.5])
    canvas.points(found.index, positive(found.steps), "Direction", canvas.colours.refined, size=8)
    canvas.line(
        ends, np.full(2, float(trained)), f"This training, {trained:,} steps", canvas.colours.network, dash="dash"
    )
    canvas.axes("Direction, by singular value", "Steps of gradient descent", logy=True, xaxis={"range": ends.tolist()})
    beyond = int((found.steps > trained).sum())
    alt = f"Time constants of {len(found.steps)} directions; {beyond} are slower than the {trained:,} steps of the training."

    def rows() -> Rows:
        return zip(found.index.astype(int).tolist(), found.steps.tolist(), strict=True)

    return Picture(canvas.figure(), alt, ("direction", "time_constant_steps"), rows)


def coordinates(found: RaceRecord) -> Picture:
    """Loss over the floor against iterations: original coordinates solid, whitened ones dashed."""
    canvas = Canvas(HEIGHT)
    floor = found.floor or 1.0
    shown = [one for one in found.methods if (one.name, one.coordinates) in RACERS and not one.diverged]
    for one in shown:
        iterations, tint = np.asarray(one.curve.iterations[1:], dtype=np.float64), colour(one.name)
        losses = positive(np.asarray(one.curve.losses[1:])) / floor
        words = f"{labtexts.METHODS[one.name]}, {labtexts.COORDINATES[one.coordinates].lower()}"
        if len(losses) == 1:  # there at once: around the mark of the direct solve, which is there as well
            canvas.points(iterations, losses, words, tint, symbol="circle-open", size=18)
        else:
            dash = "solid" if one.coordinates == "original" else "dash"
            canvas.line(iterations, losses, words, tint, dash=dash, width=2.5)
    canvas.points(np.array([1.0]), np.array([1.0]), "Direct solve", canvas.colours.refined, symbol="diamond", size=10)
    canvas.axes("Iterations", "Loss over the smallest loss", logx=True, logy=True)
    ends = [f"{labtexts.METHODS[one.name]} {one.coordinates} {formats.error(one.times_floor, 3)}" for one in shown]
    alt = f"Loss at the end, in units of the smallest one: {', '.join(ends)}."

    def rows() -> Rows:
        for one in shown:
            for iteration, loss in zip(one.curve.iterations, one.curve.losses, strict=True):
                yield one.name, one.coordinates, iteration, loss

    return Picture(canvas.figure(), alt, ("method", "coordinates", "iteration", "loss"), rows)


def by_rank(found: NoisyFit) -> Picture:
    """Errors on all parts of the data against the rank."""
    canvas = Canvas(HEIGHT)
    colours = canvas.colours
    ranks = np.arange(len(found.test), dtype=np.float64)
    for values, name, tint in (
        (found.training, "Training", colours.train),
        (found.validation, "Validation", colours.validation),
        (found.test, "Test, without noise", colours.refined),
    ):
        canvas.line(ranks, positive(values), name, tint, width=2.5)
    canvas.vertical(found.rank, colours.muted)
    low = float(np.nanmin([values.min() for values in (found.validation, found.test)])) / 10
    high = float(np.nanmax([values.max() for values in (found.validation, found.test)])) * 2
    canvas.axes("Rank", "Relative L2 error", logy=True, yaxis={"range": np.log10([low, high]).tolist(), "dtick": 1})
    alt = (
        f"Errors against rank: on test data {formats.error(float(found.test[0]))} for the network, "
        f"{formats.error(float(found.test[found.rank]))} at rank {found.rank}, {formats.error(float(found.test[-1]))} at the largest rank."
    )

    def rows() -> Rows:
        return zip(
            ranks.astype(int).tolist(),
            *(values.tolist() for values in (found.training, found.validation, found.test)),
            strict=True,
        )

    return Picture(canvas.figure(), alt, ("rank", "training_error", "validation_error", "test_error"), rows)
