"""Fields along one input: slices through a map, whole curves for a single input, and the histogram of errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots.base import Canvas, Labelled, Picture, Rows, dash, light, log_magnitude, number, positive, suffix
from lsr_app.reading.observed import Observations
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats

BAND = 150
STRETCHES = 30  # of the range: points of which two neighbours are further apart are not joined


@dataclass(frozen=True)
class Cut:
    """Points of a slice, sorted along the input `along`; `exact`: they lie on one grid line, `joined`: lines may be drawn between them."""

    points: NDArray[np.int64]
    along: int
    across: int | None
    value: float | None
    exact: bool
    joined: bool


def cut(run: RunData, along: int, fraction: float) -> Cut:
    """A slice along input `along` where the other input is at `fraction` of its range.

    For inputs that are no grid these are the points nearest to the line; for a single input all points.
    """
    inputs = run.fields.inputs
    if run.dimension == 1:
        order = np.argsort(inputs[:, 0], kind="stable")
        return Cut(order, 0, None, None, True, _close(inputs[order, 0]))
    across = next(axis for axis in range(run.dimension) if axis != along)
    column = inputs[:, across]
    wanted = float(column.min() + fraction * (column.max() - column.min()))
    if run.grid is not None:
        values = run.grid.y if across == 1 else run.grid.x
        value = float(values[int(np.argmin(np.abs(values - wanted)))])
        chosen = np.flatnonzero(column == value)
    else:
        value = wanted
        chosen = np.argsort(np.abs(column - wanted), kind="stable")[:BAND]
    exact = run.grid is not None
    return Cut(chosen[np.argsort(inputs[chosen, along], kind="stable")], along, across, value, exact, exact)


def _close(places: NDArray[Any]) -> bool:
    """Whether what lies between neighbours is told by a line: it is not where samples were drawn at random and are few."""
    return len(places) > 1 and bool(np.diff(places).max() <= np.ptp(places) / STRETCHES)


def values(
    runs: Labelled, ranks: Sequence[int], output: int, where: Cut, *, logy: bool = False, observed: Observations | None = None
) -> Picture:  # fmt: skip
    """Truth, network and refined predictor along the slice, and the `observed` training data of a single input."""
    canvas = Canvas()
    colours = canvas.colours
    run = runs[0][1]
    x = light(run.fields.inputs[where.points, where.along])
    draw = canvas.line if where.joined else canvas.points
    extra: dict[str, Any] = {} if where.joined else {"size": 4}
    truth = run.truth(output)[where.points]
    network = run.fields.network[where.points, output]
    refined = run.refined(ranks[0], output)[where.points]
    if not run.has_reference or (observed is not None and run.shown_split == "train"):
        pass  # nothing to draw, or what is drawn below as training data
    elif where.joined:
        canvas.line(x, light(truth), run.truth_name, colours.truth, width=5, opacity=0.28)
    else:
        canvas.points(x, light(truth), run.truth_name, colours.truth, size=11, outline=0, opacity=0.28)
    draw(x, light(network), "Network", colours.network, **(extra or {"dash": "dash"}))
    draw(x, light(refined), f"Refined predictor{suffix(0)}", colours.refined, **extra)
    for index, (_, other) in enumerate(runs[1:], start=1):
        if same_points(run, other):
            more = other.refined(ranks[index], output)[where.points]
            draw(x, light(more), f"Refined predictor{suffix(index)}", colours.validation, **(extra or {"dash": "dot"}))
    seen = _observations(canvas, run, output, observed)
    canvas.axes(formats.plot(run.input_name(where.along)), formats.plot(run.output_name(output)), logy=logy)
    alt = f"{run.truth_name}, network and refined predictor along {run.input_name(where.along)}{_place(run, where)}, {len(x)} points.{seen}"
    names = (run.input_name(where.along), "truth", "network", "refined")

    def rows() -> Rows:
        return zip(
            run.fields.inputs[where.points, where.along].tolist(),
            truth.tolist(),
            network.tolist(),
            refined.tolist(),
            strict=True,
        )

    return Picture(canvas.figure(), formats.one_line(alt, 300), names, rows)


def _observations(canvas: Canvas, run: RunData, output: int, observed: Observations | None) -> str:
    """Dots below the curves, in the colour of training data; returns what the text alternative says of them."""
    if observed is None or run.dimension != 1 or not len(observed.inputs) or output >= observed.targets.shape[1]:
        return ""
    canvas.points(
        light(observed.inputs[:, 0]), light(observed.targets[:, output]), "Training data", canvas.colours.train, size=5, outline=0, opacity=0.7
    )  # fmt: skip
    canvas.traces.insert(0, canvas.traces.pop())
    return f" {len(observed.inputs)} training data are dots."


def errors(runs: Labelled, ranks: Sequence[int], output: int, where: Cut, *, logy: bool = True) -> Picture:
    """|error| of network and refined predictor along the slice."""
    canvas = Canvas()
    colours = canvas.colours
    run = runs[0][1]
    x = light(run.fields.inputs[where.points, where.along])
    network = run.network_error(output)[where.points]
    refined = run.refined_error(ranks[0], output)[where.points]

    def shown(error: NDArray[Any]) -> NDArray[np.float64]:
        return positive(np.abs(error)) if logy else error

    draw = canvas.line if where.joined else canvas.points
    extra: dict[str, Any] = {"width": 1.6} if where.joined else {"size": 4}
    draw(x, shown(network), "Network", colours.network, **extra)
    draw(x, shown(refined), f"Refined predictor{suffix(0)}", colours.refined, **extra)
    for index, (_, other) in enumerate(runs[1:], start=1):
        if same_points(run, other):
            more = shown(other.refined_error(ranks[index], output)[where.points])
            draw(x, more, f"Refined predictor{suffix(index)}", colours.validation, **extra)
    canvas.axes(formats.plot(run.input_name(where.along)), "|Error|" if logy else "Error", logy=logy)
    alt = (
        f"Errors along {run.input_name(where.along)}{_place(run, where)}: network up to "
        f"{formats.error(float(np.abs(network).max()))}, refined predictor up to {formats.error(float(np.abs(refined).max()))}."
    )

    def rows() -> Rows:
        return zip(
            run.fields.inputs[where.points, where.along].tolist(), network.tolist(), refined.tolist(), strict=True
        )

    names = (run.input_name(where.along), "network_error", "refined_error")
    return Picture(canvas.figure(), formats.one_line(alt, 300), names, rows)


def histogram(runs: Labelled, ranks: Sequence[int], output: int) -> Picture:
    """How log10 |error| is distributed over the display points."""
    canvas = Canvas()
    colours = canvas.colours
    named = [("Network", colours.network, runs[0][1].network_error(output), 0)]
    for index, (_, run) in enumerate(runs):
        colour = colours.refined if index == 0 else colours.validation
        named.append((f"Refined predictor{suffix(index)}", colour, run.refined_error(ranks[index], output), index))
    counted = []
    for name, colour, error, index in named:
        finite = error[np.isfinite(error) & (error != 0)]
        magnitudes = log_magnitude(finite)
        counts, edges = np.histogram(magnitudes, bins=48) if magnitudes.size else (np.zeros(1), np.array([0.0, 1.0]))
        share = 100 * counts / max(1, len(error))
        density = share / np.diff(edges)
        counted.append((name, edges, share))
        canvas.line(
            np.repeat(10.0**edges, 2), np.concatenate([[0], np.repeat(density, 2), [0]]), name, colour, width=1.5,
            fill="tozeroy", dash=dash(index),
        )  # fmt: skip
    canvas.axes("|Error|", "Points per decade (%)", logx=True, yaxis={"rangemode": "tozero"})
    middle = [formats.error(float(np.median(np.abs(error)))) for _, _, error, _ in named]
    alt = (
        f"Histogram of the error magnitudes. Median {middle[0]} for the network, {middle[1]} for the refined predictor."
    )

    def rows() -> Rows:
        for name, edges, share in counted:
            for low, high, part in zip(edges[:-1], edges[1:], share, strict=True):
                yield name, 10.0 ** float(low), 10.0 ** float(high), float(part)

    return Picture(canvas.figure(), alt, ("predictor", "from", "to", "percent_of_points"), rows)


QUANTILES = ((0.5, "Median"), (0.9, "90 %"), (0.99, "99 %"), (1.0, "Largest"))


def quantiles(run: RunData, rank: int, output: int) -> list[tuple[str, float, float]]:
    """(name, network, refined) of |error| over the display points."""
    network, refined = np.abs(run.network_error(output)), np.abs(run.refined_error(rank, output))
    levels = [level for level, _ in QUANTILES]
    pairs = zip(QUANTILES, np.quantile(network, levels), np.quantile(refined, levels), strict=True)
    return [(name, float(before), float(after)) for (_, name), before, after in pairs]


def worst(run: RunData, rank: int, output: int, how_many: int = 8) -> list[dict[str, float]]:
    """The display points at which the refined predictor errs most."""
    refined, network = run.refined_error(rank, output), run.network_error(output)
    order = np.argsort(-np.abs(refined), kind="stable")[:how_many]
    return [
        {
            **{run.input_name(axis): float(run.fields.inputs[point, axis]) for axis in range(run.dimension)},
            "truth": float(run.fields.targets[point, output]),
            "network error": float(network[point]),
            "refined error": float(refined[point]),
        }
        for point in order
    ]


def same_points(run: RunData, other: RunData) -> bool:
    """Whether two runs were drawn at the same points, with as many outputs."""
    return (
        run.fields.targets.shape == other.fields.targets.shape
        and run.fields.inputs.shape == other.fields.inputs.shape
        and np.array_equal(run.fields.inputs, other.fields.inputs)
    )


def _place(run: RunData, where: Cut) -> str:
    if where.across is None or where.value is None:
        return ""
    return f" at {run.input_name(where.across)} = {formats.error(where.value, 3)}"


__all__ = ["Cut", "cut", "errors", "histogram", "number", "quantiles", "values", "worst"]
