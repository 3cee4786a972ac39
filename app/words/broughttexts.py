"""What is said of a network and data that somebody brings, on the page and by the command."""

from __future__ import annotations

from lsr_app.words import formats

NO_PREDICTIONS = (
    "No predictions are given, so nothing shows for sure that this is the network you trained: the activation and the order of the "
    "columns cannot be seen from weights. Put some of its own predictions into the data file and choose them as such."
)
NOT_PLACED = "has no place"
UNLIKELY = "is one of several forms that these tensors may have, and no name speaks for it; put some of the network's own predictions into the data"


def agrees(difference: float, activation: str, allowed: float) -> str:
    size = (
        f"the largest difference is {formats.error(difference)} of the largest prediction"
        if difference
        else "to the last digit"
    )
    coarse = (
        f" Its weights have the digits of half precision, so that up to {formats.error(allowed)} tells nothing; give weights in single "
        "precision to be sure."
        if allowed > 1e-4
        else ""
    )
    return f"The loaded network gives the predictions of the file, {size}, with the activation {activation}.{coarse}"


def differs(difference: float, activation: str, best: str, smallest: float) -> str:
    better = (
        f" With {best} it would be {formats.error(smallest)}."
        if best != activation
        else " No activation that is known here does better; look at the order of the columns and at what is done to the inputs before the network."
    )
    return (
        f"The loaded network does not give the predictions of the file: the largest difference is {formats.error(difference)} of the "
        f"largest prediction.{better}"
    )


def error_on_data(error: float) -> str:
    return (
        f"On the first training rows it misses the outputs by up to {error:.2g} of the largest one. The activation that was filled in is the "
        "one that misses them least."
    )


def mapped(rows: dict[str, int], dropped: int) -> str:
    parts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    return f"Rows: {parts}" + (f"; {dropped:,} left out for NaN or infinite values." if dropped else ".")


def passed_over(named: list[str]) -> str:
    """Arrays and columns that cannot be used, with the reason of each."""
    more = f" and {len(named) - 5} more" if len(named) > 5 else ""
    return f"Passed over: {'; '.join(named[:5])}{more}."
