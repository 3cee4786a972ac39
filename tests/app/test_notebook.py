"""`lsr_app.explore`: a result becomes a run that pages show, and a server shows it."""

from __future__ import annotations

import json
import urllib.request
from html import unescape
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

import lsr_app
import lsr_core
from lsr_app import notebook
from lsr_core import Split, SupervisedProblem
from lsr_core.errors import InputError
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.runs import RunStore
from tests.app.conftest import Opener, html


@pytest.fixture(scope="module")
def result() -> lsr_core.Refinement:  # type: ignore[name-defined]
    torch.manual_seed(1)
    x = torch.linspace(-1, 1, 90, dtype=torch.float64)[:, None]
    model = torch.nn.Sequential(torch.nn.Linear(1, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1)).double()
    splits = (Split(x[k::3], torch.sin(3 * x[k::3])) for k in range(3))
    return lsr_core.refine(SupervisedProblem("from a notebook", model, *splits), max_rank=12)


def test_a_result_is_a_run_that_the_pages_show(result: object, store: RunStore, open_page: Opener) -> None:
    run = notebook.keep(result, store.root)  # type: ignore[arg-type]
    assert run.status().status == "complete"
    assert run.summary.rank == result.summary.rank  # type: ignore[attr-defined]
    for page in ("overview", "rank", "fields", "path", "export"):
        app: AppTest = open_page(page, run=run.id)
        assert not app.error, [error.value for error in app.error]
    assert "from a notebook" in html(open_page("overview", run=run.id))
    with pytest.raises(InputError, match="my_problem"):
        load_problem(run.problem_path)


def test_a_registered_network_can_be_rebuilt(store: RunStore) -> None:
    problem = lsr_core.load_problem("noisy1d")
    run = notebook.keep(lsr_core.refine(problem, max_rank=6), store.root)
    assert load_problem(run.problem_path).name == problem.name


def test_the_slider_is_a_page_of_its_own_with_the_figures_of_the_run(result: object, store: RunStore) -> None:
    shown = lsr_app.slider(result, height=500)._repr_html_()  # type: ignore[arg-type]
    assert shown.startswith('<iframe srcdoc="')
    page = unescape(shown.split('srcdoc="')[1].rsplit('" style=', 1)[0])
    told = json.loads(page.split("window.LSR = ")[1].split(";</script>")[0])
    assert told["ladder"][told["start"]] == result.rank  # type: ignore[attr-defined]
    assert "src='" not in page
    run = notebook.keep(result, store.root)  # type: ignore[arg-type]
    assert lsr_app.slider(run.id, runs=store.root).page == lsr_app.slider(run).page
    with pytest.raises(InputError, match="lsr runs"):
        lsr_app.slider("nothing", runs=store.root)


def test_explore_serves_the_run_until_it_is_stopped(
    result: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = lsr_app.explore(result, runs=tmp_path / "runs")  # type: ignore[arg-type]
    try:
        (run,) = RunStore(tmp_path / "runs").list()
        assert url.endswith(f"?run={run.id}")
        assert urllib.request.urlopen(url, timeout=30).status == 200
        said = capsys.readouterr().out
        assert url in said
        assert "lsr_app.stop()" in said
        again = lsr_app.explore(run.id, runs=tmp_path / "runs")
        assert again == url
    finally:
        lsr_app.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
