"""What is said of several runs: their numbers, which is best where that can be said, and what was set differently. Knows no streamlit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lsr_app.reading.rundata import RunData
from lsr_app.screens.compare import comparetexts
from lsr_app.words import formats, settings

SHARED = (1, 2)  # places of problem and error among the columns
ALIKE = 1.05  # times, within which two errors count as equal


@dataclass(frozen=True, eq=False)
class Compared:
    """A run of a comparison, the name it has there, and the rank at which it is looked at; `problem` tells problems apart."""

    name: str
    run: RunData
    rank: int
    problem: str

    @property
    def errors(self) -> tuple[str, float, float]:
        """What is reported, and its size before and after."""
        label, _, base, refined = self.run.headline(self.rank)
        return label, base, refined


def row(one: Compared) -> tuple[object, ...]:
    """The numbers of a run, as `comparetexts.COLUMNS` names them."""
    label, base, refined = one.errors
    run = one.run
    kappa, solved, length = (
        run.reported(name, one.rank) for name in ("condition_number", "solved_condition_number", "delta_norm")
    )
    return (
        one.name, run.about.title, label, base, refined, one.rank, run.sweep.max_rank, kappa, solved, length, run.summary.n_params,
        run.summary.seconds,
    )  # fmt: skip


def cells(one: Compared) -> tuple[str, ...]:
    """The same as a person reads them, with the gain in words."""
    name, title, label, base, refined, rank, most, kappa, solved, length, params, seconds = row(one)
    number = (formats.error(value) for value in (base, refined))  # type: ignore[arg-type]
    gain = formats.factor(base, refined)  # type: ignore[arg-type]
    rest = (formats.error(value) for value in (kappa, solved, length))  # type: ignore[arg-type]
    return (
        str(name), str(title), str(label), *number, gain, f"{rank:,} of {most:,}", *rest, f"{params:,}", formats.seconds(seconds),  # type: ignore[arg-type]
    )  # fmt: skip


def table(compared: Sequence[Compared]) -> tuple[list[str], list[list[str]], list[str]]:
    """(columns, rows, values that need no column because all runs have the same problem or report the same error)."""
    rows = [cells(one) for one in compared]
    shared = [place for place in SHARED if len({row[place] for row in rows}) == 1]
    kept = [place for place in range(len(comparetexts.COLUMNS)) if place not in shared]
    return (
        [comparetexts.COLUMNS[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        [rows[0][place] for place in shared],
    )


def one_problem(compared: Sequence[Compared]) -> bool:
    """Whether all runs are of the same weights and data."""
    return len({one.problem for one in compared}) == 1


def statement(compared: Sequence[Compared]) -> str:
    """Which run has the smallest error and by how much, where errors can be compared; otherwise why they cannot."""
    if not one_problem(compared):
        return comparetexts.different(list(dict.fromkeys(one.run.about.title for one in compared)))
    labels = {one.errors[0] for one in compared}
    ordered = sorted((one for one in compared if math.isfinite(one.errors[2])), key=lambda one: one.errors[2])
    if len(labels) > 1 or len(ordered) < len(compared):
        return comparetexts.UNLIKE
    best, second, last = ordered[0], ordered[1], ordered[-1]
    value, worst = best.errors[2], last.errors[2]
    label = best.errors[0]
    if worst <= ALIKE * value:
        return comparetexts.alike(label, formats.error(value), formats.error(worst))
    if second.errors[2] <= ALIKE * value:
        level = [one.name for one in ordered if one.errors[2] <= ALIKE * value]
        return comparetexts.level(label, level, formats.error(value), last.name, formats.error(worst))
    behind = formats.times(second.errors[2] / value) if value > 0 else ""
    other = formats.error(second.errors[2])
    return comparetexts.best(label, best.name, formats.error(value), second.name, other, behind)


def differences(compared: Sequence[Compared]) -> list[tuple[str, ...]]:
    """(setting, its value in each run) of those settings that are not the same in all; a rank looked at is no setting."""
    configs = [one.run.manifest.config.model_dump(mode="json") for one in compared]
    names = [name for name in configs[0] if len({repr(config.get(name)) for config in configs}) > 1]
    return [(settings.name(name), *(_said(config.get(name)) for config in configs)) for name in names]


def _said(value: object) -> str:
    if value is None or value == "":
        return formats.NONE
    return formats.exactly(value) if isinstance(value, float) else str(value)
