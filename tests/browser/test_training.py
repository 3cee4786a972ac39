"""A training is followed from the page that shows it: started, seen growing, cancelled, and what is through is kept."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from lsr_app.words import labtexts
from tests.browser.journeys import button, chart, settle, visit


def test_start_watch_and_cancel(page: Page) -> None:
    visit(page, "training")
    page.locator(".st-key-training_form summary").click()  # folded, because a training comes with the product
    field = page.get_by_role("spinbutton", name="Largest rank")
    field.fill("12")
    field.press("Enter")
    expect(page.get_by_text(re.compile("7 checkpoints, from epoch 0 to 200"))).to_be_visible()
    settle(page)
    button(page, "start_training").click()
    expect(page.locator(".st-key-progress")).to_be_visible()
    chart(page, "training_errors")
    through = page.locator(".lsr-number", has=page.get_by_text("Checkpoints", exact=True)).locator(".lsr-value")
    expect(through).to_have_text(re.compile("[1-6] of 7"))
    button(page, "cancel").click()
    expect(page.locator(".st-key-progress")).to_have_count(0)
    chart(page, "training_errors")
    expect(through).to_have_text(re.compile("[1-7] of 7"))
    expect(page.get_by_text(labtexts.LAB_AGAIN["training"])).to_be_visible()
