"""What pages say of a problem with an equation: the three norms of its residual, and the equation itself."""

from __future__ import annotations

import math

import streamlit as st

from lsr_app import formats, show, texts
from lsr_app.physicsdata import PhysicsAbout
from lsr_app.rundata import RunData


def norms(data: RunData, rank: int) -> None:
    """√ of the loss at θ0, of the linear model after the solve, and of the refined field; at fitted and at fresh points."""
    known = data.summary.residual_norm
    own = rank == data.summary.rank
    fresh = math.sqrt(data.sweep.val_mse[rank]) if data.sweep.val_mse[rank] >= 0 else None
    linear = known.linear if own else float(data.sweep.residual_norm[rank])
    rows: list[tuple[str, float | None, float | None]] = [
        (texts.NORMS["base"], known.base, known.fresh_base),
        (texts.NORMS["linear"], linear, None),
        (texts.NORMS["true"], known.nonlinear if own else known.base if rank == 0 else None, known.fresh_nonlinear if own else fresh),
    ]  # fmt: skip
    show.table(
        "norms", texts.NORM_COLUMNS, [(name, formats.error(fitted), formats.error(new)) for name, fitted, new in rows],
        caption=texts.NORMS_CAPTION, data=lambda: rows, data_columns=("residual", "fitted_points", "fresh_points"),
    )  # fmt: skip
    remark = "" if own or rank == 0 else f" {texts.norm_elsewhere(data.summary.rank)}"
    st.html(f"<p class='lsr-caption'>{formats.page(texts.NORMS_READ + remark)}</p>")


def equation(about: PhysicsAbout) -> None:
    """Formula, domain and blocks, folded away."""
    with st.expander(texts.equation_title(formats.markdown(about.title)), icon=":material/function:"):
        st.code(about.formula, language=None, wrap_lines=True)
        domain = ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in about.domain.items())
        periods = ", ".join(f"{length:g} in {name}" for name, length in about.periods.items())
        st.markdown(formats.markdown(texts.domain(domain, periods, about.exact, about.hard)))
        rows = [
            (block.name, f"{block.points:,}{' pairs' if block.pairs else ''}", f"{block.weight:g}", ", ".join(block.needs) or "u")
            for block in about.blocks
        ]  # fmt: skip
        show.table("blocks", texts.BLOCK_COLUMNS, rows, caption=texts.BLOCKS_CAPTION, data=lambda: rows)
        if about.source:
            st.caption(formats.markdown(about.source))
