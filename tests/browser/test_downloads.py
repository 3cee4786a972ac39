"""What is downloaded is what the run holds."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

import lsr_core
from lsr_core.portable.check import evaluate
from lsr_core.storage.runs import Run
from tests.browser import journeys

pytestmark = pytest.mark.browser


@pytest.fixture
def download(page: Page, tmp_path: Path) -> Callable[[str], Path]:
    def fetch(key: str) -> Path:
        return journeys.download(page, key, tmp_path)

    return fetch


def test_the_downloaded_predictor_gives_the_predictions_of_the_run(
    page: Page, download: Callable[[str], Path], shipped: Run
) -> None:
    journeys.visit(page, "export", run=shipped.id)
    predictor = lsr_core.load_predictor(download("predictor"))
    inputs, expected = journeys.held(shipped, shipped.summary.rank)
    with torch.no_grad():
        np.testing.assert_allclose(predictor(inputs).numpy(), expected, rtol=0, atol=1e-11)

    with download("predictions").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    refined = [name for name in rows[0] if name.startswith("refined")]
    table = np.array([[float(row[name]) for name in refined] for row in rows])
    np.testing.assert_allclose(table, expected, rtol=0, atol=1e-11)
    record = json.loads(download("record").read_text(encoding="utf-8"))
    assert record["summary"]["rank"] == shipped.summary.rank


def test_the_predictor_at_another_rank_is_rebuilt_and_downloaded(
    page: Page, download: Callable[[str], Path], tiny_run: Run
) -> None:
    rank = next(rank for rank in map(int, tiny_run.fields.ranks) if rank not in (0, tiny_run.summary.rank))
    journeys.visit(page, "export", run=tiny_run.id, rank=rank)
    journeys.button(page, "rebuild").click()
    expect(journeys.button(page, "predictor_other")).to_be_visible()
    predictor = lsr_core.load_predictor(download("predictor_other"))
    inputs, expected = journeys.held(tiny_run, rank)
    with torch.no_grad():
        np.testing.assert_allclose(predictor(inputs).numpy(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_a_python_module_is_made_checked_and_downloaded(
    page: Page, download: Callable[[str], Path], tiny_run: Run
) -> None:
    journeys.visit(page, "export", run=tiny_run.id)
    page.locator(".st-key-form").get_by_text("Python module", exact=True).click()
    expect(page.get_by_text("from predictor import load")).to_be_visible()
    journeys.button(page, "form_make").click()
    expect(journeys.button(page, "form_file")).to_be_visible()
    expect(page.get_by_text("Checked in a fresh process")).to_be_visible()
    inputs, expected = journeys.held(tiny_run, tiny_run.summary.rank)
    found = evaluate(download("form_file"), "python", {"x": inputs.double()})["x"]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-9)
