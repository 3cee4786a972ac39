"""Lists of equations with recipes, and what is reported of each."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.suites import LISTS, references
from lsr_core.suites.__main__ import solved
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.references import REFERENCES
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
            problem = replace(entry, reference=None).problem(seed=1)
            if entry.reference is not None:
                assert entry.reference in REFERENCES
                assert entry.reference_error
                continue
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


class TestReferences:
    def test_a_reference_that_is_refined_differs_by_what_is_stated(self) -> None:
        few, many = (references.holes(order=order).targets for order in (16, 20))
        assert float((few - many).norm() / many.norm()) < 1e-4
        assert float(many.min()) > -1e-4
        assert float(many.max()) < 1 + 1e-4

    def test_amplitudes_turn_and_spread_as_the_linear_equation_says(self) -> None:
        """At the start the wave is the one given, and its mean is kept."""
        found = references.kdv(modes=128, tolerance=1e-6)
        values = found.targets.reshape(references.SPACE, references.TIME)
        x = found.inputs.reshape(references.SPACE, references.TIME, 2)[:, 0, 0]
        assert torch.allclose(values[:, 0], torch.cos(torch.pi * x), atol=1e-12)
        assert float(values.mean(dim=0).abs().max()) < 1e-8

    def test_the_flow_in_a_cavity_turns_as_is_known(self) -> None:
        """Ghia, Ghia & Shin (1982): the stream function is -0.1034 in the middle of the vortex at Re 100, near (0.617, 0.734)."""
        found = references.cavity(nodes=16, points=101)
        lowest = int(found.targets.argmin())
        assert float(found.targets[lowest]) == pytest.approx(-0.1034, abs=1e-3)
        assert found.inputs[lowest].tolist() == pytest.approx([0.617, 0.734], abs=0.02)
