"""Many input functions of an operator: queued from the form, looked at one by one, worst first."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_a_batch_of_functions_is_refined_and_looked_at(page: Page, server: Server) -> None:
    before = {run.id for run in server.store.list()}
    journeys.visit(page)
    journeys.choose(page, "antiderivative", "Operators and classes")
    form = page.locator(".st-key-batch_form")
    for label, value in (("Functions", "3"), ("Maximum rank", "30")):
        field = form.get_by_role("spinbutton", name=label)
        field.fill(value)
        field.press("Tab")
        journeys.settle(page)
    journeys.button(page, "start_batch").click()

    def refined() -> bool:
        made = [run for run in server.store.list() if run.id not in before]
        known = len(made) == 1 and (made[0].path / "status.json").is_file()
        return known and made[0].status().status == "complete"

    journeys.until(refined, "all functions are refined", 180)
    journeys.chart(page, "function_errors")
    expect(page.get_by_text("3 of 3 functions at rank")).to_be_visible()
    worst = journeys.values(page, "one_function_1")
    picker = page.locator(".st-key-function_place").get_by_role("combobox")
    picker.click()
    page.get_by_role("option", name="3. function").click()
    journeys.expect_other_values(page, "one_function_1", worst)
    journeys.expect_no_trouble(page)
