"""Fields of a run whose truth nobody knows: network and refined predictor."""

from __future__ import annotations

from collections.abc import Sequence

from lsr_app.plots import lines, maps, scales
from lsr_app.plots.base import Labelled, Picture
from lsr_app.words import texts


def known_fields(
    runs: Labelled,
    ranks: Sequence[int],
    output: int,
) -> list[tuple[str, Picture]]:
    """Panels with their names: curves over one input, maps over two, none over more."""
    data = runs[0][1]
    if data.dimension == 1:
        return [("", lines.values(runs, ranks, output, lines.cut(data, 0, 0.5)))]
    if data.dimension > 2:
        return []
    refined = data.refined(ranks[0], output)
    fields = {"network": data.fields.network[:, output], "refined": refined}
    limits = scales.limits_of(refined)
    return [
        (texts.PANELS[name], maps.field(data, values, texts.PANELS[name], limits)) for name, values in fields.items()
    ]
