"""Pages on a run of an equation whose solution nobody knows: no errors, no NaN, no invented truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lsr_app.making.rebuild import make
from lsr_app.making.report import report
from lsr_app.reading import rundata
from lsr_app.screens.export.exports import predictions
from lsr_app.screens.path import pathtexts
from lsr_app.screens.rank import ranktexts
from lsr_app.services import runs
from lsr_app.words import figuretexts, formats, texts
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.portable import weights
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.steps import StepStore
from tests.app import iterations
from tests.app.conftest import SCRIPTS, Opener, html, spec

LINE: dict[str, Any] = {
    "inputs": {"x": (0.0, 1.0)},
    "equations": [{"equation": "u_xx = -sin(x)", "points": 60}],
    "conditions": [{"where": "x = 0", "equation": "u = 0", "points": 1}],
}
SQUARE: dict[str, Any] = {
    "inputs": {"x": (0.0, 1.0), "t": (0.0, 1.0)},
    "equations": [{"equation": "u_t = u_xx", "points": 60}],
    "conditions": [{"where": "t = 0", "equation": "u = sin(pi*x)", "points": 20}],
}


BENT = SQUARE | {"equations": [{"equation": "u_t + 4*u*u_x = u_xx", "points": 60}]}


def refined(store: RunStore, bundle: Path, arguments: dict[str, Any], config: RefineConfig) -> Run:
    typed = problem_of(TypedArguments(**arguments), StartingNetwork(widths=[8]))
    made = queue.create(store, save_problem(bundle, typed), config, owner="cli")
    execute(made)
    assert made.status().status == "complete", made.status().error
    return made


@pytest.fixture(params=[LINE, SQUARE], ids=["line", "square"])
def run(request: pytest.FixtureRequest, store: RunStore, tmp_path: Path) -> Run:
    return refined(store, tmp_path / "typed", request.param, RefineConfig(max_rank=12))


@pytest.fixture
def stepped(store: RunStore, tmp_path: Path) -> Run:
    made = refined(store, tmp_path / "bent", BENT, RefineConfig(max_rank=12, gauss_newton=3))
    fresh = made.summary.residual_norm.fresh_nonlinear
    assert fresh is not None
    assert made.sweep.val_mse[made.summary.rank] > 1.01 * fresh**2  # the sweep is that of the solve before the steps
    return made


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "conditioning"])
def test_no_page_invents_a_truth(name: str, run: Run, open_page: Opener) -> None:
    app = open_page(name, run=run.id)
    assert not app.error
    said = " ".join(
        [html(app), *(element.value for element in app.markdown), *(element.value for element in app.caption)]
    )
    assert "nan" not in said.lower().replace("unan", "")
    charts = " ".join(chart.proto.spec for chart in app.get("plotly_chart"))
    assert "NaN" not in charts
    assert '"Truth"' not in charts
    if name in ("overview", "fields", "frequencies"):
        assert texts.NO_REFERENCE in [element.value for element in app.info]
    if name == "rank":
        assert "reference" not in said.lower()
        assert figuretexts.FIGURES["errors_unreferenced"].title in said
        assert texts.FRESH_LOSS in said
    if name == "frequencies":
        assert charts == ""  # a spectrum of the field would pass for that of its error
    if name in ("overview", "export"):
        assert texts.FRESH_RESIDUAL in said


def test_headline_is_the_residual_at_fresh_points(run: Run) -> None:
    data = rundata.read(run)
    assert not data.has_reference
    label, _, base, refined = data.headline(data.summary.rank)
    assert label == texts.FRESH_RESIDUAL
    assert base == pytest.approx(data.summary.residual_norm.fresh_base)
    assert refined == pytest.approx(data.summary.residual_norm.fresh_nonlinear)
    assert refined < base


def test_list_and_headline_say_the_same(run: Run, open_page: Opener) -> None:
    said = html(open_page("overview", run=run.id))
    _, _, base, refined = rundata.read(run).headline(run.summary.rank)
    for value, name in ((base, "base"), (refined, "refined")):
        assert said.count(f"<span class='lsr-{name}'>{formats.error(value)}</span>") == 1
    assert runs.entries("cli")[0].gain == (base, refined)


def test_list_gives_the_residuals_of_an_iterative_run(store: RunStore) -> None:
    run = iterations.complete(store)
    kept = StepStore(run.path)
    summary = kept.summary()
    assert summary is not None
    kept.write_summary(summary.model_copy(update={"base_relative_l2": None, "best_relative_l2": None}))
    steps = {step.index: step for step in kept.steps()}
    best = steps[summary.best_index]
    assert runs.entries("cli")[0].gain == (steps[0].fresh_residual, best.fresh_residual)


def test_after_gauss_newton_steps_the_rank_page_shows_their_result(stepped: Run, open_page: Opener) -> None:
    summary = stepped.summary
    app = open_page("rank", run=stepped.id)
    assert ranktexts.stepped_rank(summary.rank) in [element.value for element in app.markdown]
    [marked] = [trace for trace in spec(app)["data"] if trace["name"] == "Selected"]  # type: ignore[attr-defined]
    assert marked["y"] == [pytest.approx(summary.refined.val_mse)]
    said = html(app)
    assert formats.error(summary.refined.val_mse) in said
    assert formats.error(summary.delta_norm) in said


def test_after_gauss_newton_steps_the_path_reports_the_field_and_not_its_linear_model(
    stepped: Run, open_page: Opener
) -> None:
    app = open_page("path", run=stepped.id)
    assert f"<span class='lsr-refined'>{formats.error(stepped.summary.refined.val_mse)}</span>" in html(app)
    assert pathtexts.STEPPED_PATH in [element.value for element in app.caption]


@pytest.mark.parametrize("form", ["python", "weights"])
def test_what_is_said_about_a_file_has_no_error(form: str, run: Run, tmp_path: Path) -> None:
    note = make(run, run.summary.rank, form, tmp_path / "file")
    assert "inf" not in note
    assert "nan" not in note
    assert weights.DISTANCE in note if form == "weights" else "error" not in note


def test_predictions_leave_the_target_empty(run: Run) -> None:
    data = rundata.read(run)
    lines = predictions(data, data.summary.rank).decode().splitlines()
    place = lines[0].split(",").index("target u")
    assert {line.split(",")[place] for line in lines[1:]} == {""}
    from lsr_app.commands.results import _csv

    assert {line.split(",")[place] for line in _csv(run).splitlines()[1:]} == {""}


def test_report_says_so_too(run: Run) -> None:
    said = report(rundata.read(run), run.summary.rank)[0].split("</script></head>")[1]
    assert texts.FRESH_RESIDUAL in said
    assert ">nan" not in said.lower()
