"""A class in the lesson: six links, six predictions, six experiments that really run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lsr_app.screens.lesson import lessontexts
from tests.browser.journeys import (
    button,
    chart,
    download,
    expect_page,
    expect_view,
    follow,
    settle,
    view,
    visit,
)


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


@pytest.mark.parametrize("count", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_class_sees_its_predictions_and_keeps_its_answers(
    count: int, new_page: Callable[[], Page], tmp_path: Path
) -> None:
    """The first browser sees the others' predictions arrive without a click, and finds its own again after a reload."""
    cell = "plain" if count == 3 else "ill"  # the server of all journeys remembers its classes
    pages = [new_page() for _ in range(count)]
    for place, page in enumerate(pages):
        visit(page, "lesson", step=7, cell=cell)
        predict(page, place % 4)
        button(page, "run_step").click()
        chart(page, "lesson_cells")
        if place:
            page.context.close()
    first = pages[0]
    expect(first.get_by_text(f"{count} browsers have answered")).to_be_visible()
    first.reload()
    settle(first)
    chart(first, "lesson_class")
    assert first.get_by_test_id("stRadio").locator("input").first.is_checked()
    kept = download(first, "handout", tmp_path).read_text(encoding="utf-8")
    assert lessontexts.CELLS[cell] in kept
    assert lessontexts.CELL_OPTIONS[0] in kept
