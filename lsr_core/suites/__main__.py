"""`python -m lsr_core.suites SUITE NAME SEED SECONDS`: one entry, one JSON object on the last line of stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from lsr_core.errors import LSRError
from lsr_core.refinement.resources import peak_rss_bytes
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.running import entries


def solved(entry: SuiteEntry, seed: int, seconds: float) -> dict[str, Any]:
    """Figures of an entry: error of all outputs and of each, and how it stands."""
    problem = entry.problem(seed)
    if entry.way == "solve":
        from lsr_core.solver.config import SolveConfig
        from lsr_core.solver.solve import solve
        from lsr_core.validation import checked

        found = solve(problem, checked(SolveConfig, {"seed": seed, "seconds": seconds, **entry.settings}))
        by_output = _by_output(problem.outputs, found.by_output, found.relative_l2)
        status = "ok" if found.solved else f"not solved: {found.sentence}"
        return {"relative_l2": found.relative_l2, "relative_l2_by_output": by_output, "status": status}
    from lsr_core.diagnosis.verdict import verdict_of
    from lsr_core.refinement.refine import refine
    from lsr_core.training.from_start import trained

    if entry.way == "train":
        problem = trained(problem, seed=seed, **entry.training)[0]
    refinement = refine(problem, seed=seed, **entry.settings)
    errors, verdict = refinement.summary.refined, verdict_of(refinement)
    wrong = verdict.limit in ("unsolved", "undetermined")
    return {
        "relative_l2": errors.test_relative_l2,
        "relative_l2_by_output": _by_output(problem.outputs, errors.by_output, errors.test_relative_l2),
        "status": f"not solved: {verdict.sentence}" if wrong else "ok",
    }


def _by_output(
    outputs: Sequence[str], parts: Sequence[float | None] | None, together: float | None
) -> dict[str, float]:
    """Errors by output; where there is one output, that of all together."""
    found = list(parts or []) or [together]
    return {name: error for name, error in zip(outputs, found, strict=True) if error is not None}


def main(suite: str, name: str, seed: str, seconds: str) -> int:
    """Solve and print; returns the exit code."""
    try:
        [entry] = entries(suite, [name])
        figures = solved(entry, int(seed), float(seconds))
    except LSRError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    sys.stdout.write(json.dumps({**figures, "peak_rss_bytes": peak_rss_bytes()}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
