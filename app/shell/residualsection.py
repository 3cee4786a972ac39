"""The residual of a refined equation: its norms, and the Gauss-Newton steps."""

from __future__ import annotations

import math

import streamlit as st

from lsr_app.plots import residuals
from lsr_app.plots.base import Rows
from lsr_app.reading.rundata import RunData
from lsr_app.shell import show
from lsr_app.words import formats, texts


def gauss_newton(data: RunData) -> None:
    """The Gauss-Newton steps, if there were any."""
    if data.summary.gauss_newton:
        show.section(texts.STEPS_TITLE, texts.STEPS_LEAD)
        show.figure("gauss_newton", residuals.steps(data))
        _steps(data)


def line(data: RunData) -> None:
    """The norms in one line, for pages about something else."""
    if data.parts.residual:
        rows = _norms(data, data.summary.rank)
        st.caption(formats.markdown(texts.norms([(name, formats.error(fitted)) for name, fitted, _ in rows])))


def norms(data: RunData, rank: int) -> None:
    """√ of the loss at θ0, of the linear model after the solve, and of the refined field; at fitted and at fresh points."""
    rows = _norms(data, rank)
    show.table(
        "norms", texts.NORM_COLUMNS, [(name, formats.error(fitted), formats.error(new)) for name, fitted, new in rows],
        caption=texts.NORMS_CAPTION, data=lambda: rows, data_columns=("residual", "fitted_points", "fresh_points"),
    )  # fmt: skip
    remark = "" if rank in (0, data.summary.rank) else f" {texts.norm_elsewhere(data.summary.rank)}"
    st.html(f"<p class='lsr-caption'>{formats.page(texts.NORMS_READ + remark)}</p>")


def _norms(data: RunData, rank: int) -> list[tuple[str, float | None, float | None]]:
    """(name, at fitted points, at fresh points)."""
    known, one_shot, at = data.summary.residual_norm, data.summary.one_shot, texts.NORMS
    base = (at["base"], known.base, known.fresh_base)
    if rank == data.summary.rank:
        rows = [base, (at["linear"], known.linear, None)]
        if one_shot is not None:
            before = one_shot.residual_norm
            rows += [(at["solved"], before.nonlinear, before.fresh_nonlinear)]
            return [*rows, (at["stepped"], known.nonlinear, known.fresh_nonlinear)]
        return [*rows, (at["true"], known.nonlinear, known.fresh_nonlinear)]
    fresh = math.sqrt(data.sweep.val_mse[rank]) if data.sweep.val_mse[rank] >= 0 else None
    linear = (at["linear"], float(data.sweep.residual_norm[rank]), None)
    return [base, linear, (at["true"], known.base if rank == 0 else None, fresh)]


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
