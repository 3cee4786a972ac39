"""The words of this page."""

from __future__ import annotations

from lsr_app.words.parts import Parts

MEASURES = {"mse": "Mean square", "relative_l2": "Relative L2"}


def stepped_rank(rank: int) -> str:
    """After Gauss-Newton steps the figures over the rank are those of the solve before them."""
    return f"After Gauss-Newton steps the result uses {rank:,} directions. The curves are of the one solve from which they start."


def rank_sentence(parts: Parts, auto: int | None, knee: int, largest: int, rise: str) -> str:
    """`rise`: how many times higher the error that chooses is at the largest rank than at its smallest, empty if it is not."""
    after = f"Beyond the knee at rank {knee:,} each further direction gains little."
    if auto is None:
        return after
    first = f"{parts.choosing} is smallest at rank {auto:,}." + (" " + after if knee < auto else "")
    if rise:
        first += f" At the largest rank, {largest:,}, it is {rise} higher: {parts.rise}."
    return first


SHARES_TITLE = "Error against the share of parameters"
SHARES_LEAD = "How much of the network does the refinement need? The same refinement with only a part of the parameters free to move."
SHARES_NONE = "There is no other complete run of this problem with these settings yet; two shares make a line."


def shares_waiting(count: int) -> str:
    """How many runs of the series are on their way."""
    return f"{count} {'run is' if count == 1 else 'runs are'} queued or at work. You may leave the page; the figure grows as they end."


def shares_failed(shares: str) -> str:
    """Shares whose runs came to nothing."""
    return f"The run with a share of {shares} failed; open it from the list of runs on Overview to see why."
