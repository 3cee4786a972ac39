"""Data that were just uploaded, before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from lsr_app.plots.base import Canvas, Picture, Rows, light
from lsr_app.screens.bring import equationtexts as texts
from lsr_app.words import formats
from lsr_core.problems.physics.problem import PhysicsProblem

MOST = 2000
CURVES = 5


def data(inputs: np.ndarray, outputs: np.ndarray, names: Sequence[str]) -> Picture:
    """The first output against the first input, coloured by the second; for functions, the first few output functions."""
    canvas = Canvas(height=320)
    width = inputs.shape[1]
    if outputs.shape[1] > 8:
        shown = outputs[:CURVES]
        for place, curve in enumerate(shown):
            canvas.line(
                np.arange(len(curve)), light(curve), f"function {place + 1}", canvas.colours.network, width=1.0 + 0.4 * place,
                showlegend=False,
            )  # fmt: skip
        canvas.axes("Point", "Output")
        alt = f"The first {len(shown)} output functions."
    else:
        step = max(1, len(inputs) // MOST)
        x, y = inputs[::step, 0], outputs[::step, 0]
        if width > 1:
            marker = {"size": 6, "color": light(inputs[::step, 1]), "colorscale": "Cividis", "showscale": True,
                      "colorbar": {"thickness": 8, "title": {"text": formats.plot(names[1])}}}  # fmt: skip
            canvas.traces.append({"type": "scatter", "mode": "markers", "x": x, "y": y, "name": "", "marker": marker})
        else:
            canvas.points(x, y, "", canvas.colours.network, size=6)
        canvas.axes(formats.plot(names[0]), formats.plot(names[width]))
        alt = f"{len(x)} points; the output runs from {y.min():.3g} to {y.max():.3g}."
    canvas.layout["showlegend"] = False

    def rows() -> Rows:
        return iter(())

    return Picture(canvas.figure(), alt, (), rows)


def domain(problem: PhysicsProblem) -> Picture:
    """The points of every block over the first two inputs: inside in grey, conditions in colours."""
    canvas = Canvas(height=300)
    x, y = problem.variables[:2]
    inner = [
        block
        for block in problem.blocks
        if block.needs and block.prescribed is None and block.name.startswith("interior")
    ]
    rest = [block for block in problem.blocks if block not in inner]
    for place, block in enumerate([*inner, *rest]):
        points = problem.points[block.name]
        at = points.reshape(-1, points.shape[-1]) if block.pairs else points[:, 0] if block.together else points
        # at random: every second point of an even filling may lie in one half
        some = torch.randperm(len(at), generator=torch.Generator().manual_seed(0))[:MOST]
        shown = at[some].double().cpu().numpy()
        inside = place < len(inner)
        colour = (
            canvas.colours.muted if inside else canvas.colours.series[(place - len(inner)) % len(canvas.colours.series)]
        )
        canvas.points(
            light(shown[:, 0]), light(shown[:, 1]), formats.plot(block.name), colour, size=3 if inside else 5, outline=0
        )
    canvas.axes(formats.plot(x), formats.plot(y))
    if all(name not in texts.TIMES for name in (x, y)):
        canvas.layout["yaxis"] |= {"scaleanchor": "x"}

    def rows() -> Rows:
        return (
            (block.name, *(float(value) for value in point[:2]))
            for block in problem.blocks
            for point in problem.points[block.name].reshape(-1, len(problem.variables)).tolist()
        )

    return Picture(
        canvas.figure(), texts.drawn(problem.variables, [block.name for block in rest]), ("block", x, y), rows
    )
