"""A word where rounding decides how long a step is."""

from __future__ import annotations

from pathlib import Path

from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.length import length_notes
from lsr_core.refinement.refine import refine
from lsr_core.storage.bundles import load_problem
from tests import bundles


def test_said_beyond_the_precision_and_not_within() -> None:
    assert length_notes(10, 1e15, 1e9, 1.0, 2.2e-16) == []
    assert length_notes(0, None, 0.0, 1.0, 2.2e-16) == []
    (note,) = length_notes(10, 3e16, 1e13, 17.0, 2.2e-16)
    assert "3.0e+16" in note
    assert "1.0e+13" in note
    assert "infinite" in length_notes(10, None, 1e13, 17.0, 2.2e-16)[0]


def test_a_refinement_says_it(tmp_path: Path) -> None:
    """The second input hardly moves, so the weights that take it are seen only through rounding."""
    data = bundles.arrays()
    for name in ("train_inputs", "validation_inputs", "test_inputs"):
        data[name][:, 1] *= 1e-9
    problem = load_problem(bundles.write(tmp_path / "tiny", data=data))
    for dtype, rank, said in (("float64", 3, False), ("float32", 21, True)):
        summary = refine(problem, RefineConfig(dtype=dtype, rank=rank, max_rank=21, rcond=0.0)).summary
        assert any("precision resolves" in note for note in summary.notes) == said
