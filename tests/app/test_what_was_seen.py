"""What a new user saw on the pages of 9652bc1 and what holds it off since: a test for each, those that had none yet below.

Issue 20 lists what was seen; `SEEN` says which test fails where it is so again. Layout is looked at in tests/browser/test_what_was_seen.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lsr_app.reading import iterationdata
from lsr_app.screens.frequencies import figures
from lsr_app.shell import pages
from lsr_core.storage.runs import RunStore
from lsr_core.storage.steps import StepStore
from lsr_samples.make_runs import RUNS, SHIPPED_ID
from tests.app import iterations, statements, synthetic
from tests.app.conftest import Opener, html

TESTS = Path(__file__).parents[1]
SEEN = {
    "rank 0 cannot be selected": "app/test_pages.py::test_the_network_as_it_is_can_be_looked_at",
    "κ = 4e16 and no digit left, where twelve are right": "app/test_telling_figures.py::test_the_text_on_conditioning_follows_the_numbers",
    "untrusted singular values without a word why the result holds": "app/test_statements.py::test_the_check_tells_true_from_false",
    "training anew does not help, where nothing was trained anew": "core/test_verdict.py::test_only_what_was_measured_is_said",
    "overfits, of a rank that is not the one shown":
        "app/test_verdict_page.py::test_the_page_says_which_rank_a_verdict_is_about_and_what_was_not_tested",
    "0.95 reads as a probability": "core/test_verdict.py::test_confidence_is_a_word_with_its_reason",
    "an axis to 1e-32 hides the minimum":
        "app/test_telling_figures.py::test_a_training_error_at_rounding_does_not_hide_the_minimum_of_the_validation_error",
    "the highest energies are cut off": "app/test_what_was_seen.py::test_the_highest_energies_are_within_the_scale",
    "exact zeros stretch the scale": "app/test_telling_figures.py::test_few_points_that_are_zero_to_rounding_do_not_stretch_the_scale_and_stay_blank",
    "squares are drawn 2:3": "app/test_telling_figures.py::test_a_square_is_drawn_as_a_square_and_time_is_no_length",
    "hints show a logarithm without a name": "app/test_telling_figures.py::test_hints_name_inputs_with_units_and_the_value_itself",
    "the observations are drawn nowhere": "app/test_telling_figures.py::test_noisy_observations_are_drawn_all_of_them",
    "a meaningless scatter beyond two inputs": "app/test_telling_figures.py::test_many_inputs_are_drawn_as_predictions_against_the_truth",
    "the time left counts up": "core/test_pace.py::test_a_known_course_foretells_the_time_from_a_fifth_on",
    "loss paths have a small part of the bar": "core/test_pace.py::test_what_a_job_teaches_is_a_course",
    "figures appear here, on pages that do not follow": "app/test_pages.py::test_unfinished_runs_say_so",
    "the overview is five pages in one": "browser/test_what_was_seen.py::test_the_overview_is_two_screens_tall",
    "Choose fills a form below the fold": "browser/test_what_was_seen.py::test_what_is_chosen_is_seen_in_the_form",
    "nothing says what this is": "app/test_runs_pages.py::test_the_first_screen_says_what_this_does_and_where_to_begin",
    "sixty rows without sort, filter or columns": "app/test_runs_pages.py::test_every_run_is_a_row_whose_numbers_are_numbers",
    "a comparison of two, without numbers": "app/test_comparisons.py::test_a_link_opens_a_comparison_that_says_what_is_so",
    "one colour for two runs": "app/test_runs_pages.py::test_each_run_has_its_own_colour_and_its_own_rank",
    "the rank of one is forced on the other": "app/test_runs_pages.py::test_a_run_laid_over_another_stands_at_its_own_rank",
    "different problems are overlaid without a warning": "app/test_what_was_seen.py::test_a_run_of_another_problem_is_laid_over_with_a_warning",
    "first looks are forms": "app/test_nothing_empty.py::test_the_shipped_run_fills_the_pages_of_experiments",
    "contrast, tables without keys, order of headings": "browser/test_accessibility.py::test_every_page",
    "a column is cut off": "browser/test_what_was_seen.py::test_no_table_is_cut_off",
    "the rank is in a drawer on phones": "browser/test_what_was_seen.py::test_the_rank_is_in_reach_on_a_phone",
    "two names for one thing": "app/test_what_was_seen.py::test_a_problem_has_one_name",
    "backticks": "app/test_what_was_seen.py::test_nothing_stands_in_backticks",
    "1.7e-05 beside 1.7e-5": "app/test_statements_everywhere.py::test_every_page_of_every_shipped_run_is_written_for_people",
    "a factor of 1.064": "app/test_what_was_seen.py::test_small_gains_are_percents",
}  # fmt: skip


@pytest.mark.parametrize("seen", SEEN)
def test_each_has_a_test(seen: str) -> None:
    file, _, name = SEEN[seen].partition("::")
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8")


def test_the_highest_energies_are_within_the_scale(store: RunStore) -> None:
    found = iterationdata.read(StepStore(iterations.complete(store).path))
    assert found is not None
    found.steps[0].spectrum.network = [1e-3, 3e5, *[1e-3] * 5000]
    assert 10 ** figures.heat_limits(found)[1] >= 3e5


def test_a_run_of_another_problem_is_laid_over_with_a_warning(store: RunStore, open_page: Opener) -> None:
    one, same = (synthetic.complete(store, side=8, max_rank=20, seed=seed) for seed in (0, 1))
    other = synthetic.complete(store, side=8, max_rank=20, names=[("a", ""), ("b", "")])
    for run, warned in ((same, False), (other, True)):
        app = open_page("rank", run=one.id, compare=run.id)
        assert any("different" in warning.value for warning in app.warning) == warned


@pytest.mark.slow
def test_a_problem_has_one_name(shipped: RunStore, open_page: Opener) -> None:
    """Its title, on every page; what commands call it stands in code alone."""
    run = next(entry.id for entry in RUNS if entry.name == "noisy1d")
    told = {page: statements.said(open_page(page, run=run)) for page in pages.found()}
    assert {page for page, text in told.items() if re.search(r"(?<!lsr refine )\bnoisy1d\b", text)} == set()
    assert "Noisy observations in one dimension" in told["overview"]


@pytest.mark.parametrize("page", list(pages.found()))
def test_nothing_stands_in_backticks(page: str, shipped: RunStore, open_page: Opener) -> None:
    assert "`" not in html(open_page(page, run=SHIPPED_ID))


@pytest.mark.parametrize(
    ("before", "after", "said"), [(1.064, 1.0, "6 %"), (1.0, 1.064, "6.4 %"), (3.0, 1.0, "a factor of 3.0")]
)
def test_small_gains_are_percents(before: float, after: float, said: str) -> None:
    from lsr_app.screens.overview import overviewtexts

    sentence = overviewtexts.gain_sentence("test error", before, after, 5, 20)
    assert said in sentence
    assert "1.06" not in sentence
