"""The same freedom spent in different ways: errors as bars."""

from __future__ import annotations

import math

from lsr_app.plots.base import Canvas, Picture, Rows
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.words import formats
from lsr_core.lab.records import Contender, IsolationRecord

SPLITS = ("test", "validation", "train")


def split_of(record: IsolationRecord) -> str:
    """Where errors are reported: test, else validation, else training."""
    first = record.contenders[0].errors
    return next((split for split in SPLITS if getattr(first, split) is not None), "train")


def bars(record: IsolationRecord, split: str) -> Picture:
    """Errors on a split on a logarithmic axis, from the network downwards."""
    found = [(c, value) for c in record.contenders if (value := getattr(c.errors, split)) is not None and value > 0]
    canvas = Canvas(height=90 + 38 * max(1, len(found)))
    colours = canvas.colours

    def colour(contender: Contender) -> str:
        named = {"network": colours.network, "jacobian-subspace": colours.refined}
        return named.get(contender.name, colours.train if contender.linear else colours.stepped)

    low = min((value for _, value in found), default=1.0)
    high = max((value for _, value in found), default=1.0)
    start = 10 ** math.floor(math.log10(low) - 0.05)
    canvas.traces.append(
        {
            "type": "bar", "orientation": "h", "base": [start] * len(found), "x": [value - start for _, value in found],
            "y": [conditioningtexts.CONTENDERS.get(c.name, formats.plot(c.name)) for c, _ in found],
            "marker": {
                "color": [colour(c) for c, _ in found],
                "pattern": {"shape": ["" if c.linear else "/" for c, _ in found], "solidity": 0.35},
            },
            "text": [formats.error(value) for _, value in found], "textposition": "outside", "cliponaxis": False,
            "textfont": {"color": colours.text}, "hoverinfo": "skip", "name": "", "width": 0.62,
        }
    )  # fmt: skip
    canvas.axes(
        f"Relative L2 error, {split} data" if split != "train" else "Relative L2 error, training data", "", logx=True,
        xaxis={"range": [math.log10(start), math.log10(high) + 0.12 * max(1.0, math.log10(high / start))]},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "ticklabelstandoff": 6},
    )  # fmt: skip
    canvas.layout |= {"showlegend": False, "margin": {"l": 236, "r": 20, "t": 6, "b": 44, "autoexpand": False}}
    listed = ", ".join(
        f"{conditioningtexts.CONTENDERS.get(c.name, c.name)} {formats.error(value)}" for c, value in found
    )

    def rows() -> Rows:
        for contender, value in found:
            yield contender.name, contender.dimension, value

    return Picture(canvas.figure(), f"Relative L2 errors: {listed}.", ("contender", "unknowns", f"{split}_error"), rows)
