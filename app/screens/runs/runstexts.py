"""The words of this page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsr_app.words import formats, settings

if TYPE_CHECKING:
    from lsr_app.screens.runs.importance import Importance, Weighed

NO_RUNS = "No runs yet."

KEEP_RUN = "Keep this run"

KEEP_RUN_HELP = "It is made of something you brought, and goes when this browser is gone. A kept run opens by its link."


CANCEL_FIRST = "Cancel it before deleting it."

SEARCH = "name, tag:paper, sine*, gain>10"
SEARCH_HELP = (
    "Every part must hold; spaces stand between them. A word is looked for in name, problem, kind, state, tags and note; four letters or more may "
    "begin an id. In a pattern * stands for any letters and ? for one. A column before a colon is asked alone: name:, problem:, kind:, state:, "
    "tag:, note:. Numbers are compared: network, refined, gain, rank, kappa and seconds with <, <=, > or >=, such as refined<1e-6."
)
COLUMNS = {
    "state": "State",
    "kind": "Kind",
    "base": "Network",
    "refined": "Refined",
    "gain": "Gain",
    "rank": "Rank",
    "whose": "Whose",
    "made": "Made",
    "tags": "Tags",
    "problem": "Problem",
    "condition": "κ(G V)",
    "seconds": "Time",
    "dtype": "Number type",
    "id": "Id",
}
USUAL = ("state", "kind", "base", "refined", "gain", "rank", "whose", "made", "tags")
GAIN_HELP = "How many times lower the reported error is after refinement; below 1 it is higher."
OPEN_HELP = "Choose one run."
COMPARE_HELP = "Choose from two to twelve complete refinements."
NOTE = "Note"
START = "Refine a network"
TAGS_HELP = "Choose tags or type new ones. Everybody who sees the run sees them."


def shown(count: int, of: int) -> str:
    runs = "run" if of == 1 else "runs"
    return f"{of:,} {runs}" if count == of else f"{count:,} of {of:,} {runs}"


def no_condition(part: str, numbers: list[str]) -> str:
    """Of a part of the search with a sign of comparison that compares nothing."""
    return f"{part!r} compares no number of the table and is passed over. Give one of {', '.join(numbers)}, a sign and a number, as in gain>10."


IMPORTANCE = "Which settings matter"


def importance_help(least: int) -> str:
    return f"Over the refinements in the table that are of one problem: which settings went with the error that is left. It takes {least} of them."


def importance(title: str, found: Importance) -> str:
    """What went with the error, beyond chance, and which settings the runs cannot tell apart."""
    low, high = map(formats.error, found.errors)
    begun = f"{found.runs:,} refinements of {title}, {f'with errors from {low} to {high}' if low != high else f'all with an error of {low}'}:"
    if not found.settings:
        return f"{begun} no setting differs that could be held against their errors."
    strong = found.beyond_chance
    said = ", ".join(f"{settings.name(setting.name)} ({_shown(setting)})" for setting in strong)
    end = (
        f"with the order of their errors goes {said}."
        if strong
        else "no setting goes with their errors more than chance does."
    )
    pairs = "".join(
        f" {settings.name(one)} and {settings.name(other)} changed together, so these runs cannot tell them apart."
        for one, other in found.together
    )
    return f"{begun} {end}{pairs}"


def _shown(setting: Weighed) -> str:
    share = f"{100 * setting.share:.0f} %"
    if setting.larger_is_lower is None:
        return share
    return f"{share}, larger with {'lower' if setting.larger_is_lower else 'higher'} errors"


def chosen(count: int) -> str:
    if not count:
        return "Choose rows by the boxes at their left."
    return "1 run chosen" if count == 1 else f"{count:,} runs chosen"


def care(count: int) -> str:
    return "This run of yours" if count == 1 else f"These {count:,} runs of yours"


def sure(count: int) -> str:
    return "Yes, delete it for good" if count == 1 else f"Yes, delete these {count:,} runs for good"


def whose(shipped: bool, mine: bool, listed: bool, session_only: bool) -> str:
    if shipped:
        return "sample"
    if not mine:
        return "of others"
    return "yours, until you leave" if session_only else "yours" if listed else "yours, unlisted"
