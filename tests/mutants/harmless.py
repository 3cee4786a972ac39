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
        "lsr_core/refinement/solve.py",
        "LARGE = 1_000_000",
        ("1000000 -> 1000001",),
        "from about how many numbers a proof is memory worth a forecast; no single one more or less is told apart",
    ),
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
    Harmless(
        "lsr_core/problems/physics/residuals.py",
        "zip(points.unbind(1), jets.unbind(1), strict=True)",
        ("True -> False",),
        "a jet is taken at every place, so that there are as many",
    ),
    Harmless(
        TRIANGULAR,
        "if least > 0 and n_columns > 0 and is_diagonal(self.triangle):",
        ("Gt -> GtE",),
        "below a share of zero lies nothing (the other one, no columns, is held by test_a_triangle_without_columns_moves_nothing)",
    ),
    Harmless(
        TRIANGULAR,
        "if least > 0 and n_columns > 0 and is_diagonal(self.triangle):",
        ("0 -> 1",),
        "of one column none is small beside the largest (the other one, of the share, is held by the tests of `least`)",
    ),
    Harmless(TRIANGULAR, "(1 if lengths is None else lengths)", ("1 -> 2",), "a common factor of all sizes cancels"),
    Harmless(
        TRIANGULAR,
        "values[-1] <= self.rcond * values[0]",
        ("LtE -> Lt",),
        "singular values that are equal to the last digit are an accident of rounding",
    ),
    Harmless(
        TRIANGULAR,
        "if smallest < self.rcond or smallest == 0:",
        ("Lt -> LtE",),
        "an entry on the cut-off makes a singular value that is no larger, and it is cut by the values as well",
    ),
    Harmless(
        TRIANGULAR,
        "inverse * self.rcond * rank**0.5 < 1",
        ("Lt -> LtE",),
        "on the bound itself the singular values say the same",
    ),
    Harmless(
        "lsr_core/linalg/diagonal.py",
        "values, order = entries.abs().sort(descending=True, stable=True)",
        ("True -> False",),
        "entries of one size may stand in either order",
    ),
    Harmless(
        "lsr_core/linalg/diagonal.py",
        "left[order, count] = torch.where(entries < 0, -1.0, 1.0).to(matrix)[order]",
        ("Lt -> LtE",),
        "zero has either sign",
    ),
    Harmless(
        "lsr_core/linalg/diagonal.py",
        "known = torch.where(lengths > 0, lengths, 1)",
        ("1 -> 2",),
        "both entries that are divided by it are zero then",
    ),
    Harmless(
        "lsr_core/linalg/operators.py",
        "if self.shape[0] < self.shape[1]:",
        ("Lt -> LtE", "0 -> 1"),
        "products from either side give the matrix; the smaller ones are quicker",
    ),
    Harmless(
        "lsr_core/linalg/randomized.py",
        "torch.linalg.svd(triangle.T, full_matrices=False)",
        ("False -> True",),
        "a square matrix has no more of them",
    ),
    Harmless(
        SWEEP, "if values[-1] > 0 else np.inf", ("Gt -> GtE",), "a tensor divided by one of zero is infinite by itself"
    ),
    Harmless(
        SWEEP,
        "if max_rank > 0 else kappa[1:]",
        ("Gt -> GtE", "0 -> 1", "1 -> 2"),
        "of no rank or one there is nothing between (the first slice is held by the tests of condition numbers)",
    ),
    Harmless(
        "lsr_core/linalg/streaming_qr.py",
        "room = n_columns + max(1, gather)",
        ("1 -> 2",),
        "a row more or less is gathered where a single one was asked for",
    ),
    Harmless(
        "lsr_core/linalg/streaming_qr.py", "self._reduced = 0", ("0 -> 1",), "a single row is a triangle by itself"
    ),
)
