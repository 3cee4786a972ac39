"""Error against the share of the parameters that may move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsr_app.plots.base import Canvas, Picture, Rows, positive
from lsr_app.reading.shares import Share
from lsr_app.words import formats


def error_by_share(line: Sequence[Share], others: Sequence[Share] = (), *, measure: str) -> Picture:
    """Error of the refined predictor for each share, with the network's own as a dashed line.

    Args:
        line: random shares of the same parameters, by share; at least one.
        others: shares of parameters chosen by another pattern, drawn as single points.
    """
    canvas = Canvas()
    colours = canvas.colours
    every = sorted([*line, *others], key=lambda share: share.of_all)
    base = line[-1].base
    reach = np.array([every[0].of_all, every[-1].of_all])
    canvas.line(reach, np.full(2, base), "Network", colours.network, dash="dash")
    canvas.line(*_places(line), "Refined predictor", colours.refined, width=2.5)
    canvas.points(*_places(line), "Refined predictor", colours.refined, text=_remarks(line), showlegend=False)
    if others:
        canvas.points(
            *_places(others), "Chosen by name", colours.validation, symbol="diamond-open", text=_remarks(others)
        )
    canvas.axes("Share of the parameters", measure, logx=True, logy=True)
    alt = (
        f"{measure} against the share of the parameters: {formats.error(line[0].refined)} with {line[0].of_all:.3g} of them, "
        f"{formats.error(line[-1].refined)} with {line[-1].of_all:.3g}; the network has {formats.error(base)}."
    )

    def rows() -> Rows:
        for share in every:
            yield (
                share.layers or "", share.fraction, share.of_all, share.rank, share.base, share.refined, share.seconds,
                share.run,
            )  # fmt: skip

    columns = ("layers", "fraction", "share_of_all", "rank", "base", "refined", "seconds", "run")
    return Picture(canvas.figure(), formats.one_line(alt, 300), columns, rows)


def _places(shares: Sequence[Share]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([share.refined for share in shares], dtype=np.float64)
    return np.array([share.of_all for share in shares]), positive(values)


def _remarks(shares: Sequence[Share]) -> list[str]:
    """What the pointer shows: pattern, rank, duration."""
    return [
        f"{formats.plot(share.layers or 'all layers')}, rank {share.rank:,}, {formats.seconds(share.seconds)}"
        for share in shares
    ]
