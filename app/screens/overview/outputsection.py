"""The errors of several outputs, one by one."""

from __future__ import annotations

from lsr_app.reading import outputdata
from lsr_app.reading.rundata import RunData
from lsr_app.shell import show
from lsr_app.words import formats, texts


def section(data: RunData, rank: int) -> None:
    """A table, where a problem has from 2 to 16 outputs whose truth is known."""
    rows = outputdata.outputs(data, rank)
    if rows:
        show.table(
            "outputs", texts.OUTPUT_COLUMNS, [cells(row) for row in rows], caption=texts.OUTPUT_CAPTION,
            data=lambda: ((row.name, row.size, row.network, row.refined) for row in rows),
            data_columns=("output", "rms", "network_relative_l2", "refined_relative_l2"),
        )  # fmt: skip


def worst(data: RunData, rank: int) -> list[tuple[str, str, str]]:
    """The headline item of the output with the largest relative error, where there are several."""
    row = outputdata.worst(data, rank)
    return [] if row is None else [show.before_after(texts.worst_output(row.name), row.network, row.refined)]


def cells(row: outputdata.OutputRow) -> tuple[str, ...]:
    """As they are shown."""
    return row.name, formats.error(row.size), formats.error(row.network), formats.error(row.refined)
