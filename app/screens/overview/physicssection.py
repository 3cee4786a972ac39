"""The equation of a problem, as pages show it."""

from __future__ import annotations

import streamlit as st

from lsr_app.reading.physicsdata import PhysicsAbout
from lsr_app.screens.overview import overviewtexts
from lsr_app.shell import show
from lsr_app.words import formats


def equation(about: PhysicsAbout) -> None:
    """Formula, domain and blocks, folded away."""
    with st.expander(overviewtexts.equation_title(formats.markdown(about.title)), icon=":material/function:"):
        st.code(about.formula, language=None, wrap_lines=True)
        domain = ", ".join(
            f"{name} in [{formats.plain(low)}, {formats.plain(high)}]" for name, (low, high) in about.domain.items()
        )
        periods = ", ".join(f"{formats.plain(length)} in {name}" for name, length in about.periods.items())
        st.markdown(formats.markdown(overviewtexts.domain(domain, periods, about.exact, about.hard)))
        rows = [
            (block.name, f"{block.points:,}{' pairs' if block.pairs else ''}", formats.plain(block.weight), ", ".join(block.needs) or "u")
            for block in about.blocks
        ]  # fmt: skip
        show.table("blocks", overviewtexts.BLOCK_COLUMNS, rows, caption=overviewtexts.BLOCKS_CAPTION, data=lambda: rows)
        if about.source:
            st.caption(formats.markdown(about.source))
