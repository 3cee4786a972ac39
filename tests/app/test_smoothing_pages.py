"""A run that was fitted to a few noisy samples, without validation and test data, on its pages and in its report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.making.report import write_report
from lsr_app.screens.export import exports
from lsr_app.words import formats
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.app.conftest import OTHERS, Opener, html
from tests.app.uploading import said

PAGES = ("overview", "rank", "fields", "path", "frequencies", "conditioning", "export")
SAMPLES = 30


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, draw = tmp_path_factory.mktemp("noisy"), np.random.default_rng(2)
    x = draw.uniform(-1, 1, (SAMPLES, 1))
    data = {"train_inputs": x, "train_targets": np.sin(3 * x) + 0.1 * draw.standard_normal(x.shape)}
    network = {"architecture": "mlp", "arguments": {"layers": [1, 8, 8, 1]}}
    weights = bundles.tensors_of(network["arguments"])
    described = bundles.description(network=network, inputs=[{"name": "x"}])
    bundle = bundles.write(folder / "few", problem=described, weights=weights, data=data)
    made = create(RunStore(folder / "runs"), bundle, RefineConfig(regularise="auto", max_rank=6), owner="tests")
    execute(made)
    assert made.status().status == "complete", made.status()
    return made


def opened(open_page: Opener, store: RunStore, done: Run, page: str) -> AppTest:
    shutil.copytree(done.path, store.root / done.id)
    return open_page(page, run=done.id)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_run_shows_it(page: str, open_page: Opener, store: RunStore, done: Run) -> None:
    assert not opened(open_page, store, done, page).error


def test_fields_are_drawn_beside_targets_and_not_beside_a_truth(open_page: Opener, store: RunStore, done: Run) -> None:
    app = opened(open_page, store, done, "fields")
    assert "closer to the targets than the network" in said(app)
    traces = [trace["name"] for chart in app.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]]
    assert "Truth" not in traces
    assert {"Fitted samples", "95 % band of the function", "95 % of observations"} <= set(traces)
    (switch,) = [one for one in app.toggle if one.label == "With what the subspace leaves out"]
    bands = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    switch.set_value(False).run()
    assert [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")] != bands


def test_the_residual_stands_beside_the_noise(open_page: Opener, store: RunStore, done: Run) -> None:
    shown = html(opened(open_page, store, done, "rank"))
    assert "Left by the fit" in shown
    assert "Noise σ" in shown


def test_the_overview_has_noise_and_bands_of_the_rank_that_the_run_reports(
    open_page: Opener, store: RunStore, done: Run
) -> None:
    app = opened(open_page, store, done, "overview")
    drawn = {trace["name"] for chart in app.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]}
    assert {"Fitted samples", "95 % band of the function", "95 % of observations"} <= drawn
    assert formats.error(done.summary.noise_std) in html(app)
    other = open_page("overview", run=done.id, rank=done.summary.rank - 1)
    drawn = {trace["name"] for chart in other.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]}
    assert not {"95 % band of the function", "95 % of observations"} & drawn


def test_code_on_the_export_page_asks_for_deviations(open_page: Opener, store: RunStore, done: Run) -> None:
    app = opened(open_page, store, done, "export")
    assert exports.with_deviations(done, done.summary.rank)
    assert any("mean, std = predictor.predict" in code.value for code in app.code)


def test_the_report_has_bands_and_noise(done: Run, tmp_path: Path) -> None:
    write_report(done, done.summary.rank, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for words in ("Noise σ", "Left by the fit", "How often bands hold", "95 % band of the function"):
        assert words in text


def test_pages_are_all_named_here() -> None:
    from lsr_app.shell import pages

    assert set(PAGES) | set(OTHERS) == {page or "overview" for page in pages.found()}
