"""From an equation that is typed to a refined predictor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lsr_app.screens.bring import equationtexts
from tests.browser import journeys
from tests.browser.conftest import Server
from tests.foreign.networks import FOREIGN

pytestmark = pytest.mark.browser


def test_a_typed_equation_becomes_a_refined_predictor(page: Page, server: Server, tmp_path: Path) -> None:
    journeys.visit(page, "bring", way="equation")
    expect(page.get_by_text(equationtexts.BLOCK_CAPTION).first).to_be_visible()
    page.locator(".st-key-typed_ready").get_by_role("combobox").click()
    page.get_by_role("option", name="Flow against diffusion").click()
    journeys.button(page, "typed_fill").click()
    expect(page.get_by_role("cell", name="u_xx, u_x", exact=True)).to_be_visible()
    journeys.settle(page)
    _type(page, "constants", column=1, row=0, text="12 +")
    expect(page.get_by_test_id("stAlert")).to_contain_text("cannot be read")
    expect(journeys.button(page, "typed_make")).to_be_disabled()
    _type(page, "constants", column=1, row=0, text="6*2")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    journeys.button(page, "typed_make").click()
    journeys.button(page, "refine_made").click()
    journeys.expect_page(page, "refine")
    journeys.settle(page)
    run = server.run(journeys.begin(page))
    journeys.until(lambda: run.status().status in ("complete", "failed"), "the refinement", 4 * journeys.SECONDS)
    assert run.status().status == "complete"
    described = json.loads((Path(run.problem_path) / "problem.json").read_text(encoding="utf-8"))
    assert described["physics"]["arguments"]["constants"] == {"p": 12.0}
    assert run.summary.refined.relative_l2 is not None
    assert run.summary.refined.relative_l2 < 1e-6
    journeys.chart(page, "headline_lines")
    journeys.expect_no_trouble(page)
    journeys.expect_predictor(page, run, tmp_path)


def test_a_trained_pinn_with_its_equation_becomes_a_refined_predictor(
    page: Page, server: Server, tmp_path: Path
) -> None:
    journeys.visit(page, "bring", way="equation")  # opens on the heat equation, for which it was trained
    page.get_by_role("radio", name=equationtexts.NETWORKS["trained"]).click()
    expect(page.get_by_text(equationtexts.NO_WEIGHTS)).to_be_visible()
    page.locator(".st-key-typed_weights input[type=file]").set_input_files(FOREIGN / "deepxde_pinn.pt")
    expect(page.get_by_text("Your network leaves a residual of")).to_be_visible()
    page.locator(".st-key-typed_predictions input[type=file]").set_input_files(FOREIGN / "deepxde_pinn.npz")
    expect(page.get_by_text("The loaded network gives the predictions of the file")).to_be_visible()
    journeys.settle(page)
    journeys.button(page, "typed_make").click()
    journeys.button(page, "refine_made").click()
    journeys.expect_page(page, "refine")
    journeys.fill(page, "Maximum rank", 120)
    run = server.run(journeys.begin(page))
    journeys.until(lambda: run.status().status in ("complete", "failed"), "the refinement", 4 * journeys.SECONDS)
    assert run.status().status == "complete"
    base, refined = run.summary.base.relative_l2, run.summary.refined.relative_l2
    assert base is not None
    assert refined is not None
    assert base == pytest.approx(6.38e-4, rel=0.01)
    assert refined < base / 10
    expect(page.locator(".lsr-base").first).to_have_text("6.4e-4")
    journeys.chart(page, "headline_map_0")
    journeys.expect_no_trouble(page)
    journeys.expect_predictor(page, run, tmp_path)


def _type(page: Page, table: str, *, column: int, row: int, text: str) -> None:
    """Write into a cell of an editable table, which is drawn on a canvas: by the place of the cell."""
    canvas = page.locator(f"[class*='st-key-typed_{table}_']").locator("canvas").first
    canvas.evaluate("element => element.scrollIntoView({block: 'center'})")  # not under the header
    journeys.settle(page)
    box = canvas.bounding_box()
    assert box is not None
    across = 40 + (box["width"] - 40) * (column + 0.5) / 2
    page.mouse.dblclick(box["x"] + across, box["y"] + 35 * (row + 1.5))  # what lies over the canvas takes the click
    editor = page.locator(".gdg-input, .gdg-growing-entry textarea").first
    expect(editor).to_be_visible()
    editor.fill(text)
    page.keyboard.press("Enter")
