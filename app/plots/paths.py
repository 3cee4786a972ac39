"""The loss along theta0 + αΔθ, linearised and as the network has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsr_app.plots.base import Canvas, Labelled, Picture, Rows, dash, light, number, positive, suffix
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats

NONLINEAR = "Network at θ0 + αΔθ"


def losses(runs: Labelled, ranks: Sequence[int], *, logx: bool = True, logy: bool = True) -> Picture:
    """Both losses against α, with the interval in which they agree within 10 %."""
    canvas = Canvas(height=400)
    colours = canvas.colours
    for index, (_, run) in enumerate(runs):
        rung, tail = run.rung(ranks[index]), suffix(index)
        alpha = run.paths.alpha
        x = positive(alpha) if logx else alpha
        for values, name, colour in (
            (run.paths.linearised[rung], run.parts.linear, colours.refined),
            (run.paths.nonlinear[rung], NONLINEAR, colours.stepped),
        ):
            canvas.line(x, positive(values) if logy else values, f"{name}{tail}", colour, dash=dash(index), width=2.5)
        base = base_loss(run)
        if index == 0 and base is not None:
            ends = finite_ends(run, logx)
            canvas.line(
                np.array(ends), np.array([base, base]), "Network (α = 0)", colours.network, dash="dash", width=1.5
            )
            low, high = interval(run, ranks[0])
            left, right = max(low, ends[0]), min(high, ends[1])
            if right > left:
                canvas.layout["shapes"] = [
                    {
                        "type": "rect", "xref": "x", "yref": "paper", "x0": left, "x1": right, "y0": 0, "y1": 1,
                        "fillcolor": colours.band, "line": {"width": 0}, "layer": "below",
                    }
                ]  # fmt: skip
    canvas.axes("α, the part of the step Δθ that is taken", "Loss (mean square)", logx=logx, logy=logy)
    run = runs[0][1]
    linear, nonlinear = at_one(run, ranks[0])
    high = interval(run, ranks[0])[1]
    alt = (
        f"Loss along the step. At α = 1 the linearised loss is {formats.error(linear)} and that of the network "
        f"{formats.error(nonlinear)}; they agree within 10 % up to α = {formats.error(high)}."
    )

    def rows() -> Rows:
        for (label, data), rank in zip(runs, ranks, strict=True):
            rung = data.rung(rank)
            lines = (data.paths.alpha, data.paths.linearised[rung], data.paths.nonlinear[rung])
            for alpha, linearised, true in zip(*lines, strict=True):
                yield label, rank, float(alpha), number(linearised), number(true)

    return Picture(canvas.figure(), alt, ("run", "rank", "alpha", "linearised_loss", "nonlinear_loss"), rows)


def three_lines(run: RunData, rank: int, output: int) -> Picture:
    """For a single input: the truth and the three objects along it, the axis held to the reach of the truth."""
    canvas = Canvas(height=360)
    colours = canvas.colours
    points = run.fields.stepped_points
    points_x = run.fields.inputs[points, 0]
    order = np.argsort(points_x, kind="stable")
    x = light(points_x[order])
    truth = run.truth(output)[points][order]
    network = run.fields.network[points, output][order]
    refined = run.refined(rank, output)[points][order]
    stepped = run.stepped(rank, output)[order]
    if run.has_reference:
        canvas.line(x, light(truth), run.truth_name, colours.truth, width=5, opacity=0.28)
    canvas.line(x, light(network), "Network", colours.network, dash="dash")
    canvas.line(x, light(refined), "Refined predictor", colours.refined)
    canvas.line(x, light(stepped), "Network at θ0 + Δθ", colours.stepped, dash="dot")
    shown = truth if run.has_reference else refined
    low, high = float(shown.min()), float(shown.max())
    room = 0.5 * (high - low) or 1.0
    held = {"range": [low - room, high + room]}
    canvas.axes(formats.plot(run.input_name(0)), formats.plot(run.output_name(output)), yaxis=held)
    alt = f"{run.truth_name}, network, refined predictor and network at theta0 plus the step along {run.input_name(0)}, {len(x)} points."

    def rows() -> Rows:
        return zip(x.tolist(), truth.tolist(), network.tolist(), refined.tolist(), stepped.tolist(), strict=True)

    columns = (run.input_name(0), "truth", "network", "refined", "network_at_theta0_plus_delta")
    return Picture(canvas.figure(), formats.one_line(alt, 300), columns, rows)


def interval(run: RunData, rank: int) -> tuple[float, float]:
    low, high = run.paths.agreement[run.rung(rank)]
    return float(low), float(high)


def at_one(run: RunData, rank: int) -> tuple[float, float]:
    """(linearised, nonlinear) loss at the α nearest to 1."""
    place = int(np.argmin(np.abs(run.paths.alpha - 1.0)))
    rung = run.rung(rank)
    return float(run.paths.linearised[rung, place]), float(run.paths.nonlinear[rung, place])


def base_loss(run: RunData) -> float | None:
    """Loss of the network itself: the value at the α nearest to 0."""
    if not len(run.paths.alpha):
        return None
    return float(run.paths.linearised[0, int(np.argmin(np.abs(run.paths.alpha)))])


def finite_ends(run: RunData, logx: bool) -> tuple[float, float]:
    alpha = run.paths.alpha[run.paths.alpha > 0] if logx else run.paths.alpha
    return (float(alpha.min()), float(alpha.max())) if len(alpha) else (0.0, 1.0)
