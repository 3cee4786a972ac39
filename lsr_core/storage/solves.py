"""A solve from scratch on disk: a line for each attempt, and what came of it; readable while it is being written."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from lsr_core.errors import InputError
from lsr_core.solver.records import SolveStep, SolveSummary
from lsr_core.storage import atomic, digests
from lsr_core.storage.lines import append, lines, rewrite

STEPS, SUMMARY = "solve.jsonl", "solve.json"
MAX_SUMMARY_BYTES = 2**20


class SolveStore:
    """The attempts of one run."""

    def __init__(self, run: Path) -> None:
        self._steps, self._summary = run / STEPS, run / SUMMARY

    def add(self, step: SolveStep) -> None:
        append(self._steps, step)

    def steps(self) -> list[SolveStep]:
        """All attempts so far, in order.

        Raises:
            InputError: the file is damaged.
        """
        return list(lines(self._steps, SolveStep))

    def forget(self) -> None:
        """Begin anew."""
        rewrite(self._steps, [])
        self._summary.unlink(missing_ok=True)

    def write_summary(self, summary: SolveSummary) -> None:
        atomic.write_text(self._summary, summary.model_dump_json(indent=1))

    def summary(self) -> SolveSummary | None:
        """None while it is running.

        Raises:
            InputError: the file is damaged.
        """
        if not digests.there(self._summary):
            return None
        try:
            return SolveSummary.model_validate_json(digests.read(self._summary, MAX_SUMMARY_BYTES))
        except ValidationError as error:
            raise InputError("not what this program writes; the run is damaged", file=SUMMARY) from error
