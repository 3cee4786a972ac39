"""Words about what is drawn: several runs, single samples, points that are left out."""

from __future__ import annotations


def compare_note(first: str, second: str, rank: int) -> str:
    return f"Laid over {first}: dashed and marked (2), {second} at its own rank {rank:,}."


def other_problem(first: str, second: str) -> str:
    """Above what is drawn of two runs that have nothing to do with each other."""
    return (
        f"These runs are of different problems, {first} and {second}: their errors are relative to different truths, so that the lower curve "
        "need not be the better result."
    )


def too_many_runs(count: int, most: int) -> str:
    return f"The address names {count:,} runs; the first {most} are compared."


def same_axes(name: str) -> str:
    return f"Both axes named the same input; the vertical one shows {name}."


def sample_classes(right: int, before: int, after: int) -> str:
    """A sample by its right class and those that it is given."""
    return f"{right}: {before} → {after}"


def sample_values(truth: str, before: str, after: str) -> str:
    """A sample by its true value and those that it is given."""
    return f"{truth}: {before} → {after}"


def blank_points(blank: int, points: int) -> str:
    """Beside a logarithmic map of errors."""
    return f"Left blank: {blank:,} of {points:,} points, whose error is zero to rounding."
