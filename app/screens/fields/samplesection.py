"""Error fields of samples with more than two inputs: predictions against the truth, and the worst samples."""

from __future__ import annotations

from lsr_app.plots import samples, theme
from lsr_app.reading.rundata import RunData
from lsr_app.services import problems
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.words import texts


def section(now: Now, data: RunData, rank: int, output: int) -> None:
    """Of an output, or of all classes at once."""
    if data.parts.section == "classes":
        show.figure("right_class", samples.right_class(data, rank))
    else:
        colours = theme.palette()
        network, refined = data.fields.network[:, output], data.refined(rank, output)
        show.group(
            "parity",
            [
                (texts.PANELS[name], samples.parity(data, values, output, texts.PANELS[name], colour))
                for name, values, colour in (
                    ("network", network, colours.network),
                    ("refined", refined, colours.refined),
                )
            ],
        )
    seen = problems.observations(now.run) if now.run is not None else None
    draw = samples.drawing(data, seen.shape) if seen is not None else None
    if draw is not None:
        show.figure("worst_samples", draw(data, rank, output))
