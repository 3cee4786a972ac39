"""Lists of equations with recipes, and what is reported of each."""

from __future__ import annotations

import pytest

from lsr_core.errors import InputError
from lsr_core.suites import LISTS
from lsr_core.suites.__main__ import solved
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.running import SuiteRow, entries, middle

TOY = SuiteEntry(
    "toy",
    "typed",
    {
        "inputs": {"t": (0.0, 1.0)},
        "equations": [{"equation": "u_t = -u", "points": 60}],
        "conditions": [{"where": "t = 0", "equation": "u = 1", "points": 1}],
        "solution": {"u": "exp(-t)"},
    },
    widths=(12,),
)


@pytest.mark.parametrize("suite", sorted(LISTS))
def test_every_problem_can_be_made_and_has_a_solution_to_compare_with(suite: str) -> None:
    """Typed solutions are held against their equations when these are built."""
    names = [entry.name for entry in entries(suite, [])]
    assert len(names) == len(set(names)) >= 3
    for entry in entries(suite, []):
        if entry.equation == "typed":
            problem = entry.problem(seed=1)
            assert problem.test is not None
            assert problem.seed == 1


def test_a_name_that_is_not_in_the_suite_is_refused() -> None:
    with pytest.raises(InputError, match="it has wave"):
        entries("accuracy", ["waves"])


@pytest.mark.parametrize(
    ("way", "settings"), [("refine", {}), ("solve", {"windows": "none", "search": False})], ids=["refine", "solve"]
)
def test_both_ways_report_the_error_of_what_they_deliver(way: str, settings: dict[str, object]) -> None:
    entry = SuiteEntry(**{**vars(TOY), "way": way, "settings": settings})
    figures = solved(entry, seed=0, seconds=60.0)
    assert figures["status"] == "ok"
    assert 0 < figures["relative_l2"] < 1e-5
    assert figures["relative_l2_by_output"].keys() == {"u"}


def test_the_median_of_seeds_counts_a_failure_as_the_largest() -> None:
    def row(error: float | None) -> SuiteRow:
        return SuiteRow(
            name="a", relative_l2=error, relative_l2_by_output={}, seconds=1.0, peak_rss_bytes=1, published=None,
            reference_error=0.0, status="ok" if error else "failed: because",
        )  # fmt: skip

    assert middle([row(None), row(1e-3), row(1e-5)]).relative_l2 == 1e-3
    assert middle([row(None), row(None), row(1e-5)]).relative_l2 is None
