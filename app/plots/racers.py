"""Methods of a race where they are drawn: their order and their colours."""

from __future__ import annotations

from lsr_app.plots import theme
from lsr_app.reading import racedata
from lsr_app.words import labtexts

ORDER = tuple(name for name in labtexts.METHODS if not name.endswith(racedata.REORTHOGONALISED))


def place(name: str) -> int:
    """Where a method stands among those that are known; one that is not, as of another version, comes last."""
    plain = name.removesuffix(racedata.REORTHOGONALISED)
    return ORDER.index(plain) if plain in ORDER else len(ORDER)


def colour(name: str) -> str:
    """Of a method: the direct solve has that of the refined predictor, for it is the one that LSR does."""
    colours = theme.palette()
    if name == "direct":
        return colours.refined
    number = place(name) - 1
    return colours.series[number] if number < len(colours.series) else colours.truth
