"""What a complete refinement found, as the files that a site and a script read."""

from __future__ import annotations

import json

from lsr_app.plots.ranks import sweep_table
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats


def record(data: RunData) -> str:
    """Id, problem and title beside the summary; without the names of owner and machine."""
    about = {"id": data.id, "problem": data.about.name, "title": data.about.title}
    return json.dumps({**about, **data.summary.model_dump(mode="json")}, indent=1) + "\n"


def sweep_csv(data: RunData) -> bytes:
    """A row for each rank: errors of every part of the data, condition numbers, ‖Δθ‖."""
    columns, rows = sweep_table([(data.about.title, data)])
    return formats.csv_text(columns, rows())


def spectrum_csv(data: RunData) -> bytes:
    """A row for each singular value of the Jacobian that the basis came from, largest first."""
    values = data.spectrum.singular_values.tolist()
    return formats.csv_text(("rank", "singular_value"), enumerate(values, start=1))
