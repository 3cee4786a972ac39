"""Weights and data of one's own: from files to a refined predictor."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journeys
from tests.browser.conftest import Server
from tests.foreign.networks import FOREIGN

pytestmark = pytest.mark.browser


def upload(page: Page, weights: Path, data: Path) -> None:
    """The page with both files given."""
    journeys.visit(page, "bring", way="files")
    page.locator(".st-key-weights_file input[type=file]").set_input_files(weights)
    expect(page.get_by_text("What the files hold")).to_be_visible()
    journeys.settle(page)
    page.locator(".st-key-data_file input[type=file]").set_input_files(data)
    expect(page.get_by_role("button", name="Make the problem")).to_be_visible()
    journeys.settle(page)


def refine(page: Page, server: Server, folder: Path, rank: int = 30) -> None:
    """Make the problem, refine it with a small rank, wait for the result, and take the refined predictor away."""
    page.get_by_role("button", name="Make the problem").click()
    journeys.button(page, "refine_made").click()
    journeys.expect_page(page, "refine")
    journeys.fill(page, "Maximum rank", rank)
    expect(page.get_by_text("deleted a few minutes after")).to_be_visible()
    made = server.run(journeys.begin(page))
    journeys.until(lambda: made.status().status in ("complete", "failed"), "the run has ended")
    assert made.status().status == "complete", made.status()
    assert made.manifest.session_only
    assert not made.manifest.listed
    base, refined = made.summary.base.train_mse, made.summary.refined.train_mse
    assert base is not None
    assert refined is not None
    assert refined < base
    journeys.expect_predictor(page, made, folder)


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("torch_mlp", "silu"),
        pytest.param("deepxde_fnn", "sin", marks=pytest.mark.slow),
        pytest.param("neuraloperator_1d", "gelu", marks=pytest.mark.slow),
    ],
)
def test_a_foreign_network_reaches_a_refined_predictor(
    page: Page, server: Server, tmp_path: Path, name: str, activation: str
) -> None:
    upload(page, FOREIGN / f"{name}.pt", FOREIGN / f"{name}.npz")

    expect(page.get_by_text(f"with the activation {activation}")).to_be_visible()
    refine(page, server, tmp_path)


@pytest.mark.slow
def test_a_matlab_file_reaches_a_refined_predictor(page: Page, server: Server, tmp_path: Path) -> None:
    upload(page, FOREIGN / "torch_mlp.pt", FOREIGN / "wave.mat")

    expect(page.get_by_text("No predictions are given")).to_be_visible()
    refine(page, server, tmp_path)
