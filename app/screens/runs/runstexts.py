"""The words of this page."""

from __future__ import annotations

NO_RUNS = "No runs yet."

KEEP_RUN = "Keep this run"

KEEP_RUN_HELP = "It is made of something you brought, and goes when this browser is gone. A kept run opens by its link."


CANCEL_FIRST = "Cancel it before deleting it."

SEARCH = "name, problem, tag, note"
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
        return "comes with the product"
    if not mine:
        return "of others"
    return "yours, until you leave" if session_only else "yours" if listed else "yours, unlisted"
