"""Which settings went with the error, over many refinements of one problem. Knows no streamlit.

Of each setting alone: how much of the order of the errors goes with it. Numbers are held against the errors by Spearman's rank correlation, of which
the square counts; other settings by the share of the variance of the ranks that lies between their groups (Kruskal and Wallis, 1952). From both
the part is taken away that chance gives on average, so that 0 is nothing and 1 is all. What chance alone may reach is found by giving the errors
to other runs at random: the largest share of any setting, which nineteen of twenty such tables stay below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lsr_app.services.runs import RunEntry

LEAST = 6  # runs; with fewer even a perfect order is within reach of chance
SHUFFLES = 999
CHANCE = 0.95
TOGETHER = 0.9  # rank correlation of two settings that runs cannot tell apart
CATEGORIES = {"seed"}  # whose numbers have no order
UNIMPORTANT = {"memory_budget", "device"}  # that say where a refinement computes, not what

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Weighed:
    """One setting: `share` of the order of the errors that goes with it, and of a number whether larger ones go with lower errors."""

    name: str
    share: float
    larger_is_lower: bool | None = None


@dataclass(frozen=True)
class Importance:
    """Settings by their share, the largest first; `errors` are the smallest and the largest, `chance` is what chance alone reaches, `together`
    are pairs that changed together."""

    runs: int
    errors: tuple[float, float]
    settings: tuple[Weighed, ...]
    chance: float
    together: tuple[tuple[str, str], ...]

    @property
    def beyond_chance(self) -> list[Weighed]:
        return [setting for setting in self.settings if setting.share > self.chance]


def problems(entries: Sequence[RunEntry]) -> dict[str, list[RunEntry]]:
    """Refinements with an error, by the identity of their problem: those of which there are enough, the most first."""
    found: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if entry.refined and entry.gain is not None and np.isfinite(entry.gain[1]):
            found.setdefault(entry.problem.identity, []).append(entry)
    enough = {name: runs for name, runs in found.items() if len(runs) >= LEAST}
    return dict(sorted(enough.items(), key=lambda item: -len(item[1])))


def of(entries: Sequence[RunEntry]) -> Importance:
    """Of refinements of one problem, at least `LEAST`."""
    errors = np.array([entry.gain[1] for entry in entries if entry.gain is not None])
    columns = _columns([entry.manifest.config.model_dump(mode="json") for entry in entries])
    ranks = _ranked(errors)
    shares = {name: _share(column, ranks) for name, column in columns.items()}
    draw = np.random.default_rng(0)
    largest = [
        max((_share(column, shuffled) for column in columns.values()), default=0.0)
        for shuffled in (draw.permutation(ranks) for _ in range(SHUFFLES))
    ]
    settings = [
        Weighed(name, share, bool(_correlation(columns[name], ranks) < 0) if columns[name].ndim == 1 else None)
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
    ]
    ends = float(errors.min()), float(errors.max())
    return Importance(len(entries), ends, tuple(settings), float(np.quantile(largest, CHANCE)), _together(columns))


def _columns(configs: Sequence[dict[str, object]]) -> dict[str, Values]:
    """Settings that are not the same in all runs: ranks of a number, or for each group of runs with the same value a row that marks it.

    A setting without order that is another in every run has no groups, and says nothing.
    """
    found: dict[str, Values] = {}
    for name in configs[0]:
        values = [config[name] for config in configs]
        told = list(dict.fromkeys(map(repr, values)))
        if len(told) < 2 or name in UNIMPORTANT:
            continue
        if name not in CATEGORIES and all(type(value) in (int, float) for value in values):
            found[name] = _ranked(np.array(values, dtype=np.float64))
        elif len(told) < len(values):
            found[name] = np.array([[repr(value) == word for value in values] for word in told], dtype=np.float64)
    return found


def _ranked(values: Values) -> Values:
    """Ranks from 0, equal values with the mean of theirs."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    means: Values = last - (times + 1) / 2
    return means[place]


def _share(column: Values, ranks: Values) -> float:
    """Of the variance of the ranks, less what chance gives on average."""
    count = len(ranks)
    if np.ptp(ranks) == 0:
        return 0.0
    if column.ndim == 1:
        share, free = _correlation(column, ranks) ** 2, 1
    else:
        sizes = column.sum(axis=1)
        between = float((sizes * (column @ ranks / sizes - ranks.mean()) ** 2).sum())
        share, free = between / float(((ranks - ranks.mean()) ** 2).sum()), len(column) - 1
    usual = free / (count - 1)
    return max(0.0, (share - usual) / (1 - usual))


def _correlation(one: Values, other: Values) -> float:
    one, other = one - one.mean(), other - other.mean()
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length > 0 else 0.0


def _together(columns: dict[str, Values]) -> tuple[tuple[str, str], ...]:
    """Pairs of settings that make the same order, or the same groups, of the runs."""
    names = list(columns)
    return tuple(
        (one, other)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if _alike(columns[one], columns[other])
    )


def _alike(one: Values, other: Values) -> bool:
    if one.ndim == other.ndim == 1:
        return abs(_correlation(one, other)) >= TOGETHER
    groups = {tuple(map(tuple, _groups(column))) for column in (one, other)}
    return len(groups) == 1


def _groups(column: Values) -> list[list[int]]:
    """Places of the runs of each group, in the order of their first."""
    marks = column if column.ndim == 2 else np.array([column == value for value in np.unique(column)])
    return sorted(np.flatnonzero(mark).tolist() for mark in marks)
