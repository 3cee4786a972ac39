"""What a run of some kind of problem has to show besides the errors that all have."""

from __future__ import annotations

from lsr_app.reading.rundata import RunData
from lsr_app.screens.overview import classsection
from lsr_app.shell import show
from lsr_app.shell.functions import functiondata, functionsection
from lsr_app.shell.functions import functiontexts as words


def section(data: RunData, rank: int) -> None:
    """Functions of an operator, classes of a classifier, nothing of others."""
    if data.parts.section == "functions":
        show.section(words.TITLE, words.LEAD)
        functionsection.section(functiondata.of_data(data, rank))
    elif data.parts.section == "classes":
        classsection.section(data)
