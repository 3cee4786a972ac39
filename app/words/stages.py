"""What a run is at that is not complete."""

from __future__ import annotations

from lsr_app.words.labtexts import METHODS

STAGES = {
    "starting": "Starting",
    "preparing": "Preparing",
    "basis": "Finding the subspace",
    "training rows": "Solving on the training data",
    "validation rows": "Errors on the validation data",
    "test rows": "Errors on the test data",
    "checking": "Checking the predictor",
    "fields": "Fields for the ladder of ranks",
    "Gauss-Newton": "Gauss-Newton steps on the true residual",
    "loss paths": "Loss along the step",
    "writing": "Writing the run",
}


STAGES_PHYSICS = {
    "training rows": "Solving at the fitted points",
    "validation rows": "True residuals at the fresh points",
    "test rows": "Errors against the reference",
}


def waiting(ahead: int | None) -> str:
    """`ahead`: runs whose turn is before this one's, whosever they are; None if this machine does not know it as waiting."""
    if ahead is None:
        return "Not in the queue of this machine: it was copied here, or its server was stopped while it was made. Start it again."
    before = {0: "it begins in a moment", 1: "one other run is before it"}.get(
        ahead, f"{ahead:,} other runs are before it"
    )
    return f"Waiting for its turn: {before}."


def silent(process: int, host: str, since: str) -> str:
    return f"process {process} on {host} has given no sign for {since}: stopped, or the machine is overloaded; Cancel ends it"


def stage(name: str, physics: bool) -> str:
    """What a run is at; empty for a stage without words."""
    if name in BASELINES:
        return f"For comparison: {BASELINES[name]}"
    if name.startswith("round "):
        return name.capitalize()
    method, *rest = name.split(", ")
    named = ", ".join([METHODS[method], *rest]) if method in METHODS else ""
    return (STAGES_PHYSICS.get(name) if physics else None) or STAGES.get(name, named)


def cancelled_at(stage: str, fraction: float, kept: bool) -> str:
    during = f" during “{stage}”" if stage else ""
    rest = "What it had found by then is kept." if kept else "Nothing of the result was kept."
    return f"Cancelled{during} at {min(1.0, max(0.0, fraction)):.0%}. {rest}"


BASELINES = {"pinn": "Plain PINN", "time-stepping": "Time stepping", "levenberg-marquardt": "Levenberg–Marquardt"}
