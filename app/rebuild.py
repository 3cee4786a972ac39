"""`python -m lsr_app.rebuild RUN RANK FILE`: the refined predictor at a rank whose Δθ the run does not hold.

A process of its own, because it takes as long as the sketch did; the dashboard starts it and looks for the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lsr_core.errors import LSRError
from lsr_core.jobs.rebuild import delta_at
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.export import save_predictor
from lsr_core.storage.runs import Run


def predictor(run: Run, rank: int, path: Path) -> Path:
    """Write the predictor of `run` at `rank` to `path`; at the chosen rank this only reads.

    Raises:
        LSRError: the run is damaged or the step cannot be rebuilt.
    """
    problem = load_problem(run.problem_path)
    base, refined = (
        {
            name: value
            for name in ("train_mse", "val_mse", "test_mse", "test_relative_l2")
            if (value := float(getattr(run.sweep, name)[at])) == value
        }
        for at in (0, rank)
    )
    metadata = {"rank": rank, "run": run.id, "base": base, "refined": refined}
    return save_predictor(path, problem, delta_at(run, rank), metadata)


def main(arguments: list[str]) -> int:
    run, rank, path = Run(Path(arguments[0])), int(arguments[1]), Path(arguments[2])
    try:
        predictor(run, rank, path)
    except LSRError as error:
        path.with_suffix(".error").write_text(str(error), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
