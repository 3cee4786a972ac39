"""The words of the pages Conditioning and Along the training."""

from __future__ import annotations

LAB_SECTIONS = {"race": "Race", "plane": "Loss plane", "directions": "Directions", "isolation": "Isolation"}
LAB_LEADS = {
    "race": "At θ0 the problem is made linear, so it is convex and its minimum is known. What keeps an optimiser away from it is not nonconvexity.",
    "plane": "How far around the trained network the linear model tells the truth.",
    "directions": "What each direction of the subspace corrects, how long plain training would need for it, and where in the network it lies.",
    "isolation": "Is it the direct solve, the Jacobian’s subspace, or just the number of unknowns? The same freedom, spent in different ways.",
}
LAB_NONE = {
    "race": "There is no race of this problem yet.",
    "plane": "There is no loss plane of this run yet.",
    "isolation": "There is no isolation of this problem yet.",
    "training": "This problem has not been refined along its training yet.",
}
LAB_AGAIN = {
    "race": "Another race",
    "plane": "Another plane",
    "isolation": "Another isolation",
    "training": "Refine the checkpoints again",
}
LAB_START = {
    "race": "Start the race",
    "plane": "Compute the plane",
    "isolation": "Start the isolation",
    "training": "Refine every checkpoint",
}
LAB_FIRST = {
    "race": "The first method is on its way.",
    "plane": "The coarse plane is on its way.",
    "isolation": "The first result is on its way.",
    "training": "The first checkpoint is on its way.",
}
METHODS = {
    "direct": "Direct solve",
    "lsqr": "LSQR",
    "lsqr-reorthogonalised": "LSQR, reorthogonalised",
    "lsmr": "LSMR",
    "lsmr-reorthogonalised": "LSMR, reorthogonalised",
    "cgls": "CG, normal equations",
    "lbfgs": "L-BFGS",
    "gradient-descent": "Gradient descent",
    "adam": "Adam",
}
COORDINATES = {"original": "Original", "whitened": "Whitened", "singular": "Singular directions"}


def diverged(iteration: int | None) -> str:
    return f"diverged at iteration {iteration:,}" if iteration is not None else ""


def lab_beside(title: str) -> str:
    """Which refinement an experiment belongs to."""
    return f"Stands beside the refinement {title}."
