"""`python -m lsr_app.making.rebuild RUN RANK FORMAT FILE`: what takes too long for a page, in a process of its own.

FILE appears when it is complete, and `FILE.note` before it with its digest and a sentence about it; what went wrong is in `FILE.error`.
"""

from __future__ import annotations

import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_app.making import made
from lsr_core.errors import InputError, LSRError
from lsr_core.jobs.rebuild import confirmed
from lsr_core.storage.atomic import TEMPORARY_SUFFIX
from lsr_core.storage.export import save_predictor
from lsr_core.storage.runs import Run

if TYPE_CHECKING:
    from lsr_core.portable.deliver import Precision


def make(run: Run, rank: int, format: str, path: Path, precision: Precision | None = None) -> str:
    """Write one of predictor, pt2, onnx, python, weights or report; returns a sentence about the file.

    Raises:
        LSRError: the run is damaged, the step cannot be rebuilt, or the file did not pass its check.
    """
    if format == "predictor":
        predictor(run, rank, path)
        return ""
    if format == "report":
        from lsr_app.making.report import write_report

        return write_report(run, rank, path)
    if format == "weights":
        from lsr_core.portable.weights import aligned_weights

        return aligned_weights(path, *confirmed(run, rank)).sentence
    if format in ("pt2", "onnx", "python"):
        from lsr_core.portable.deliver import deliver

        return deliver(path, *confirmed(run, rank), format, precision).sentence
    raise InputError(f"is {format[:40]!r}; give predictor, pt2, onnx, python, weights or report", key="format")


def predictor(run: Run, rank: int, path: Path) -> Path:
    """Write the predictor of `run` at `rank` to `path`; at the chosen rank this only reads.

    Raises:
        LSRError: the run is damaged or the step cannot be rebuilt.
    """
    problem, delta = confirmed(run, rank)
    base, refined = (
        {
            name: value
            for name in ("train_mse", "val_mse", "test_mse", "test_relative_l2")
            if (value := float(getattr(run.sweep, name)[at])) == value
        }
        for at in (0, rank)
    )
    metadata = {"rank": rank, "run": run.id, "base": base, "refined": refined}
    return save_predictor(path, problem, delta, metadata)


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
