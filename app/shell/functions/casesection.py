"""A batch of input functions: how far it has come, the distribution of their errors, and any of them."""

from __future__ import annotations

import streamlit as st

from lsr_app.services import results
from lsr_app.shell import progress, show
from lsr_app.shell.functions import functiondata, functionsection
from lsr_app.shell.functions import functiontexts as words
from lsr_app.words import formats, texts
from lsr_core.errors import InputError
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.storage.runs import Run

NAMES = {"mean": "mean", "median": "median", "p90": "90 %", "max": "largest"}


def section(run: Run, owner: str) -> None:
    """What the run holds so far."""
    status = run.status().status
    if status != "complete":
        progress.of(run, status, owner)
    try:
        record = results.experiment(run, CasesRecord)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    if record is None or not record.cases:
        st.info(texts.CASES_NONE, icon=":material/info:")
        return
    st.markdown(texts.CASES_LEAD)
    base, refined = record.base, record.refined
    if base.mean is not None and refined.mean is not None and base.max is not None and refined.max is not None:
        show.headline(
            [
                show.before_after("Mean error", base.mean, refined.mean),
                show.before_after("Largest", base.max, refined.max),
            ]
        )
    functionsection.section(functiondata.of_cases(run, record))
    rows = [
        (name, formats.error(getattr(base, key)), formats.error(getattr(refined, key))) for key, name in NAMES.items()
    ]
    shared, each = formats.seconds(record.shared_seconds), formats.seconds(record.seconds_per_case)
    show.table(
        "cases", ("Relative L2 error", "Network", "Refined"), rows,
        caption=words.batch_caption(len(record.cases), record.n_cases, record.rank, shared, each),
        data=lambda: [(case.case, case.base, case.refined, case.residual, case.steps, case.seconds) for case in record.cases],
        data_columns=("case", "network", "refined", "residual", "steps", "seconds"),
    )  # fmt: skip
