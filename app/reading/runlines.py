"""What is said of each run in a list that a program reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsr_app.reading import runkinds
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "run",
        "kind",
        "title",
        "problem",
        "created",
        "owner",
        "listed",
        "status",
        "rank",
        "max_rank",
        "base_test_mse",
        "refined_test_mse",
        "error",
    )
)


def line(run: Run) -> dict[str, Any]:
    """A run by the names of `NOTHING`; what it does not have is None.

    Raises:
        InputError: `run.json` is damaged.
    """
    manifest = run.manifest
    about = {
        **NOTHING,
        "run": run.id,
        "kind": manifest.kind,
        "title": manifest.title,
        "problem": manifest.problem,
        "created": manifest.created,
        "owner": manifest.owner,
        "listed": manifest.listed,
    }
    try:
        status = run.status()
        about["status"] = status.status
        about["error"] = status.error.message if status.error else None
        if status.status == "complete" and not runkinds.of(manifest).experiment:
            summary = run.summary
            about |= {"rank": summary.rank, "max_rank": summary.max_rank}
            about |= {"base_test_mse": summary.base.test_mse, "refined_test_mse": summary.refined.test_mse}
    except InputError as error:
        about |= {"status": "damaged", "error": str(error)}
    return about


def damaged(name: str, fault: InputError) -> dict[str, Any]:
    """A run of which nothing can be read but its name."""
    return {**NOTHING, "run": name, "status": "damaged", "error": str(fault)}
