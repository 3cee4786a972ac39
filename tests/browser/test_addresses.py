"""Addresses that are wrong: one sentence, a way on, never a traceback."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from lsr_core.storage.runs import Run
from tests.browser import journeys

pytestmark = pytest.mark.browser


def test_a_run_that_cannot_be_opened_gets_one_sentence_and_a_way_on(page: Page, shipped: Run) -> None:
    for run, sentence in (
        ("../../etc", "is no run id"),
        ("..%2F..%2Fetc%2Fpasswd", "is no run id"),
        ("%3Cscript%3Ealert(1)%3C/script%3E", "is no run id"),
        ("0" * 32, "There is no run with this id"),
    ):
        journeys.visit(page, "export", run=run)
        journeys.expect_sentence(page, sentence)
        assert "etc" not in page.get_by_test_id("stAlert").first.inner_text()
    page.get_by_role("button", name="Open the run that comes with the product").click()
    journeys.expect_view(page, "export", run=shipped.id)
    journeys.expect_rank(page, shipped.summary.rank)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_values_that_do_not_fit_are_held_with_a_message(page: Page, shipped: Run) -> None:
    for given, rank, sentence in (
        ("123456", int(shipped.fields.ranks[-1]), "Rank 123,456 is outside this run"),
        ("-7", 0, "is outside this run"),
        ("ten", shipped.summary.rank, "that is no whole number"),
    ):
        journeys.visit(page, "rank", run=shipped.id, rank=given)
        journeys.expect_sentence(page, sentence)
        journeys.expect_rank(page, rank)
        assert journeys.view(page).get("rank") in (str(rank), None)
    journeys.visit(page, "fields", run=shipped.id, section="nothing", at="4000", own="yes", compare="1" * 32)
    journeys.expect_sentence(page, "nothing is laid over")
    journeys.chart(page, "maps_0")
