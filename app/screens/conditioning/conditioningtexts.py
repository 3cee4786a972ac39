"""The words of this page."""

from __future__ import annotations

from collections.abc import Mapping

from lsr_app.words import formats, labtexts

PLANE_NEEDS_RUN = "A plane is spanned by the step of a refinement, and this problem has no complete one. Refine it on the page Refine a network."
PLANE_NEEDS_STEP = "This run refines nothing (rank 0), so it has no step that could span a plane."
DIRECTIONS_NEED_RUN = "Directions are measured by a refinement, and this problem has no complete one. Refine it on the page Refine a network."
DIRECTIONS_OLD = "This run was made before directions were measured. The same refinement started anew has them."
DIRECTIONS_NONE = "This run refines nothing (rank 0), so there are no directions."
DIRECTIONS_NO_GRID = "The display points are no regular grid, so the responses have no frequencies; the share of the residual is drawn instead."
ISOLATION_PHYSICS = "The isolation compares fits to data; this problem is given by an equation, so there is none."
RACE_CAPTION = "Best run of every method"
SINGULAR_COORDINATES = (
    "In singular directions each unknown moves along one singular direction of the problem; it is as ill-conditioned as in original "
    "coordinates. Of all methods only Adam can tell the two apart, because it scales every unknown by itself."
)
SWEEP_TRIED = "Every setting tried"
RACE_COLUMNS = (
    "Method",
    "Coordinates",
    "Best loss",
    "Times the floor",
    "Iterations",
    "Products",
    "Seconds",
    "Settings",
    "Tried",
)
TRIAL_COLUMNS = ("Method", "Coordinates", "Setting", "Best loss", "End")
ISOLATION_COLUMNS = ("", "Unknowns", "Training", "Validation", "Test", "Seconds", "Remark")
ISOLATION_CAPTION = "Relative L2 errors"
COORDINATE_CHOICES = {"both": "Both", "original": "Original", "whitened": "Whitened"}
PRECISIONS = {"float64": "float64", "float32": "float32"}
AGAINST = {"iterations": "Iterations", "products": "Products", "seconds": "Seconds"}
AGAINST_AXES = {"iterations": "Iterations", "products": "Jacobian products", "seconds": "Seconds"}
BOUNDS = {"conjugate gradients": "Bound for CG, from κ", "gradient descent": "Bound for gradient descent, from κ"}
SPACES = {"subspace": "The subspace", "full": "All parameters"}
REACHES = {"step": "Whole step", "near": "Where both agree"}
SECOND_DIRECTIONS = {"gradient": "Gradient", "singular": "Singular direction", "random": "Random"}
PLANE_PANELS = {"nonlinear": "Network", "linearised": "Linear model"}
CONTENDERS = {
    "network": "Network as it is",
    "jacobian-subspace": "Linear solve, Jacobian subspace (LSR)",
    "last-layer": "Linear solve, last layer",
    "random-subspace": "Linear solve, random subspace",
    "nonlinear-lbfgs": "L-BFGS, Jacobian subspace",
    "nonlinear-lbfgs-whitened": "L-BFGS, whitened",
    "nonlinear-adam": "Adam, Jacobian subspace",
}
ISOLATION_HEADS = {  # (label, role of the colour)
    "random-subspace": ("The same in a random subspace", ""),
    "nonlinear-lbfgs": ("L-BFGS in the Jacobian subspace", "step"),
}
SETTING_NAMES = {"rate": "rate", "beta1": "β₁", "step_times_L": "step × L", "history": "history"}


def settings(values: Mapping[str, object]) -> str:
    """Settings of a method that a sweep changes, in a few words."""
    named = {word: values[name] for name, word in SETTING_NAMES.items() if name in values}
    return ", ".join(
        f"{word} {formats.plain(value, 3)}" for word, value in named.items() if isinstance(value, int | float)
    )


def tried(count: int, lost: int) -> str:
    """How many settings a sweep had."""
    return f"{count}, {lost} diverged" if lost else f"{count}"


def race_place(coordinates: str, kappa: str) -> str:
    """Name of a panel."""
    return f"{labtexts.COORDINATES[coordinates]} coordinates, κ = {kappa}"


def plane_sentence(near: int, points: int, length: str, direction: str) -> str:
    """How many points of the grid around θ0 lie where both losses agree, and how long the second direction is, in steps."""
    if near == points:
        agree = "The two losses agree within 10 % on all of this plane"
    elif near > 1:
        agree = f"Around θ0 the two losses agree within 10 % on {near:,} of {points:,} points of this plane"
    elif near:
        agree = "The two losses agree within 10 % at θ0 and at none of its neighbours on this grid: a plane of shorter reach shows how far"
    else:
        agree = "The two losses agree nowhere around θ0 on this grid"
    long = "is as long as the step" if length in ("1", "1.0") else f"is {length} times as long as the step"
    return f"{agree}. Its second direction ({direction}) {long}."


def plane_lowest(network: str, where: str, linear: str, there: str) -> str:
    """Where the losses are smallest on the grid; places as (α, β)."""
    return f"On the grid the linear model is lowest at {there}, with loss {linear}; the network is lowest at {where}, with loss {network}."


def plane_grid(rows: int, columns: int, growing: bool, losses_on: str, hidden: int) -> str:
    """How fine a plane is."""
    more = " A finer grid is on its way." if growing else ""
    where, left = ("1 point", "it is") if hidden == 1 else (f"{hidden:,} points", "they are")
    holes = f" At {where} the network has no finite loss; {left} left white." if hidden else ""
    return f"{rows} × {columns} points, losses on {losses_on}.{more}{holes}"


def correlation(value: float, count: int) -> str:
    """Spearman's rank correlation of time constant and frequency."""
    number = f"Rank correlation of time constant and frequency over {count} directions (Spearman): {value:+.2f}."
    if value >= 0.5:
        return f"{number} Slow directions are fine ones here: training leaves the high frequencies for last."
    if value <= -0.5:
        return f"{number} Here the slow directions are the coarse ones: the opposite of spectral bias."
    return f"{number} Slowness says little about frequency here."


def isolation_reason(solve: str, subspace: str) -> str:
    """What the result rests on; how many times higher the error is without the direct solve, and without the Jacobian's directions."""
    parts = [
        f"with {what} the error is {times} higher" if times else f"with {what} the error is no higher"
        for what, times in (
            ("the best optimiser in place of the solve, in the same subspace,", solve),
            ("the same solve in a random subspace", subspace),
        )
    ]
    return f"What does the work: {'; '.join(parts)}."


def isolation_sentence(first: str, error: str, others: list[tuple[str, str]]) -> str:
    """The refined error beside that of the others; (name, factor)."""
    listed = ", ".join(f"{name} {factor}" for name, factor in others)
    return f"{first} reaches {error}. With the same freedom: {listed}."
