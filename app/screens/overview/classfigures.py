"""Confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lsr_app.plots.base import Canvas, Picture, Rows

Counts = Sequence[Sequence[int]]
WRITTEN = 12  # classes up to which every count stands in its cell


def confusion(counts: Counts, most_wrong: int, what: str) -> Picture:
    """Counts by right class (rows) and given class (columns); colour tells the samples off the diagonal only.

    Args:
        most_wrong: count with the strongest colour, shared by what is compared.
    """
    canvas = Canvas(height=360)
    table = np.asarray(counts)
    wrong = table.astype(np.float64)
    np.fill_diagonal(wrong, np.nan)
    names = [str(place) for place in range(len(table))]
    written = len(table) <= WRITTEN
    shown = [
        [str(count) if count and true != given else "" for given, count in enumerate(row)]
        for true, row in enumerate(table.tolist())
    ]
    canvas.traces.append(
        {
            "type": "heatmap", "z": wrong, "x": names, "y": names, "zmin": 0, "zmax": max(1, most_wrong), "showscale": False,
            "colorscale": [[0, canvas.colours.surface], [1, canvas.colours.stepped]], "xgap": 1, "ygap": 1, "name": "",
            "text": shown, "texttemplate": "%{text}" if written else "", "customdata": table.tolist(),
            "hovertemplate": "right %{y}, given %{x}: %{customdata}",
        }
    )  # fmt: skip
    if written:  # cells without a colour have no contrast to choose by: their text would be dark on dark pages too
        canvas.traces.append(
            {
                "type": "scatter", "mode": "text", "x": names, "y": names, "text": [str(count) for count in table.diagonal().tolist()],
                "textfont": {"color": canvas.colours.text}, "showlegend": False, "hoverinfo": "skip",
            }
        )  # fmt: skip
    canvas.axes("Given class", "Right class")
    for axis in ("xaxis", "yaxis"):
        canvas.layout[axis] |= {"type": "category", "showgrid": False}
    canvas.layout["yaxis"] |= {"autorange": "reversed"}
    canvas.layout["margin"] = {"l": 60, "r": 10, "t": 8, "b": 42}
    total, right = int(table.sum()), int(np.trace(table))

    def rows() -> Rows:
        for true, row in enumerate(table.tolist()):
            for given, count in enumerate(row):
                yield true, given, count

    figure: go.Figure = canvas.figure()
    return Picture(figure, f"{what}: {right} of {total} samples right.", ("right_class", "given_class", what), rows)
