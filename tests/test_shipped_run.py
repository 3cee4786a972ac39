"""The runs that come with the product: one of every kind, whole, small, and the first is what its script makes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import lsr_samples
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import RunStore
from lsr_core.suites import LISTS, kept
from lsr_samples.make_runs import RUNS, SHIPPED_ID, make

MAX_BYTES = 5 * 10**6
MAX_ALL_BYTES = 25 * 10**6


def test_nothing_of_them_was_changed_since_their_digests_were_noted() -> None:
    """Who changes a file of one by hand calls `digests.write(run.path)` afterwards."""
    store = RunStore(lsr_samples.runs_folder())
    assert {entry.id: damage(store.open(entry.id).path) for entry in RUNS} == {entry.id: [] for entry in RUNS}


def test_every_kind_of_run_is_among_them_complete_and_small() -> None:
    store = RunStore(lsr_samples.runs_folder())
    found = {entry.id: store.open(entry.id) for entry in RUNS}
    kinds = {run.manifest.kind for run in found.values()}
    assert kinds == set(get_args(JobKind)) - {"solve"}  # whose pages are those of the problem that it writes
    assert {run.status().status for run in found.values()} == {"complete"}
    assert sum(run.size() for run in found.values()) <= MAX_ALL_BYTES
    assert {path.name for path in lsr_samples.runs_folder().iterdir()} == {*found, kept.FOLDER}
    for entry in RUNS:
        manifest = found[entry.id].manifest
        assert (manifest.kind, manifest.title, manifest.problem) == (entry.kind, entry.title, entry.problem)


def test_rows_of_suites_come_along_as_they_were_made() -> None:
    rows = {row.row.name: row for row in kept.read(lsr_samples.runs_folder(), "pinnacle")}
    assert len(rows) >= 6
    for entry in LISTS["pinnacle"]():
        if entry.name in rows:
            row = rows[entry.name].row
            assert (row.published, row.reference_error) == (entry.published, entry.reference_error)


def test_the_dashboard_opens_on_the_first_which_is_the_newest() -> None:
    store = RunStore(lsr_samples.runs_folder())
    assert max(RUNS, key=lambda entry: store.open(entry.id).manifest.created).id == SHIPPED_ID


@pytest.mark.slow
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


@pytest.mark.parametrize("name", ["noisy1d", pytest.param("digits", marks=pytest.mark.slow)])
def test_another_made_again_is_the_same(name: str, tmp_path: Path) -> None:
    entry = next(entry for entry in RUNS if entry.name == name)
    shipped = RunStore(lsr_samples.runs_folder()).open(entry.id)
    again = make(tmp_path, entry)
    assert again.summary.rank == shipped.summary.rank
    assert again.summary.refined.val_mse == pytest.approx(shipped.summary.refined.val_mse, rel=0.05)
