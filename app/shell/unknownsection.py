"""Numbers that an equation left open, and how the values that were measured are met."""

from __future__ import annotations

from collections.abc import Mapping

from lsr_app.shell import show
from lsr_app.words import formats, unknowntexts
from lsr_core.refinement.unknowns import MeasuredFit, UnknownNumber


def section(unknowns: Mapping[str, UnknownNumber], measured: MeasuredFit | None) -> None:
    """Tables of both; nothing where there is neither."""
    if unknowns:
        rows = [
            (
                name,
                formats.plain(found.value),
                "" if found.std is None else formats.plain(found.std, 2),
                formats.plain(found.start),
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
            formats.plain(one.weight, 3), f"{one.misfit:.3f}", formats.error(one.residual), *(formats.plain(one.values[name]) for name in names),
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
