"""The residual of a refined equation: its norms in one line, and the Gauss-Newton steps."""

from __future__ import annotations

import streamlit as st

from lsr_app import formats, show, texts
from lsr_app.figures import residuals
from lsr_app.figures.base import Rows
from lsr_app.rundata import RunData


def gauss_newton(data: RunData, mode: str) -> None:
    """The Gauss-Newton steps, if there were any."""
    if data.summary.gauss_newton:
        show.section(texts.STEPS_TITLE, texts.STEPS_LEAD)
        show.figure("gauss_newton", residuals.steps(data, mode=mode))
        _steps(data)


def line(data: RunData) -> None:
    """The three norms in one line, for pages about something else."""
    rows = residuals.norms(data)
    if rows:
        st.caption(formats.markdown(texts.norms([(name, formats.error(fitted)) for name, fitted, _ in rows])))


def _steps(data: RunData) -> None:
    records = data.summary.gauss_newton

    def rows() -> Rows:
        return [tuple(record.model_dump().values()) for record in records]

    show.table(
        "gauss_newton_steps",
        ("Step", "Rank", "Fitted", "Fresh", "Relative L2 error", "Damping", "Seconds"),
        [
            (
                f"{record.step}" if record.accepted else f"{record.step}, refused",
                f"{record.rank:,}",
                formats.error(record.fitted_residual),
                formats.error(record.fresh_residual),
                formats.error(record.relative_l2),
                formats.error(record.damping) if record.damping else formats.NONE,
                formats.seconds(record.seconds),
            )
            for record in records
        ],
        caption=texts.STEPS_CAPTION,
        data=rows,
        data_columns=tuple(type(records[0]).model_fields),
    )
