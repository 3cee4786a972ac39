"""Weights and data of one's own: from files to a refined predictor."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import journeys
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
FOREIGN = Path(__file__).parents[1] / "foreign"


def upload(page: Page, weights: Path, data: Path) -> None:
    """The page with both files given."""
    journeys.visit(page, "bring", way="files")
    page.locator(".st-key-weights_file input[type=file]").set_input_files(weights)
    expect(page.get_by_text("What the files hold")).to_be_visible()
    journeys.settle(page)
    page.locator(".st-key-data_file input[type=file]").set_input_files(data)
    expect(page.get_by_role("button", name="Make the problem")).to_be_visible()
    journeys.settle(page)


def refine(page: Page, server: Server, rank: int = 30) -> None:
    """Make the problem, refine it with a small rank, and wait for the result."""
    page.get_by_role("button", name="Make the problem").click()
    page.get_by_role("button", name="Refine", exact=True).first.click()
    start = page.get_by_role("button", name="Start refinement")
    expect(start).to_be_visible()
    journeys.fill(page, "Maximum rank", rank)
    expect(page.get_by_text("deleted a few minutes after")).to_be_visible()
    before = {run.id for run in server.store.list()}
    start.click()
    journeys.until(lambda: len(server.store.list()) > len(before), "a run was made")
    (made,) = [run for run in server.store.list() if run.id not in before]
    journeys.until(lambda: made.status().status in ("complete", "failed"), "the run has ended")
    assert made.status().status == "complete", made.status()
    made = server.run(made.id)
    assert made.manifest.session_only
    assert not made.manifest.listed
    base, refined = made.summary.base.train_mse, made.summary.refined.train_mse
    assert base is not None
    assert refined is not None
    assert refined < base


@pytest.mark.parametrize(
    ("name", "activation"), [("torch_mlp", "silu"), ("deepxde_fnn", "sin"), ("neuraloperator_1d", "gelu")]
)
def test_a_foreign_network_reaches_a_refined_predictor(page: Page, server: Server, name: str, activation: str) -> None:
    upload(page, FOREIGN / f"{name}.pt", FOREIGN / f"{name}.npz")

    expect(page.get_by_text(f"with the activation {activation}")).to_be_visible()
    refine(page, server)


@pytest.mark.slow
def test_a_matlab_file_reaches_a_refined_predictor(page: Page, server: Server) -> None:
    upload(page, FOREIGN / "torch_mlp.pt", FOREIGN / "wave.mat")

    expect(page.get_by_text("No predictions are given")).to_be_visible()
    refine(page, server)
