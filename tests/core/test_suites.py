"""Lists of equations with recipes, and what is reported of each."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.suites import LISTS, cells, references
from lsr_core.suites.__main__ import solved
from lsr_core.suites.cells import many_areas_solution
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.kept import keep, read
from lsr_core.suites.references import REFERENCES
from lsr_core.suites.running import SuiteRow, entries, middle, run
from lsr_core.suites.systems import System

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


@pytest.mark.parametrize("suite", sorted(LISTS))
def test_no_table_is_said_to_be_better_than_its_two_meshes_agree(suite: str) -> None:
    for entry in entries(suite, []):
        if entry.reference in references.TABLES:
            with np.load(Path(references.__file__).parent / "tables" / f"{entry.reference}.npz") as found:
                assert 0 < float(found["difference"]) <= (entry.reference_error or 0)
            made = REFERENCES[entry.reference]()
            assert made.inputs.shape[1] == len(entry.options["inputs"])
            assert made.targets.shape[1] == len(entry.options.get("outputs", ["u"]))


@pytest.mark.parametrize(
    ("error", "said", "expected"),
    [
        (1e-3, "ok", "ok"),
        (0.2, "ok", "worse than published"),
        (0.2, "not solved: no", "not solved: no"),
        (None, None, "failed: because"),
    ],
)
def test_an_error_above_the_published_one_is_said_to_be(
    error: float | None, said: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.CompletedProcess(
        [], 0 if said else 1, json.dumps({"relative_l2": error, "status": said}) if said else "", "because"
    )
    monkeypatch.setattr(subprocess, "run", lambda *args, **more: done)
    row = run("pinnacle", replace(TOY, published=0.1), 0, 60.0, lambda line: None)
    assert (row.relative_l2, row.status) == (error, expected)


class TestKept:
    def row(self, name: str, error: float) -> SuiteRow:
        return SuiteRow(
            name=name, relative_l2=error, relative_l2_by_output={"u": error}, seconds=1.0, peak_rss_bytes=1, published=1.0,
            reference_error=0.0, status="ok",
        )  # fmt: skip

    def test_the_newest_row_of_an_equation_stands_and_the_suite_orders(self, tmp_path: Path) -> None:
        keep(tmp_path, "pinnacle", [self.row("Wave1D", 0.5), self.row("PoissonND", 0.4)])
        keep(tmp_path, "pinnacle", [self.row("Wave1D", 0.1)])
        assert [(one.row.name, one.row.relative_l2) for one in read(tmp_path, "pinnacle")] == [
            ("PoissonND", 0.4),
            ("Wave1D", 0.1),
        ]
        assert read(tmp_path, "accuracy") == []

    @pytest.mark.parametrize("content", [b"", b"{", b'{"rows": [{}]}', b'{"rows": [], "more": 1}'])
    def test_a_file_that_cannot_be_read_is_none(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "suites").mkdir()
        (tmp_path / "suites" / "pinnacle.json").write_bytes(content)
        assert read(tmp_path, "pinnacle") == []

    def test_an_equation_that_is_no_longer_in_the_suite_is_passed_over(self, tmp_path: Path) -> None:
        keep(tmp_path, "pinnacle", [self.row("gone", 0.5)])
        assert read(tmp_path, "pinnacle") == []


class TestReferences:
    def test_the_cells_meet_the_equation_and_the_flux_at_the_edge(self) -> None:
        """By differences on the grid, in the middle of a cell and at a side."""
        grid = many_areas_solution(degree=12, points=401)
        u, h = grid.targets.reshape(401, 401), 0.05
        at = 40 + 80  # the middle of the second cell along x, of the first along y
        laplace = (u[at + 1, 40] + u[at - 1, 40] + u[at, 41] + u[at, 39] - 4 * u[at, 40]) / h**2
        source = (cells.CONSTANT[1][0] + cells.WAVE[1][0]) / cells.CONDUCTIVITY[1][0]
        assert float(laplace) == pytest.approx(-source, rel=1e-2)
        slope = (3 * u[400, 100] - 4 * u[399, 100] + u[398, 100]) / (2 * h)
        assert float(slope) == pytest.approx(-float(u[400, 100]), rel=1e-2)

    def test_a_reference_that_is_refined_differs_by_what_is_stated(self) -> None:
        few, many = (references.holes(order=order).targets for order in (16, 20))
        assert float((few - many).norm() / many.norm()) < 1e-4
        assert float(many.min()) > -1e-4
        assert float(many.max()) < 1 + 1e-4

    def test_a_system_is_solved_as_its_reference_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of second order, so that u and its slope are two states and one equation."""
        swing = System("swing", 2.0, {"u": 1.0, "u_t": 0.0}, {"u": "u_t", "u_t": "-9*u"}, 1e-11)
        found = swing.reference()
        assert torch.allclose(found.targets, torch.cos(3 * found.inputs), atol=1e-11)
        monkeypatch.setitem(REFERENCES, "swing", swing.reference)
        entry = SuiteEntry("swing", "typed", swing.typed(), widths=(24,), way="solve", reference="swing")
        figures = solved(entry, seed=0, seconds=60.0)
        assert figures["status"] == "ok"
        assert figures["relative_l2_by_output"]["u"] < 1e-8

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
