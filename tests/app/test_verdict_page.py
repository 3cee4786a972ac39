"""What a page, a report and the command line show of a verdict: its rank, its reason, both condition numbers, and what was not tested."""

from __future__ import annotations

from lsr_app.commands.refine import _words
from lsr_app.making.report import report
from lsr_app.reading import rundata
from lsr_app.words import verdicttexts
from lsr_core.refinement.summary import Evidence, Verdict
from lsr_core.storage.runs import Run, RunStore
from tests.app import synthetic
from tests.app.conftest import Opener, html

SAID = Verdict(
    limit="open",
    confidence="uncertain",
    because="no other start was tried <here>",
    sentence="A direct solve gains little.",
    evidence=[Evidence(name="best", value=0.9, threshold=0.5, sentence="one solve leaves 0.9", numbers={"left": 0.9})],
    advice="Train again.",
    rank=700,
    untested=["whether another start would do better: it has 9,000 parameters"],
)


def judged(store: RunStore) -> Run:
    run = synthetic.complete(store, rank=700)
    run.write_summary(run.summary.model_copy(update={"verdict": SAID}))
    return Run(run.path)


def test_the_page_says_which_rank_a_verdict_is_about_and_what_was_not_tested(
    store: RunStore, open_page: Opener
) -> None:
    run = judged(store)
    page = html(open_page(run=run.id))
    assert "uncertain: no other start was tried &lt;here&gt;" in page
    assert "Not tested: whether another start" in page
    assert "This verdict is about rank" not in page
    other = html(open_page(run=run.id, rank=21))
    assert "This verdict is about rank 700, which the run reports; rank 21 is shown." in other


def test_signs_of_failure_are_no_alarm_where_the_predictor_is_to_be_used() -> None:
    seen = SAID.model_copy(update={"signatures": ["divergence on update"]})
    assert verdicttexts.signatures(seen).startswith("Published failure signatures seen here: divergence on update (")
    assert verdicttexts.signatures(SAID) == ""
    good = verdicttexts.signatures(seen.model_copy(update={"use": True}))
    assert "failure" not in good
    assert (
        "divergence on update (the network with the step in its weights is worse; the refined predictor is another)"
        in good
    )


def test_the_rank_page_has_both_condition_numbers_by_their_names(store: RunStore, open_page: Opener) -> None:
    run = judged(store)
    page = html(open_page("rank", run=run.id))
    assert "Condition number κ(G V)" in page
    assert "as solved, with scaled columns" in page


def test_report_and_command_line_say_the_same(store: RunStore) -> None:
    run = judged(store)
    page, _, _ = report(rundata.read(run), 21)
    assert "This verdict is about rank 700" in page
    assert "uncertain: no other start was tried &lt;here&gt;" in page
    assert "Not tested: whether another start" in page
    lines = _words(run)
    assert f"({verdicttexts.confidence(SAID)})" in lines
    assert verdicttexts.untested(SAID) in lines
    assert "0.9" in lines
