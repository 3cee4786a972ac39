"""A batch of input functions: the distribution of their errors, before and after."""

from __future__ import annotations

import streamlit as st

from lsr_app import formats, show, texts
from lsr_core.errors import InputError
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.runs import Run

NAMES = {"mean": "mean", "median": "median", "p90": "90 %", "max": "largest"}


def section(run: Run) -> None:
    """What the run holds so far."""
    try:
        record = read_experiment(run.path, CasesRecord)
    except InputError as error:
        st.error(str(error), icon=":material/error:")
        return
    if record is None or not record.cases:
        st.info(texts.CASES_NONE, icon=":material/info:")
        return
    st.markdown(texts.CASES_LEAD)
    rows = [
        (words, formats.error(getattr(record.base, name)), formats.error(getattr(record.refined, name)))
        for name, words in NAMES.items()
    ]
    shown = record
    show.table(
        "cases",
        ("relative L2 error", "network", "refined"),
        rows,
        caption=f"{len(record.cases):,} of {record.n_cases:,} functions at rank {record.rank}; "
        f"{formats.seconds(record.shared_seconds)} shared by all, then {formats.seconds(record.seconds_per_case)} each.",
        data=lambda: [(case.case, case.base, case.refined, case.residual) for case in shown.cases],
        data_columns=("case", "network", "refined", "residual"),
    )
