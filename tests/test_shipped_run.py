"""The run that the dashboard opens on is what its script makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lsr_samples
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import SHIPPED_ID, make

MAX_BYTES = 5 * 10**6


def test_nothing_of_it_was_changed_since_its_digests_were_noted() -> None:
    """Who changes a file of it by hand calls `digests.write(run.path)` afterwards."""
    assert damage(RunStore(lsr_samples.runs_folder()).open(SHIPPED_ID).path) == []


def test_made_again_it_is_the_same_to_rounding(tmp_path: Path) -> None:
    shipped = RunStore(lsr_samples.runs_folder()).open(SHIPPED_ID)
    again = make(tmp_path)
    assert shipped.size() <= MAX_BYTES
    assert again.size() <= MAX_BYTES
    assert shipped.summary.strategy == again.summary.strategy
    assert shipped.summary.base.test_mse == pytest.approx(again.summary.base.test_mse, rel=1e-9)
    # directions at the end of the spectrum are at rounding level, so other machines differ there, but not in size
    assert shipped.summary.refined.test_mse == pytest.approx(again.summary.refined.test_mse, rel=1.0)
    np.testing.assert_allclose(shipped.sweep.test_mse[:500], again.sweep.test_mse[:500], rtol=1e-3)
    np.testing.assert_array_equal(shipped.fields.targets, again.fields.targets)
    assert load_problem(shipped.problem_path).name == "sine2d"
