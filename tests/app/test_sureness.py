"""What the rank page says of directions that rounding alone has made."""

from __future__ import annotations

import lsr_samples
from lsr_app.reading import rundata
from lsr_app.screens.rank import ranktexts, sureness
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import RUNS
from tests.app import synthetic


def test_a_level_end_of_the_curves_is_explained() -> None:
    ids = {entry.name: entry.id for entry in RUNS}
    noisy, digits = (
        rundata.read(RunStore(lsr_samples.runs_folder()).open(ids[name])) for name in ("noisy1d", "digits")
    )
    last = sureness.last_that_adds(noisy)
    assert 40 < last < 60
    assert noisy.sweep.test_mse[last] != noisy.sweep.test_mse[last - 1]
    assert abs(noisy.sweep.test_mse[-1] / noisy.sweep.test_mse[last] - 1) < 1e-6
    assert f"beyond rank {last}" in sureness.sentences(noisy, 16)
    assert sureness.last_that_adds(digits) == digits.sweep.max_rank
    assert "stay level" not in sureness.sentences(digits, 16)


def test_a_run_that_changes_nothing_has_no_rank_that_adds(store: RunStore) -> None:
    data = rundata.read(synthetic.complete(store, side=8, max_rank=40))
    data.sweep.train_mse[:] = 1.0
    assert sureness.last_that_adds(data) == 0
    assert ranktexts.left_out(39, 40) == ""
