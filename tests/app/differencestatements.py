"""What the page Compare says of several runs, in words and tables, held against the runs; beside `statements`, which is about one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

from lsr_app.reading.rundata import RunData
from lsr_app.words import formats
from lsr_app.words import settings as settings_words
from tests.app.statements import NUMBER, near, sizes, value

LEVEL_TIMES = 1.05
BEST = re.compile(
    rf"(?P<label>[^.:]+): (?P<name>.+?) has the smallest, {NUMBER}\. The next is (?P<second>.+?) with {NUMBER}(?:, (?P<times>.+?)× as large)?\."
)
ALIKE = re.compile(rf"(?P<label>[^.:]+): all runs are within 5 % of each other, from {NUMBER} to {NUMBER}\.")
LEVEL = re.compile(
    rf"(?P<label>[^.:]+): (?P<names>.+?) are level at {NUMBER}, within 5 %; (?P<last>.+?) has the largest, {NUMBER}\."
)
OTHERS = re.compile(r"These runs are of different problems or weights \((.+?)\)\.")
UNLIKE = "The runs report different errors, so none is called the best."


@dataclass(frozen=True)
class Looked:
    """A run of a comparison: its name there, what it holds, the rank at which it is looked at, and what tells its problem from others."""

    name: str
    data: RunData
    rank: int
    problem: str

    @property
    def error(self) -> float:
        return sizes(self.data, self.rank)[1]


def sentence(text: str, looked: list[Looked]) -> list[str]:
    """What is wrong with the sentence about the difference; one is expected."""
    if len({one.problem for one in looked}) > 1:
        found = OTHERS.search(text)
        titles = list(dict.fromkeys(one.data.about.title for one in looked))
        return (
            []
            if found and found[1].split(", ") == titles and "smallest" not in text
            else [f"of different problems: {text}"]
        )
    if len({one.data.headline(one.rank)[0] for one in looked}) > 1:
        return [] if UNLIKE in text else [f"of different errors: {text}"]
    ordered = sorted(looked, key=lambda one: one.error)
    for pattern, holds in ((BEST, _best), (ALIKE, _alike), (LEVEL, _level)):
        if found := pattern.search(text):
            label = found["label"].strip() == looked[0].data.headline(looked[0].rank)[0]
            return [] if label and holds(found, ordered) else [found[0]]
    return [f"the difference is not told: {text}"]


def _best(found: re.Match[str], ordered: list[Looked]) -> bool:
    first, second = ordered[:2]
    apart = second.error > LEVEL_TIMES * first.error
    named = (found["name"], found["second"]) == (first.name, second.name)
    times = formats.times(second.error / first.error).rstrip("×") if first.error > 0 else None
    return apart and named and near(found[3], first.error) and near(found[5], second.error) and found["times"] == times


def _alike(found: re.Match[str], ordered: list[Looked]) -> bool:
    low, high = ordered[0].error, ordered[-1].error
    return high <= LEVEL_TIMES * low and near(found[2], low) and near(found[3], high)


def _level(found: re.Match[str], ordered: list[Looked]) -> bool:
    low, last = ordered[0].error, ordered[-1]
    level = [one.name for one in ordered if one.error <= LEVEL_TIMES * low]
    told = found["names"].split(" and ")
    return (
        1 < len(level) < len(ordered)
        and told == level
        and near(found[3], low)
        and found["last"] == last.name
        and near(found[5], last.error)
    )


def numbers(page: str, looked: list[Looked]) -> list[str]:
    """Rows of the table of numbers that are not so."""
    head = re.search(r">(Numbers[^<]*)<", page)
    columns, rows = table(page, unescape(head[1]) if head else "")
    if len(rows) != len(looked):
        return [f"{len(rows)} rows for {len(looked)} runs"]
    wrong = []
    for row, one in zip(rows, looked, strict=True):
        told = dict(zip(columns, row, strict=True))
        before, after = sizes(one.data, one.rank)
        label = one.data.headline(one.rank)[0]
        right = (
            label == told.get("Error", label) and (head is not None and ("Error" in told or label in unescape(head[1]))),
            told["Run"] == one.name, near(told["Network"], before), near(told["Refined"], after), _gained(told["Gain"], before, after),
            told["Rank"] == f"{one.rank:,} of {one.data.sweep.max_rank:,}",
            _near_or_none(told["κ(G V)"], float(one.data.sweep.condition_number[one.rank])),
            _near_or_none(told["‖Δθ‖"], float(one.data.sweep.delta_norm[one.rank])), value(told["Parameters"]) == one.data.summary.n_params,
        )  # fmt: skip
        wrong += [f"{told}: {right}"] if not all(right) else []
    return wrong


def _gained(told: str, before: float, after: float) -> bool:
    found = re.fullmatch(r"([\d.,]+)× (lower|higher)", told)
    if found is None:
        return told == formats.factor(before, after)
    ratio = before / after if found[2] == "lower" else after / before
    return ratio >= 1 and near(found[1], ratio)


def _near_or_none(told: str, true: float) -> bool:
    return told == formats.NONE or near(told, true)


def settings(page: str, looked: list[Looked]) -> list[str]:
    """Settings that differ and are not listed, that do not and are, and values that are not those of the run."""
    configs = [one.data.manifest.config.model_dump(mode="json") for one in looked]
    named = {settings_words.name(name): name for name in configs[0]}
    differ = {told for told, name in named.items() if any(config[name] != configs[0][name] for config in configs)}
    if not differ:
        return [] if "All settings are the same." in page else ["that all settings are the same is not said"]
    columns, rows = table(page, "Settings that differ")
    if columns[1:] != [one.name for one in looked]:
        return [f"columns {columns}"]
    wrong = []
    if {row[0] for row in rows} != differ:
        wrong.append(f"listed {sorted(row[0] for row in rows)}, differ {sorted(differ)}")
    for name, *told in rows:
        wrong += [
            f"{name}: {said} for {config.get(named.get(name, name))}"
            for said, config in zip(told, configs, strict=True)
            if not _said_as(said, config.get(named.get(name, name)))
        ]
    return wrong


def _said_as(said: str, true: object) -> bool:
    if true is None or true == "":
        return said == formats.NONE
    return float(said) == true if isinstance(true, float) else said == str(true)


def table(page: str, caption: str) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) of the table with this caption in the HTML of a page; both empty where there is none."""
    reader = _Tables()
    reader.feed(page)
    rows = reader.found.get(caption, [])
    return (rows[0], rows[1:]) if rows else ([], [])


class _Tables(HTMLParser):
    """Cells of every table, by its caption."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {}
        self._caption, self._inside = "", ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "table":
            self._caption = ""
        if tag in ("caption", "td", "th"):
            self._inside = tag
        rows = self.found.setdefault(self._caption, [])
        if tag == "tr":
            rows.append([])
        if tag in ("td", "th"):
            rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "caption":
            self._caption += data
        elif self._inside:
            self.found[self._caption][-1][-1] += data
