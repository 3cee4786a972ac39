"""The words of this page."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lsr_app.words import formats, texts

SMALL_CHANGE = 1.5  # times, below which a change is told in per cent

TAGLINE = "Linearized subspace refinement of trained networks"
WHAT_IT_DOES = (
    "It takes a network whose training has stalled and solves directly for the linear correction that training did not find.",
    "It measures the error at every number of directions, on data that the solve has not seen, and says whether to use the result.",
    "The weights stay as they are; the refined predictor can be taken away as a file. Below is an example, computed beforehand: move the rank.",
)
TRY_IT = "Try it on a sample"
BRING_YOURS = "Bring your own network"
LEARN = "Learn why it works"
TRY_AGAIN = "Try again with these settings"
GLOSSARY = {
    "Rank": "Number of directions in parameter space that refinement may use. Rank 0 is the network as it is.",
    "Refined predictor": "The network plus a linear correction, q(θ0, x) + J(x) Δθ. The weights stay as they are.",
    "θ0, Δθ": "The trained parameters, and the step found by least squares. The step is used in the linear correction only.",
    "Network at θ0 + Δθ": "The same network with its parameters moved by the step. It is shown for comparison; it is not the result.",
    "Jacobian, J and G": "Derivatives by the parameters: J of the outputs, G of the residuals.",
    "Subspace V": "The directions in parameter space that move the outputs most, found by a randomized singular value decomposition.",
    "Knee": "The rank beyond which further directions lower the error only slowly.",
    "Ladder": "The ranks, at most 64, at which a run stores whole fields. The rank slider moves from one to the next.",
    "Sketch error": "Estimate of what the randomized subspace misses of the Jacobian.",
    "Gauss-Newton step": "One more solve, of the equation made linear around the refined field instead of the network.",
    "Condition number κ": "Ratio of the largest to the smallest singular value: of G V in the weights’ coordinates, or of what is solved.",
    "Cut-off": "Directions of the scaled matrix weaker than this fraction of the strongest are left out of the solution.",
    "Fitted, fresh points": "For an equation: where the solve sees the residual, and points of another draw, where it is only looked at.",
    "True residual": "Residual of the refined field itself, put into the equation; the linear one is what the solve sees of it.",
    "Half wave": "The scale of frequencies: k half waves over the length of an input.",
    "Iterative LSR": "Solve, let the network follow the refined predictor (alignment), draw new points, repeat.",
    "Floor": "The smallest loss that the linearised problem allows, known from the direct solve.",
    "Original coordinates": "Orthonormal parameter directions in general position, as weights are; the condition number is that of G V.",
    "Whitened coordinates": "The same subspace, its axes stretched until the condition number is one; subspace, data and minimum are unchanged.",
    "Krylov method": "LSQR, LSMR or CG: solves least squares by products with the matrix alone.",
    "Reorthogonalised": "Each new Krylov vector is made orthogonal to all before it, which rounding would spoil otherwise.",
    "Time constant": "Steps of gradient descent, at its largest stable rate, in which the error along a direction falls to about a third: (σ₁/σ)².",
    "Relative L2 error": "Length of the error divided by the length of the truth: 0.01 is one per cent.",
}
HOW_IT_RAN = "How it was computed, and what was checked"
NOT_COMPLETE_HERE = {
    "queued": "In the queue; you may leave the page.",
    "running": "At work. The figures appear here when it is done; you may leave the page.",
    "cancelled": "Cancelled before it had results.",
    "failed": "Failed before it had results.",
}
COPIED_RUN = "Weights are unchanged: the refined predictor adds a linear correction to the network."


def go_on(title: str) -> str:
    return f"Continue with {title}"


def gain_sentence(error: str, base: float, refined: float, rank: int, largest: int) -> str:
    """What refinement does to an error; small changes in per cent, others as a factor."""
    if rank == 0:
        return texts.RANK_ZERO
    where = f"At rank {rank:,} of {largest:,} refinement"
    if not (math.isfinite(base) and math.isfinite(refined) and base > 0 and refined > 0) or base == refined:
        return f"{where} does not change the {error}."
    verb, ratio = ("lowers", base / refined) if refined < base else ("raises", refined / base)
    if ratio < SMALL_CHANGE:
        by = formats.change(base, refined)
    else:
        by = f"a factor of {formats.times(ratio).removesuffix('×')}"
    return f"{where} {verb} the {error} by {by}. {COPIED_RUN}"


def route_left(route: str, reason: str) -> str:
    """What was tried before the way that was taken."""
    return f"Not {route}: {reason}."


def health(adjoint: str, sketch: str | None) -> str:
    """What was checked before and after the run."""
    checks = (
        f"Repeatable outputs. Products with the Jacobian agree with plain reverse mode to {adjoint}, at a few samples."
    )
    if sketch is None:
        return checks
    return f"{checks} Directions left out of the sketch have singular values below about {sketch} (right in 99.999 % of runs)."


BLOCKS_CAPTION = "Residual blocks"
BLOCK_COLUMNS = ("Block", "Fitted points", "Weight", "Reads")


def equation_title(title: str) -> str:
    return f"The equation: {title}"


def domain(box: str, periods: str, exact: bool, hard: bool) -> str:
    """Where an equation holds, what its solution is known from, and how its conditions are met."""
    periodic = f", period {periods}" if periods else ""
    conditions = (
        "The network's formula meets the initial and boundary conditions by itself, so they need no rows."
        if hard
        else "Initial and boundary conditions are blocks of their own."
    )
    return f"{box}{periodic}. {'Exact solution' if exact else 'Reference solution, computed'}, only used to report errors. {conditions}"


def origin(environment: Mapping[str, str], seed: int, seeds: Mapping[str, int]) -> list[str]:
    """What a run was made with, and the seeds of all that was random in it; runs of earlier versions know less."""
    program = " ".join(f"{name} {environment[name]}" for name in ("lsr", "commit") if name in environment)
    libraries = [f"{name} {environment[name]}" for name in ("python", "torch", "numpy", "scipy") if name in environment]
    machine = " ".join(environment[name] for name in ("processor", "machine", "system") if name in environment)
    threads = f"{environment['threads']} threads" if "threads" in environment else ""
    known = [part for part in (program, *libraries, machine, threads) if part]
    drawn = ", ".join([f"of the refinement {seed}", *(f"of {name} {value}" for name, value in seeds.items())])
    return [f"Computed with {', '.join(known)}."] * bool(known) + [f"Seeds: {drawn}."]
