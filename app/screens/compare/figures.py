"""Curves and fields of several runs, each in its own colour and at its own rank."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsr_app.plots import lines, maps, ranks, scales, theme
from lsr_app.plots.base import Canvas, Picture, positive
from lsr_app.screens.compare.comparing import Compared
from lsr_app.words import formats

DISTINCT = 11


def colours(count: int) -> list[str]:
    """As many that can be told apart; after eleven they begin again, and lines are dotted."""
    palette = theme.palette()
    line = [palette.refined, palette.stepped, *palette.series, palette.train, palette.network, palette.truth]
    return [line[place % len(line)] for place in range(count)]


def errors(compared: Sequence[Compared]) -> Picture:
    """The reported error against the rank of each run, with a mark at its rank and the network's error dashed."""
    canvas = Canvas(height=380)
    networks: dict[tuple[str, float], None] = {}
    for place, (one, colour) in enumerate(zip(compared, colours(len(compared)), strict=True)):
        split = one.run.headline_split[0]
        measure = "relative_l2" if one.run.has_reference else "mse"
        curve = positive(getattr(one.run.sweep, f"{split}_{measure}"))
        if not one.run.has_reference:
            curve = np.sqrt(curve)
        axis = np.arange(len(curve))
        known = np.isfinite(curve) & one.run.sweep.solved
        canvas.line(
            axis[known], curve[known], formats.plot(one.name), colour, dash="solid" if place < DISTINCT else "dot"
        )
        _, base, refined = one.errors
        canvas.points([one.rank], [refined], "", colour, size=10, showlegend=False, hoverinfo="skip")
        networks[one.problem, base] = None
    longest = max(one.run.sweep.max_rank for one in compared)
    for _, base in networks:
        canvas.line(
            np.array([0, longest]),
            np.array([base, base]),
            "Network",
            theme.palette().network,
            dash="dash",
            width=1.2,
            showlegend=False,
        )
    canvas.axes("Rank", "Error" if len({one.errors[0] for one in compared}) > 1 else compared[0].errors[0], logy=True)
    canvas.layout |= {"showlegend": False, "hovermode": "x unified"}
    said = ", ".join(f"{one.name} {formats.error(one.errors[2])} at rank {one.rank:,}" for one in compared)
    return Picture(
        canvas.figure(),
        f"Error against rank of {len(compared)} runs: {said}.",
        *ranks.sweep_table([(one.name, one.run) for one in compared]),
    )


def drawable(compared: Sequence[Compared]) -> bool:
    """Whether all runs have errors at the same points over two inputs."""
    first = compared[0].run
    return (
        first.dimension == 2 and all(one.run.has_reference for one in compared)
        and all(lines.same_points(first, one.run) for one in compared[1:])
    )  # fmt: skip


def fields(compared: Sequence[Compared], output: int) -> list[tuple[str, Picture]]:
    """|error| of each run at its rank, on one scale; before them that of the network where all start from the same."""
    first = compared[0].run
    parts = [(one.name, one.run, one.run.refined_error(one.rank, output)) for one in compared]
    if len({one.problem for one in compared}) == 1:
        parts.insert(0, ("Network", first, first.network_error(output)))
    limits = scales.decades(*(values for *_, values in parts), rounding=maps.rounding_of(first))
    return [(name, maps.error_magnitude(run, values, name, limits)) for name, run, values in parts]
