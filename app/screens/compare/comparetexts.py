"""The words of this page."""

from __future__ import annotations

CHOOSE = "Runs"
FEW = "Choose two or more complete refinements."
ALONE = "It is the only refinement of its problem so far. Refine the problem again with other settings, or choose another run above."
AGAIN = "Refine it with other settings"
NONE = "There are no two complete refinements to compare yet."
START = "Refine a network"
COLUMNS = (
    "Run", "Problem", "Error", "Network", "Refined", "Gain", "Rank", "κ(G V)", "κ as solved", "‖Δθ‖", "Parameters", "Time",
)  # fmt: skip
DATA_COLUMNS = (
    "run", "problem", "error", "network", "refined", "rank", "max_rank", "condition_number", "solved_condition_number", "delta_norm",
    "parameters", "seconds",
)  # fmt: skip
SETTINGS = "Settings that differ"
SAME_SETTINGS = "All settings are the same."
RANKS = "Ranks"
RANKS_LEAD = "Each run stands at the rank that it chose, until another is chosen here."
OTHER_POINTS = (
    "The runs were drawn at different points, or over more than two inputs, so their fields are not set side by side."
)
GONE = "A run of this comparison is not there any more, or is no complete refinement; the others are shown."
UNLIKE = "The runs report different errors, so none is called the best."


def numbers(same: list[str]) -> str:
    """Over the table of numbers: what is the same in all its rows."""
    return ": ".join(["Numbers", ", ".join(same)] if same else ["Numbers"])


def different(problems: list[str]) -> str:
    """Why no run is the best."""
    named = ", ".join(problems)
    return (
        f"These runs are of different problems or weights ({named}). Their errors are relative to different truths or start from different "
        "networks, so a smaller one need not be the better result."
    )


def alike(label: str, low: str, high: str) -> str:
    return f"{label}: all runs are within 5 % of each other, from {low} to {high}."


def level(label: str, names: list[str], value: str, last: str, worst: str) -> str:
    return f"{label}: {' and '.join(names)} are level at {value}, within 5 %; {last} has the largest, {worst}."


def best(label: str, name: str, value: str, second: str, other: str, times: str) -> str:
    behind = f", {times} as large" if times else ""
    return f"{label}: {name} has the smallest, {value}. The next is {second} with {other}{behind}."


def rank_of(name: str) -> str:
    return f"Rank of {name}"
