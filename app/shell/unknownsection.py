"""Numbers that an equation left open, and how the values that were measured are met."""

from __future__ import annotations

from collections.abc import Mapping

from lsr_app.shell import show
from lsr_app.words import unknowntexts
from lsr_core.refinement.unknowns import MeasuredFit, UnknownNumber


def section(unknowns: Mapping[str, UnknownNumber], measured: MeasuredFit | None) -> None:
    """Tables of both; nothing where there is neither."""
    if unknowns:
        rows = [
            (
                name,
                f"{found.value:.6g}",
                "" if found.std is None else f"{found.std:.2g}",
                f"{found.start:g}",
                found.said,
            )
            for name, found in unknowns.items()
        ]
        show.table(
            "unknowns", unknowntexts.COLUMNS, rows, caption=unknowntexts.CAPTION,
            data=lambda: [(name, found.value, found.std, found.start, found.said) for name, found in unknowns.items()],
            data_columns=unknowntexts.DATA_COLUMNS,
        )  # fmt: skip
    if measured is not None and measured.trade_off:
        _trade_off(measured)


def _trade_off(measured: MeasuredFit) -> None:
    names = list(measured.trade_off[0].values)
    columns = (*unknowntexts.TRADE_OFF, *names, "")
    rows = [
        (
            f"{one.weight:.3g}", f"{one.misfit:.3f}", f"{one.residual:.1e}", *(f"{one.values[name]:.6g}" for name in names),
            unknowntexts.CHOSEN if one.chosen else "",
        )
        for one in measured.trade_off
    ]  # fmt: skip
    show.table(
        "trade-off", columns, rows, caption=unknowntexts.TRADE_OFF_CAPTION,
        data=lambda: [
            (one.weight, one.misfit, one.residual, *(one.values[name] for name in names), one.chosen) for one in measured.trade_off
        ],
        data_columns=("weight", "misfit", "residual", *names, "chosen"),
    )  # fmt: skip
