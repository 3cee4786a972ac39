"""What a run of some kind of problem has to show besides the errors that all have."""

from __future__ import annotations

from lsr_app import show
from lsr_app.functions import classsection, functiondata, functionsection
from lsr_app.functions import functiontexts as words
from lsr_app.rundata import RunData


def section(data: RunData, rank: int, mode: str) -> None:
    """Functions of an operator, classes of a classifier, nothing of others."""
    if data.about.kind == "operator":
        show.section(words.TITLE, words.LEAD)
        functionsection.section(functiondata.of_data(data, rank), mode)
    elif data.about.kind == "classification":
        classsection.section(data, mode)
