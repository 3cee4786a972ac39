"""The sweep as a table."""

from __future__ import annotations

import math

from lsr_app.plots.ranks import sweep_table
from lsr_app.reading.rundata import RunData
from lsr_app.shell import show
from lsr_app.words import formats, texts


def rank_table(data: RunData, rank: int) -> None:
    """The sweep on a few ranks of the ladder around the selected one, with the whole sweep as CSV."""
    ladder = data.ladder
    place = ladder.index(rank)
    near = set(range(max(0, place - 2), min(len(ladder), place + 3)))
    spread = {round(step * (len(ladder) - 1) / 4) for step in range(5)}
    columns = ["Rank"]
    series = []
    for split in ("train", "val", "test"):
        if not math.isnan(data.reported(f"{split}_mse", 0)):
            columns.append(getattr(data.parts, split))
            series.append(f"{split}_mse")
    columns += ["κ", "‖Δθ‖"]
    series += ["condition_number", "delta_norm"]
    rows = []
    for index in sorted(near | spread):
        here = ladder[index]
        mark = " ◂" if here == rank else ""
        rows.append([f"{here:,}{mark}", *(formats.error(data.reported(name, here)) for name in series)])
    names, data_rows = sweep_table([(data.manifest.title, data)])
    show.table("sweep", columns, rows, caption=texts.SWEEP_CAPTION, data=data_rows, data_columns=names)
