"""Forty noisy points and a network, without a validation split: bands, σ, and the same standard deviations in every file that is given out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

import lsr_core
from lsr_core.portable.check import evaluate
from lsr_core.portable.runner import STD
from tests.browser import journeys
from tests.browser.conftest import Server
from tests.browser.test_bring_files import upload

pytestmark = pytest.mark.browser

POINTS, NOISE = 40, 0.1


def written(folder: Path) -> tuple[Path, Path]:
    """A network that has hardly been trained, as `torch.save` leaves it, and noisy points as a table."""
    draw = np.random.default_rng(4)
    x = np.sort(draw.uniform(-1, 1, POINTS))
    u = np.sin(4 * x) + NOISE * draw.standard_normal(POINTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [torch.nn.Linear(1, 20), torch.nn.Tanh(), torch.nn.Linear(20, 20), torch.nn.Tanh()]
        network = torch.nn.Sequential(*layers, torch.nn.Linear(20, 1)).double()
    weights, data = folder / "net.pt", folder / "points.csv"
    torch.save(network.state_dict(), weights)
    rows = zip(x, u, network(torch.from_numpy(x)[:, None]).detach().numpy()[:, 0], strict=True)
    data.write_text("x,u,predictions\n" + "\n".join(",".join(f"{value:.17g}" for value in row) for row in rows) + "\n")
    return weights, data


@pytest.mark.slow
def test_noisy_points_without_a_validation_split_get_bands_that_files_repeat(
    page: Page, server: Server, tmp_path: Path
) -> None:
    upload(page, *written(tmp_path))
    page.get_by_text("Units and splits").click()
    for name in ("validation", "test"):
        share = page.get_by_role("spinbutton", name=f"Share for {name}")
        share.fill("0")
        share.press("Tab")
        journeys.settle(page)
    expect(page.get_by_text("Rows: 40 train.")).to_be_visible()
    page.get_by_role("button", name="Make the problem").click()
    journeys.button(page, "refine_made").click()
    journeys.expect_page(page, "refine")
    journeys.select(page, "Smoothing", "Automatic")
    run = server.run(journeys.begin(page))
    journeys.until(lambda: run.status().status in ("complete", "failed"), "the run has ended")
    assert run.status().status == "complete", run.status()
    assert run.summary.n_residuals == POINTS
    assert run.summary.noise_std == pytest.approx(NOISE, rel=0.3)

    journeys.visit(page, "rank", run=run.id)
    for label in ("Noise σ", "Left by the fit", "Degrees of freedom"):
        expect(page.locator(".lsr-number", has=page.get_by_text(label, exact=True))).to_be_visible()
    journeys.chart(page, "criterion")
    journeys.visit(page, "fields", run=run.id)
    drawn = json.loads(journeys.values(page, "smoothing_bands"))
    assert POINTS in map(len, drawn)  # the samples; the predictor and its two bands are lines
    assert len(drawn) == 4

    points = torch.linspace(-1.2, 1.2, 25, dtype=torch.float64)[:, None]
    journeys.visit(page, "export", run=run.id)
    mean, std = lsr_core.load_predictor(journeys.download(page, "predictor", tmp_path)).predict(points, std=True)
    assert float(std.min()) >= (run.summary.noise_std or 0)
    for label, form in (("Python module", "python"), ("ONNX", "onnx")):
        page.locator(".st-key-form").get_by_text(label, exact=True).click()
        expect(page.get_by_text("mean, std = ").last).to_be_visible()
        journeys.button(page, "form_make").click()
        expect(journeys.button(page, "form_file")).to_be_visible()
        found = evaluate(journeys.download(page, "form_file", tmp_path), form, {"x": points})
        np.testing.assert_allclose(found["x"].numpy(), mean.numpy(), rtol=0, atol=1e-11)
        np.testing.assert_allclose(found[f"x{STD}"].numpy(), std.numpy(), rtol=1e-7)

    page.reload()
    journeys.settle(page)
    again = lsr_core.load_predictor(journeys.download(page, "predictor", tmp_path)).predict(points, std=True)
    assert torch.equal(again[1], std)
