"""Faults that no test can notice or should, by the line that they change, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Harmless:
    """Faults of one line.

    Attributes:
        code: of the line, or the part of it that is changed.
        faults: in the words of `mutate`.
        why: what makes them harmless.
    """

    file: str
    code: str
    faults: tuple[str, ...]
    why: str

    def covers(self, file: str, line: str, fault: str) -> bool:
        return self.file == file and self.code in line and fault in self.faults


DAMPED, TRIANGULAR = "lsr_core/linalg/damped.py", "lsr_core/linalg/triangular.py"
SWEEP = "lsr_core/refinement/sweep.py"

HARMLESS = (
    Harmless(
        DAMPED,
        "model = TriangularSolver(factor, rcond=0.0)",
        ("0.0 -> 1.0",),
        "its triangle and the lengths of its columns are read, and neither depends on the cut-off",
    ),
    Harmless(
        TRIANGULAR,
        "if penalty is None and damping > 0:",
        ("And -> Or", "Gt -> GtE"),
        "a damping of zero adds rows of zeros, and nobody gives a penalty and a damping",
    ),
    Harmless(SWEEP, "if len(beyond) > SOLVED_LADDER:", ("Gt -> GtE",), "as many ranks as are picked are all picked"),
    Harmless(
        SWEEP,
        "min(solver.max_rank, len(solver.scaled))",
        ("min -> max",),
        "beyond its rows every rank is cut, so that the bisection comes back to them",
    ),
)
