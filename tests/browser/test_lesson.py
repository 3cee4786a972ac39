"""A class in the lesson: six links, six predictions, six experiments that really run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lsr_app.screens.lesson import lessontexts
from tests.browser.journeys import button, chart, expect_page, expect_view, follow, settle, view, visit


def predict(page: Page, option: int) -> None:
    page.get_by_test_id("stRadio").locator("label").filter(has=page.locator("input")).nth(option).click()
    expect(button(page, "run_step")).to_be_enabled()


def test_six_links_open_six_experiments(new_page: Callable[[], Page]) -> None:
    for step, question in enumerate(lessontexts.QUESTIONS, start=1):
        page = new_page()
        visit(page, "lesson", step=step)
        expect(page.locator("h2.lsr-section")).to_have_text(f"{step}. {question.title}")
        predict(page, step % 3)
        button(page, "run_step").click()
        chart(page, f"lesson_{step}")
        settle(page)
        expect(page.locator(".lsr-answers")).to_contain_text(question.options[step % 3])
        assert page.get_by_text(re.compile("|".join(map(re.escape, question.conclusions)))).count() == 1
        expect(page.get_by_text(re.compile(r"Computed in [\d.]+ m?s"))).to_be_visible()
        page.context.close()


def test_steps_are_places_in_the_history_and_stay_in_the_lesson(page: Page) -> None:
    visit(page, "lesson")
    button(page, "next_step").click()
    expect_view(page, "lesson", step="2")
    page.get_by_text(f"6. {lessontexts.QUESTIONS[5].title}").first.click()
    expect_view(page, "lesson", step="6")
    settle(page)
    page.get_by_text(lessontexts.PRESENT).click()
    expect_view(page, "lesson", step="6", present="1")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    page.reload()
    expect(page.locator("h2.lsr-section")).to_have_text(f"6. {lessontexts.QUESTIONS[5].title}")
    page.get_by_text(lessontexts.PRESENT).click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    settle(page)
    follow(page, "rank")
    assert "step" not in view(page)


@pytest.mark.parametrize("path", ["training", "lesson"])
def test_pages_are_reached_from_the_sidebar(path: str, page: Page) -> None:
    visit(page)
    expect_page(page, "")
    follow(page, path)
