"""Figures over the rank: errors, singular values, condition number, step length."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from lsr_app.plots.base import Canvas, Labelled, Picture, Rows, dash, finite_range, number, positive, suffix
from lsr_app.reading.rundata import RunData
from lsr_app.words import figuretexts, formats

SPLITS = ("train", "val", "test")
ROOM = 0.15  # of the decades that errors on unseen data span, kept free below them
HIGHEST = 1e3  # times the network's error that an axis reaches at most
MEASURES = {"mse": "Mean square error", "relative_l2": "Relative L2 error"}


def errors(
    runs: Labelled, ranks: Sequence[int], *, measure: str = "mse", logx: bool = False, logy: bool = True
) -> Picture:
    """Error of the refined predictor at every rank, on each split; `ranks[i]` is the rank selected in run i."""
    canvas = Canvas(height=360)
    colours = canvas.colours
    tone = {"train": colours.train, "val": colours.validation, "test": colours.refined}
    second = dict(zip(SPLITS, colours.series[3:], strict=False))
    for index, (_, run) in enumerate(runs):
        tail = suffix(index)
        first = 1 if logx else 0
        axis = np.arange(first, run.sweep.max_rank + 1)
        solved = run.sweep.solved[first:]
        for split in SPLITS:
            values = getattr(run.sweep, f"{split}_{measure}")
            if not np.isfinite(values).any():
                continue
            shown = positive(values) if logy else values
            _solved_and_interpolated(
                canvas,
                axis,
                shown[first:],
                solved,
                f"{getattr(run.parts, split)}{tail}",
                tone[split] if index == 0 else second[split],
                index,
                width=2.5 if split == "test" else 1.8,
            )
        if measure == "relative_l2" and index == 0:
            _by_output(canvas, run, axis, first, logy)
        key, word = run.headline_split
        curve = getattr(run.sweep, f"{key}_{measure}")
        base = float(curve[0])
        if index == 0 and math.isfinite(base) and len(axis) > 1:
            canvas.line(np.array([axis[0], axis[-1]]), np.array([base, base]), "Network", colours.network, dash="dash")
        if index == 0:
            knee, selected = run.summary.knee, run.reported(f"{key}_{measure}", ranks[0])
            if knee < len(curve):
                _mark(canvas, knee, float(curve[knee]), "Knee", colours.muted, "diamond-open", logx, logy)
            _mark(canvas, ranks[0], selected, "Selected", colours.refined, "circle", logx, logy)
            canvas.vertical(max(ranks[0], first), colours.refined)
    reach, note = vertical(runs, measure, first=1 if logx else 0) if logy else ({}, "")
    title = "Mean square" if runs[0][1].parts.residual and measure == "mse" else MEASURES[measure]
    canvas.axes("Rank", title, logx=logx, logy=logy, xaxis=_reach(runs, logx), yaxis=reach)
    key, word = runs[0][1].headline_split
    before, after = (runs[0][1].reported(f"{key}_{measure}", at) for at in (0, ranks[0]))
    alt = (
        f"Error against rank. {word}, {MEASURES[measure].lower()}: it is {formats.error(before)} at rank 0 and "
        f"{formats.error(after)} at the selected rank {ranks[0]}."
    )
    return Picture(canvas.figure(), alt, *sweep_table(runs), note)


def _by_output(canvas: Canvas, run: RunData, axis: NDArray[np.int64], first: int, logy: bool) -> None:
    """The curve of each output, which the pooled one hides, and that which the rank was chosen by where outputs were divided by their sizes."""
    sweep, colours = run.sweep, canvas.colours
    told = sweep.by_output.shape[1] if len(sweep.by_output) == len(sweep.solved) else 0
    curves = [
        (run.told_name(place, told), sweep.by_output[:, place], colours.series[place % len(colours.series)])
        for place in range(told)
    ]
    if len(sweep.divided) == len(sweep.solved):
        curves.append(("Divided by sizes, compared", np.sqrt(sweep.divided), colours.muted))
    for name, values, colour in curves:
        shown = (positive(values) if logy else values)[first:]
        _solved_and_interpolated(canvas, axis, shown, sweep.solved[first:], formats.plot(name), colour, 0, width=1.2)


def vertical(runs: Labelled, measure: str, first: int) -> tuple[dict[str, object], str]:
    """A logarithmic axis over the errors on data that the solve has not seen, and what curves go on to beyond it.

    Where a solve interpolates, the training error falls to rounding; on an axis down there nothing could be seen of the others.
    """
    heard, seen = [], []
    for _, run in runs:
        curves = {split: positive(getattr(run.sweep, f"{split}_{measure}"))[first:] for split in SPLITS}
        known = {split: values[np.isfinite(values)] for split, values in curves.items()}
        unseen = [known[split] for split in ("val", "test") if known[split].size]
        seen += [(getattr(run.parts, split), values) for split, values in known.items() if values.size]
        heard += unseen or [known["train"]]
        if measure == "relative_l2" and len(run.sweep.by_output) == len(run.sweep.solved):
            told = positive(run.sweep.by_output[first:])
            heard += [told[np.isfinite(told)]] if np.isfinite(told).any() else []
    low, high = finite_range(*heard)
    start = max((float(values[0]) for _, values in seen), default=high)
    if not low > 0:
        return {}, ""
    span = max(1.0, math.log10(high / low))
    floor, ceiling = low / 10 ** max(1.0, ROOM * span), max(min(high, start * HIGHEST), start)
    under = [(name, float(values.min())) for name, values in seen if values.min() < floor]
    over = [(name, float(values.max())) for name, values in seen if values.max() > ceiling]
    if not under and not over:
        return {}, ""
    ends = floor if under else min(float(values.min()) for _, values in seen), ceiling
    room = 0.05 * math.log10(ends[1] / ends[0])
    dtick = max(1, math.ceil(math.log10(ends[1] / ends[0]) / 7))
    axis = {"range": [math.log10(ends[0]) - room, math.log10(ends[1]) + room], "dtick": dtick}
    return axis, figuretexts.beyond_axis(
        [(name, formats.error(value)) for name, value in under], [(name, formats.error(value)) for name, value in over]
    )


def spectrum(runs: Labelled, ranks: Sequence[int], *, logx: bool = False) -> Picture:
    """Singular values of the Jacobian; those below the sketch error are greyed."""
    canvas = Canvas()
    colours = canvas.colours
    for index, (_, run) in enumerate(runs):
        values, floor = positive(run.spectrum.singular_values), run.spectrum.sketch_error
        axis = np.arange(1, len(values) + 1)
        known = math.isfinite(floor)
        trusted = values >= floor if known else np.ones(len(values), dtype=bool)
        tail = suffix(index)
        canvas.line(axis, np.where(trusted, values, np.nan), f"Singular value{tail}", colours.refined, dash=dash(index))
        if not trusted.all():
            below = np.where(~trusted, values, np.nan)
            canvas.line(axis, below, f"Below it{tail}", colours.network, dash=dash(index))
        if known and floor > 0 and len(axis) > 1:
            canvas.line(
                axis[[0, -1]], np.array([floor, floor]), f"Sketch error{tail}", colours.stepped,
                dash="dash", width=1.5,
            )  # fmt: skip
    if ranks[0] >= 1 or not logx:
        canvas.vertical(ranks[0], colours.refined)
    canvas.axes("Index", "Singular value", logx=logx, logy=True)
    run = runs[0][1]
    values = run.spectrum.singular_values
    alt = (
        f"Singular values of the Jacobian, {len(values)} of them, from {formats.error(float(values[0]) if len(values) else None)} "
        f"down to {formats.error(float(values[-1]) if len(values) else None)}; estimated sketch error "
        f"{formats.error(run.spectrum.sketch_error)}."
    )

    def rows() -> Rows:
        for label, data in runs:
            for place, value in enumerate(data.spectrum.singular_values, start=1):
                yield label, place, number(value), number(data.spectrum.sketch_error)

    return Picture(canvas.figure(), alt, ("run", "index", "singular_value", "sketch_error"), rows)


def condition(runs: Labelled, ranks: Sequence[int], *, logx: bool = False) -> Picture:
    """Condition numbers of the reduced matrix, as it is and as it is factorised, with the limit of the dtype."""
    canvas = Canvas()
    colours = canvas.colours
    limits: dict[str, float] = {}
    for index, (_, run) in enumerate(runs):
        tail = suffix(index)
        axis = np.arange(1, run.sweep.max_rank + 1)
        exact = run.sweep.condition_exact[1:]
        for values, name, colour in (
            (run.sweep.condition_number, "κ", colours.refined if index == 0 else colours.series[5]),
            (run.sweep.solved_condition_number, "κ scaled", colours.validation if index == 0 else colours.series[3]),
        ):
            _solved_and_interpolated(canvas, axis, positive(values)[1:], exact, f"{name}{tail}", colour, index)
        limits[run.summary.dtype] = 1 / run.epsilon
    longest = max((run.sweep.max_rank for _, run in runs), default=1)
    for dtype, limit in limits.items():
        name = f"1/ε {formats.plot(dtype)}"
        canvas.line(
            np.array([1, max(longest, 1)]), np.array([limit, limit]), name, colours.stepped, dash="dash", width=1.5
        )
    if ranks[0] >= 1:
        canvas.vertical(ranks[0], colours.refined)
    canvas.axes("Rank", "Condition number", logx=logx, logy=True, xaxis=_reach(runs, logx))
    run = runs[0][1]
    value = float(run.sweep.condition_number[ranks[0]])
    alt = (
        f"Condition number against rank on a logarithmic axis: {formats.error(value)} at the selected rank {ranks[0]}; "
        f"one over machine epsilon of {run.summary.dtype} is {formats.error(1 / run.epsilon)}."
    )
    return Picture(canvas.figure(), alt, *sweep_table(runs))


def step_length(runs: Labelled, ranks: Sequence[int], *, logx: bool = False, logy: bool = True) -> Picture:
    """Length of the step Δθ at every rank beside that of the parameters."""
    canvas = Canvas()
    colours = canvas.colours
    for index, (_, run) in enumerate(runs):
        tail = suffix(index)
        axis = np.arange(1, run.sweep.max_rank + 1)
        values = run.sweep.delta_norm[1:]
        shown = positive(values) if logy else values
        _solved_and_interpolated(canvas, axis, shown, run.sweep.solved[1:], f"‖Δθ‖{tail}", colours.refined, index)
        theta = run.summary.theta_norm
        if len(axis) > 1:
            canvas.line(
                axis[[0, -1]],
                np.array([theta, theta]),
                f"‖θ0‖{tail}",
                colours.network,
                dash="dash" if index == 0 else "dot",
            )
    if ranks[0] >= 1:
        canvas.vertical(ranks[0], colours.refined)
    canvas.axes("Rank", "Euclidean norm", logx=logx, logy=logy, xaxis=_reach(runs, logx))
    run = runs[0][1]
    alt = (
        f"Length of the parameter step against rank: {formats.error(float(run.sweep.delta_norm[ranks[0]]))} at the selected "
        f"rank {ranks[0]}; the parameters have norm {formats.error(run.summary.theta_norm)}."
    )
    return Picture(canvas.figure(), alt, *sweep_table(runs))


SWEEP_COLUMNS = (
    "train_mse", "val_mse", "test_mse", "train_relative_l2", "val_relative_l2", "test_relative_l2", "residual_norm",
    "condition_number", "solved_condition_number", "delta_norm", "coefficient_norm", "solved", "condition_exact",
)  # fmt: skip


def sweep_table(runs: Labelled) -> tuple[tuple[str, ...], Callable[[], Rows]]:
    """Columns and rows of the whole sweep, with a column for each output that is told by itself."""
    told = max((run.sweep.by_output.shape[1] for _, run in runs), default=0)

    def rows() -> Rows:
        for label, run in runs:
            sweep = run.sweep
            columns = [getattr(sweep, name).tolist() for name in SWEEP_COLUMNS]
            single = np.full((len(sweep.solved), told), np.nan)
            if len(sweep.by_output) == len(single):
                single[:, : sweep.by_output.shape[1]] = sweep.by_output
            for rank, values in enumerate(zip(*columns, *single.T.tolist(), strict=True)):
                yield label, rank, *values

    return ("run", "rank", *SWEEP_COLUMNS, *(f"relative_l2_output_{place + 1}" for place in range(told))), rows


def _reach(runs: Labelled, logx: bool) -> dict[str, object]:
    """Axis over all ranks, the same in every figure of the page."""
    longest = max(1, *(run.sweep.max_rank for _, run in runs), 1)
    return {"range": [-0.02, math.log10(longest) + 0.02] if logx else [-0.01 * longest, 1.01 * longest]}


def _solved_and_interpolated(
    canvas: Canvas,
    x: NDArray[np.int64],
    y: NDArray[np.float64],
    solved: NDArray[np.bool_],
    name: str,
    colour: str,
    index: int,
    width: float = 2.0,
) -> None:
    """A line, solid where values were computed and dotted where they are interpolated."""
    if solved.all() or not np.isfinite(y).any():
        canvas.line(x, y, name, colour, dash=dash(index), width=width, legendgroup=name)
        return
    # Between computed ranks only straight pieces are drawn: they claim nothing, and few points keep the figure quick.
    inner = np.concatenate([[True], solved[:-1]]) & np.concatenate([solved[1:], [True]])
    canvas.line(x, np.where(solved, y, np.nan), name, colour, dash=dash(index), width=width, legendgroup=name)
    canvas.line(
        x[solved], np.where(inner, np.nan, y)[solved], name, colour, dash="dot", width=width * 0.7, mode="lines+markers", marker={"size": 4},
        legendgroup=name, showlegend=False,
    )  # fmt: skip


def _mark(canvas: Canvas, rank: int, value: float, name: str, colour: str, symbol: str, logx: bool, logy: bool) -> None:
    if logx and rank == 0:
        return
    if math.isfinite(value) and (value > 0 or not logy):
        canvas.points([rank], [value], name, colour, symbol=symbol, size=10)
