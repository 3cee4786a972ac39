"""The rows of a suite as a table shows them. Knows no streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_app.screens.suites import suitestexts
from lsr_app.words import formats
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.kept import KeptRow


@dataclass(frozen=True)
class SuiteLine:
    """An equation of a suite, and its row if it was solved: here, or before it was shipped with this version."""

    entry: SuiteEntry
    kept: KeptRow | None
    shipped: bool = False

    @property
    def error(self) -> float | None:
        """Relative L2 of what was found."""
        return self.kept.row.relative_l2 if self.kept is not None else None

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        return (
            suitestexts.NOT_RUN if self.kept is None else formats.one_line(self.kept.row.status.partition(":")[0], 40)
        )

    @property
    def reason(self) -> str:
        """Why it stands so, where the row says it."""
        return "" if self.kept is None else formats.one_line(self.kept.row.status.partition(":")[2].strip(), 300)

    @property
    def gain(self) -> float | None:
        """How many times it lies below what is published, where it is solved; no error below that of the reference counts."""
        error, published = self.error, self.entry.published
        if not error or published is None or self.reason:
            return None
        return published / max(error, self.entry.reference_error or 0.0)


def lines(entries: tuple[SuiteEntry, ...], kept: list[KeptRow], shipped: list[KeptRow]) -> list[SuiteLine]:
    """All equations in the order of the suite, with the rows that were made here before those that came along."""
    here, before = ({one.row.name: one for one in rows} for rows in (kept, shipped))
    return [
        SuiteLine(entry, here.get(entry.name) or before.get(entry.name), shipped=entry.name not in here)
        for entry in entries
    ]


def cells(line: SuiteLine, now: float) -> tuple[str, ...]:
    """As text."""
    entry, kept = line.entry, line.kept
    start = (entry.name, formats.error(line.error), formats.error(entry.published))
    if kept is None:
        return (*start, formats.NONE, reference(entry), formats.NONE, formats.NONE, line.state, formats.NONE)
    gain = (
        formats.NONE
        if line.gain is None
        else f"{line.gain:,.2g}"
        if line.gain < 10
        else formats.times(line.gain).removesuffix("×")
    )
    row = kept.row
    return (
        *start, gain, reference(entry), f"{row.seconds:,.0f}", formats.size(row.peak_rss_bytes), line.state,
        suitestexts.SHIPPED if line.shipped else formats.ago(kept.made, now),
    )  # fmt: skip


def reference(entry: SuiteEntry) -> str:
    """How good the solution is that errors are measured against."""
    if entry.reference_error is None:
        return suitestexts.UNCERTIFIED
    return formats.error(entry.reference_error) if entry.reference_error else suitestexts.EXACT


def data(line: SuiteLine) -> tuple[object, ...]:
    """As numbers, for the CSV."""
    entry, kept = line.entry, line.kept
    if kept is None:
        return (entry.name, None, entry.published, entry.reference_error, None, None, suitestexts.NOT_RUN, None, None)
    row = kept.row
    return (
        entry.name, row.relative_l2, entry.published, entry.reference_error, row.seconds, row.peak_rss_bytes, row.status, kept.made, kept.version,
    )  # fmt: skip
