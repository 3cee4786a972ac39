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


def rounding(rank: int, kappa: str, solved: str, digits: int, all_digits: int, lost: bool) -> str:
    """What both condition numbers mean for the result at a rank; `digits` of `all_digits` are left by rounding."""
    if lost:
        left = "rounding may take every digit of what it finds, so trust the errors on unseen data alone"
    else:
        left = f"rounding leaves about {digits} of {all_digits} digits"
    return (
        f"In the coordinates of the weights the condition number at rank {rank:,} is {kappa}, which is what holds gradient methods up. "
        f"What is solved has its columns scaled and the condition number {solved}: {left}."
    )


def left_out(last: int, largest: int) -> str:
    """Why the curves end level; empty where they do not."""
    if last >= largest - 1:
        return ""
    return f"Directions beyond rank {last:,} have no length that rounding does not make; they are left out, and the curves stay level."


def estimated(used: int, rank: int, bound: str) -> str:
    """Why directions below the sketch error do no harm; `used` of the directions up to `rank` are there. Empty where none is."""
    if not used:
        return ""
    return (
        f"{used:,} of the {rank:,} directions have singular values below the sketch error, {bound}: their sizes are estimates, and better "
        "directions may exist. The result does not rest on them, because the response of every direction is computed by products with the "
        "Jacobian and every error here is measured."
    )


SHARES_TITLE = "Error against the share of parameters"
SHARES_LEAD = "How much of the network does the refinement need? The same refinement with only a part of the parameters free to move."
SHARES_NONE = "There is no other complete run of this problem with these settings yet; two shares make a line."


def shares_waiting(count: int) -> str:
    """How many runs of the series are on their way."""
    return f"{count} {'run is' if count == 1 else 'runs are'} queued or at work. You may leave the page; the figure grows as they end."


def shares_failed(shares: str) -> str:
    """Shares whose runs came to nothing."""
    return f"The run with a share of {shares} failed; open it from the page Runs to see why."
