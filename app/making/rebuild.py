"""`python -m lsr_app.making.rebuild RUN RANK FORMAT FILE`: what takes too long for a page, in a process of its own.

FILE appears when it is complete, and `FILE.note` before it with its digest and a sentence about it; what went wrong is in `FILE.error`.
"""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsr_app.making import made
from lsr_core.errors import LSRError
from lsr_core.jobs.rebuild import confirmed, spread_at
from lsr_core.portable.form import Leaving
from lsr_core.portable.forms import form_of
from lsr_core.storage.atomic import TEMPORARY_SUFFIX
from lsr_core.storage.runs import Run

if TYPE_CHECKING:
    from lsr_core.lab.records import Precision


def make(run: Run, rank: int, format: str, path: Path, precision: Precision | None = None) -> str:
    """Write a run in one of the forms, or its report; at the chosen rank the step is only read. Returns a sentence about the file.

    Raises:
        LSRError: the run is damaged, the step cannot be rebuilt, or the file did not pass its check.
    """
    if format == "report":
        from lsr_app.making.report import write_report

        return write_report(run, rank, path)
    from lsr_core.portable import deliver

    form_of(format)
    problem, delta = confirmed(run, rank)
    base, refined = (
        {
            name: value
            for name in ("train_mse", "val_mse", "test_mse", "test_relative_l2")
            if (value := float(getattr(run.sweep, name)[at])) == value
        }
        for at in (0, rank)
    )
    known: dict[str, Any] = {"rank": rank, "run": run.id, "base": base, "refined": refined}
    if rank == run.summary.rank:
        known["unknowns"] = run.summary.unknowns
    return deliver.make(path, format, Leaving(problem, delta, known, spread_at(run, rank)), precision).sentence


def main(arguments: list[str]) -> int:
    run, rank, format, path = Run(Path(arguments[0])), int(arguments[1]), arguments[2], Path(arguments[3])
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        made.finish(hidden, path, make(run, rank, format, hidden))
    except LSRError as error:
        made.fail(path, str(error))
        return 1
    except (OSError, MemoryError) as error:
        made.fail(path, f"the file could not be made: {getattr(error, 'strerror', None) or 'not enough memory'}")
        return 1
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
