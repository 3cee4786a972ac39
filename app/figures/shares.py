"""Error against the share of the parameters that may move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsr_app import formats
from lsr_app.figures.base import Canvas, Picture, Rows, positive
from lsr_app.shares import Share


def error_by_share(shares: Sequence[Share], *, measure: str, mode: str | None = None) -> Picture:
    """Error of the refined predictor for each share, with the network's own as a dashed line."""
    canvas = Canvas(mode)
    colours = canvas.colours
    at = np.array([share.fraction for share in shares])
    values = positive(np.array([share.refined for share in shares]))
    base = shares[-1].base
    canvas.line(at, np.full(len(at), base), "Network", colours.network, dash="dash")
    canvas.line(at, values, "Refined", colours.refined, width=2.5)
    hover = [f"rank {share.rank:,}, {formats.seconds(share.seconds)}" for share in shares]
    canvas.points(at, values, "Refined", colours.refined, text=hover, showlegend=False)
    canvas.axes("Share of the parameters", measure, logx=True, logy=True)
    alt = (
        f"{measure} against the share of the parameters: {formats.error(shares[0].refined)} with {shares[0].fraction:.3g} of them, "
        f"{formats.error(shares[-1].refined)} with {shares[-1].fraction:.3g}; the network has {formats.error(base)}."
    )

    def rows() -> Rows:
        for share in shares:
            yield share.fraction, share.rank, share.base, share.refined, share.seconds, share.run

    return Picture(canvas.figure(), alt, ("fraction", "rank", "base", "refined", "seconds", "run"), rows)
