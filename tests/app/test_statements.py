"""What pages say in words is what the run says in numbers: every sample's every page, at the chosen rank and at another."""

from __future__ import annotations

import pytest

import lsr_samples
from lsr_app.reading import rundata
from lsr_core.storage.runs import RunStore
from lsr_samples.make_runs import RUNS
from tests.app import statements, synthetic, uncut
from tests.app.conftest import Opener

PAGES = ("overview", "rank", "fields", "path", "frequencies")
REFINED = {entry.name: entry.id for entry in RUNS if entry.kind == "refine"}
QUICK = ("noisy1d",)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in REFINED]
)
def test_no_page_of_a_sample_says_what_its_run_does_not(
    name: str, page: str, shipped: RunStore, open_page: Opener
) -> None:
    data = rundata.read(shipped.open(REFINED[name]))
    for rank in (data.auto_rank, data.ladder[len(data.ladder) // 2]):
        text = statements.said(open_page(page, run=data.id, rank=rank))
        seen, wrong = statements.contradictions(text, data, rank)
        assert wrong == []
        assert statements.clumsy(text) == []
        assert seen or page == "frequencies"  # which has no spectrum of what is no field


def test_every_form_of_statement_is_met(store: RunStore, shipped: RunStore, open_page: Opener) -> None:
    """Otherwise a form that is worded anew would no longer be checked."""
    met: set[str] = set()
    noisy = shipped.open(REFINED["noisy1d"])
    other = synthetic.complete(store, side=12, max_rank=40)
    two = synthetic.complete(store, side=12, max_rank=40, outputs=2)
    sine = shipped.open(REFINED["sine2d"])
    for run, page in (
        (sine, "overview"),
        (noisy, "overview"),
        (uncut.noisy(store), "rank"),
        (noisy, "path"),
        (other, "fields"),
        (sine, "frequencies"),
        (two, "overview"),
    ):
        data = rundata.read(run)
        rank = data.ladder[-1] if run in (other, two) or page == "rank" else data.auto_rank
        seen, wrong = statements.contradictions(statements.said(open_page(page, run=run.id, rank=rank)), data, rank)
        assert wrong == []
        met |= seen
    assert met == {statement.name for statement in statements.STATEMENTS}


@pytest.mark.parametrize(
    ("said", "is_wrong"),
    [
        ("At rank 16 of 72 refinement lowers the test error by a factor of 2.9.", False),
        ("At rank 16 of 72 refinement lowers the test error by a factor of 3.9.", True),
        ("At rank 16 of 72 refinement raises the test error by a factor of 2.9.", True),
        ("The validation error is smallest at rank 40.", True),
        ("Beyond the axis: Training goes on down to 5.2e-16.", True),
        ("12 of the 16 directions have singular values below the sketch error, 1.0e-3: ", True),
    ],
)
def test_the_check_tells_true_from_false(said: str, is_wrong: bool) -> None:
    data = rundata.read(RunStore(lsr_samples.runs_folder()).open(REFINED["noisy1d"]))
    seen, wrong = statements.contradictions(said, data, data.auto_rank)
    assert seen
    assert bool(wrong) == is_wrong


def test_what_lies_beyond_the_axis_is_checked(store: RunStore) -> None:
    data = rundata.read(uncut.noisy(store))
    least = f"{data.sweep.train_mse[-1]:.1e}"
    for said, is_wrong in ((least, False), ("5.2e-16", True)):
        seen, wrong = statements.contradictions(
            f"Beyond the axis: Training goes on down to {said}.", data, data.auto_rank
        )
        assert seen
        assert bool(wrong) == is_wrong


def test_a_page_at_another_rank_than_it_says_is_noticed(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, side=12, max_rank=40)
    data = rundata.read(run)
    text = statements.said(open_page("overview", run=run.id, rank=20))
    assert statements.contradictions(text, data, 20)[1] == []
    assert statements.contradictions(text, data, 5)[1]
