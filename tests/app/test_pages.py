"""Every page on complete runs of all shapes, and every state in which there is nothing to draw."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import lsr_samples
from lsr_app.screens.refine import settingsform
from lsr_app.services import gallery, jobs, problems
from lsr_app.shell import pages
from lsr_app.words import texts
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import read_description, save_problem
from lsr_core.storage.runs import Run, RunStore
from tests.app import synthetic
from tests.app.conftest import SCRIPTS, Opener, html, spec

CHARTS = {"overview": 3, "rank": 4, "fields": 6, "path": 4, "frequencies": 3, "conditioning": 0, "export": 0}
SMALL = {"side": 12, "max_rank": 40}


@pytest.mark.parametrize("page", SCRIPTS)
def test_page_draws_a_complete_run(page: str, store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page(page, run=run.id)
    charts = app.get("plotly_chart")
    assert len(charts) == CHARTS[page]
    assert all(chart.proto.alt for chart in charts)
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("page", SCRIPTS)
@pytest.mark.parametrize(
    "shape", [{"dimension": 1}, {"dimension": 3, "outputs": 2}, {"validation": False}, {"interpolated": True}]
)
def test_page_draws_other_shapes(page: str, shape: dict[str, int], store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **{**SMALL, **shape})
    app = open_page(page, run=run.id)
    assert not app.error
    scattered = page == "frequencies" and shape.get("dimension") == 3  # says what it needs
    if page not in ("export", "conditioning") and not scattered:  # experiments are runs of their own
        assert app.get("plotly_chart")


def test_the_error_of_each_output_stands_beside_the_pooled_one(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, outputs=2, **SMALL)
    assert texts.OUTPUT_CAPTION in html(open_page("overview", run=run.id))
    assert texts.OUTPUT_CAPTION not in html(open_page("overview", run=synthetic.complete(store, **SMALL).id))


@pytest.mark.parametrize("page", SCRIPTS)
def test_equations_show_their_three_norms_and_steps(page: str, store: RunStore, open_page: Opener) -> None:
    app = open_page(page, run=synthetic.physics(store, stepped=True, **SMALL).id)
    assert not app.error
    said = html(app) + " ".join(caption.value.replace("\\", "") for caption in app.caption)
    if page not in ("export", "frequencies", "conditioning"):
        for norm in ("base", "linear", "solved", "stepped"):
            assert texts.NORMS[norm] in said
    if page == "overview":
        assert len(app.get("plotly_chart")) == CHARTS[page] + 1
        assert "3, refused" in said
        assert "0.4" in said


@pytest.mark.parametrize("equation", [True, False])
def test_form_asks_for_gauss_newton_steps_of_equations_only(
    equation: bool, tmp_path: Path, store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lsr_samples.folder("sine2d")
    if equation:
        pde = equations.build("reaction", {"n_interior": 200})
        arguments = {"layers": [2, 6, 1], "domain": {name: list(bounds) for name, bounds in pde.domain.items()}}
        model = architectures.build("pinn-mlp", arguments).eval()
        problem = make_problem(pde, model, architecture=Architecture("pinn-mlp", arguments))
        folder = save_problem(tmp_path / "bundle", problem)
    monkeypatch.setenv(gallery.PROBLEM_VARIABLE, str(folder))
    app = open_page("refine")
    assert not app.error
    assert ("Gauss-Newton steps" in [field.label for field in app.number_input]) == equation


@pytest.mark.parametrize("page", SCRIPTS)
def test_page_lays_a_second_run_over(page: str, store: RunStore, open_page: Opener) -> None:
    first = synthetic.complete(store, **SMALL)
    second = synthetic.complete(store, title="second", side=12, max_rank=30, seed=1)
    app = open_page(page, run=first.id, compare=second.id)
    assert not app.error
    assert any("Laid over" in caption.value for caption in app.caption)
    if page == "rank":
        assert "Test (2)" in [trace.get("name") for trace in spec(app)["data"]]  # type: ignore[attr-defined]
    if page == "fields":
        assert len(app.get("plotly_chart")) == 8


@pytest.mark.parametrize("page", SCRIPTS)
def test_without_runs_there_is_one_button_that_makes_one(page: str, store: RunStore, open_page: Opener) -> None:
    app = open_page(page)
    assert [button.label for button in app.button if button.key == "first_run"] == ["Refine the sample “sine2d”"]
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("page", SCRIPTS)
@pytest.mark.parametrize("state", ["queued", "running", "cancelled", "failed"])
def test_unfinished_runs_say_so(page: str, state: str, store: RunStore, open_page: Opener) -> None:
    run = synthetic.unfinished(store, state, message="the disk is <b>full</b>")
    app = open_page(page, run=run.id)
    assert not app.get("plotly_chart")
    if page != "overview":
        assert "This run" in html(app)
    if state in ("queued", "running"):
        assert len(app.get("progress")) == 1  # every page that waits follows the run
    if page != "overview":
        return
    if state == "failed":
        assert "full" in app.error[0].value
        assert "<b>" not in app.error[0].value
        assert "started" in app.code[0].value
    elif state == "cancelled":
        assert "Cancelled" in app.info[0].value


def test_failed_run_fills_the_form_for_another_try(store: RunStore, open_page: Opener) -> None:
    run = synthetic.unfinished(store, "failed")
    assert any("Try again" in link.proto.label for link in open_page(run=run.id).get("page_link"))
    app = open_page("refine", run=run.id)
    assert "Try again" in html(app)
    assert next(box for box in app.selectbox if box.key == "form_problem").value == "the problem of the open run"


def test_default_run_is_the_newest_complete_one(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    synthetic.unfinished(store, "failed")
    app = open_page()
    assert app.query_params["run"] == run.id


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"run": "../../etc/passwd"}, "is no run id"),
        ({"run": "A" * 32}, "is no run id"),
        ({"run": "0" * 32}, "no run with this id"),
    ],
)
@pytest.mark.parametrize("page", ["overview", "rank"])
def test_bad_run_in_the_url_gets_one_sentence(
    page: str, query: dict[str, str], sentence: str, store: RunStore, open_page: Opener
) -> None:
    synthetic.complete(store, **SMALL)
    app = open_page(page, **query)
    said = [element.value for element in (*app.warning, *app.error)]
    assert len(said) == 1
    assert sentence in said[0].replace("\\", "")
    assert not app.get("plotly_chart")
    assert any("Open the newest run" in button.label for button in app.button)


def test_damaged_run_gets_one_sentence(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    fields = run.path / "fields.npz"
    fields.write_bytes(fields.read_bytes()[:100])
    app = open_page("fields", run=run.id)
    assert len(app.error) == 1
    assert "fields\\.npz" in app.error[0].value


@pytest.mark.parametrize(
    ("wanted", "shown", "sentence"),
    [("99999", 40, "outside this run"), ("-3", 0, "outside this run"), ("abc", None, "no whole number")],
)
def test_rank_out_of_range_is_clamped_with_a_message(
    wanted: str, shown: int | None, sentence: str, store: RunStore, open_page: Opener
) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("rank", run=run.id, rank=wanted)
    assert [sentence in warning.value for warning in app.warning] == [True]
    slider = app.sidebar.select_slider[0]
    assert slider.value == (run.summary.rank if shown is None else shown)


@pytest.mark.parametrize("page", SCRIPTS)
def test_the_network_as_it_is_can_be_looked_at(page: str, store: RunStore, open_page: Opener) -> None:
    """Rank 0, by the address and by the slider; it stays, and is a rank like any other."""
    run = synthetic.complete(store, **SMALL)
    app = open_page(page, run=run.id, rank=0)
    assert not app.exception
    assert app.sidebar.select_slider[0].value == 0
    assert app.session_state["w_choice_0"] == "fixed"
    assert app.query_params["rank"] == "0"
    app.sidebar.select_slider[0].set_value(5).run()
    app.sidebar.select_slider[0].set_value(0).run()
    assert app.sidebar.select_slider[0].value == 0
    assert app.query_params["rank"] == "0"


def test_rank_between_the_rungs_is_snapped(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, side=12, max_rank=400)
    app = open_page("rank", run=run.id, rank=11)
    assert app.sidebar.select_slider[0].value in run.fields.ranks
    assert "ladder" in app.warning[0].value


def test_slider_moves_every_figure_and_the_url(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("fields", run=run.id, rank=40)
    before = [chart.proto.spec for chart in app.get("plotly_chart")]
    app.sidebar.select_slider[0].set_value(5).run()
    after = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert app.query_params["rank"] == "5"
    assert [one != other for one, other in zip(before, after, strict=True)] == [False, False, True, False, True, True]


def test_knee_and_auto_are_words_in_the_url(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("rank", run=run.id, rank="knee")
    assert app.sidebar.select_slider[0].value == run.summary.knee


def test_view_survives_a_page_switch(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("rank", run=run.id, rank=5, logx=1)
    app.switch_page(pages.script("fields")).run()
    app.switch_page(pages.script("rank")).run()
    assert app.sidebar.select_slider[0].value == 5
    assert next(toggle for toggle in app.toggle if toggle.key == "w_logx").value is True
    assert app.query_params["logx"] == "1"


def test_names_with_markdown_and_html_show_as_written(store: RunStore, open_page: Opener) -> None:
    names = [("<img src=x onerror=alert(1)>", "**m**"), (":material/home: $x^2$", "_s_")]
    run = synthetic.complete(store, title="<b>bold</b> [link](http://x)", names=names, **SMALL)
    for page in SCRIPTS:
        app = open_page(page, run=run.id)
        body = html(app)
        assert "<img" not in body
        assert "<b>bold" not in body
        for chart in app.get("plotly_chart"):
            assert "<img" not in chart.proto.spec


def test_output_that_does_not_exist_falls_back_with_a_message(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, outputs=2, **SMALL)
    app = open_page("fields", run=run.id, output=7)
    assert any("no output number 8" in warning.value for warning in app.warning)


def test_runs_of_the_same_name_are_told_apart(store: RunStore, open_page: Opener) -> None:
    runs = [synthetic.complete(store, title="same", **SMALL) for _ in range(2)]
    app = open_page("rank", run=runs[0].id)
    options = next(box for box in app.sidebar.selectbox if box.key == "w_run").options
    assert len(set(options)) == 2
    app.sidebar.select_slider[0].set_value(5).run()
    assert app.query_params["run"] == runs[0].id


@pytest.mark.parametrize("section", ["slices", "distribution"])
def test_sections_of_error_fields(section: str, store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("fields", run=run.id, section=section)
    assert len(app.get("plotly_chart")) == {"slices": 2, "distribution": 1}[section]


def test_what_does_not_fit_offers_the_largest_rank_in_one_click(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lsr_core.refinement import plan, resources

    monkeypatch.setattr(plan, "available_bytes", lambda: resources.LIBRARIES + 150 * 2**20)
    app = open_page("refine", run=synthetic.complete(store, **SMALL).id)
    assert any("may be used" in error.value for error in app.error)
    app.button(key="use_largest").click().run()
    rank = next(box for box in app.number_input if box.label == "Maximum rank").value
    assert 0 < rank < 1000
    assert not any("may be used" in error.value for error in app.error)


def test_runs_with_other_shares_of_the_parameters_make_a_line(store: RunStore, open_page: Opener) -> None:
    for seed, fraction in enumerate((0.1, 0.3)):
        synthetic.complete(store, fraction=fraction, seed=seed, **SMALL)
    run = synthetic.complete(store, seed=2, **SMALL)
    app = open_page("rank", run=run.id)
    charts = app.get("plotly_chart")
    assert len(charts) == CHARTS["rank"] + 1
    assert "with 0.1 of them" in charts[-1].proto.alt
    assert not app.get("progress")
    button = next(button for button in app.button if button.key == "shares_start")
    assert button.label == "Refine with 1%, 3% of the parameters"


def test_missing_shares_are_queued(store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.complete(store, **SMALL)
    submitted = []
    monkeypatch.setattr(jobs, "submit", lambda folder, config, owner, title: submitted.append(config))
    monkeypatch.setattr(problems, "forecast", lambda folder, config: SimpleNamespace(fits=True))
    app = open_page("rank", run=run.id)
    assert any("two shares make a line" in caption.value for caption in app.caption)
    next(button for button in app.button if button.key == "shares_start").click().run()
    assert not app.exception
    assert [config.parameter_fraction for config in submitted] == [0.01, 0.03, 0.1, 0.3]
    assert all(config.max_rank == 40 for config in submitted)


def test_runs_with_other_layers_are_points_beside_the_line(store: RunStore, open_page: Opener) -> None:
    synthetic.complete(store, layers="linears.6.*", seed=1, **SMALL)
    run = synthetic.complete(store, seed=2, **SMALL)
    app = open_page("rank", run=run.id)
    traces = {trace.get("name"): trace for trace in spec(app, CHARTS["rank"])["data"]}  # type: ignore[attr-defined]
    assert "linears.6.*" in traces["Chosen by name"]["text"][0]
    assert traces["Chosen by name"]["marker"]["symbol"] == "diamond-open"


def test_the_open_run_stays_in_the_line_when_a_newer_one_has_its_share(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, rank=7, **SMALL)
    synthetic.complete(store, rank=11, seed=1, **SMALL)
    synthetic.complete(store, fraction=0.1, seed=2, **SMALL)
    app = open_page("rank", run=run.id)
    labels = [trace["text"] for trace in spec(app, CHARTS["rank"])["data"] if trace.get("text")]  # type: ignore[attr-defined]
    assert "rank 7," in labels[0][1]


def test_shares_on_their_way_show_progress_and_are_not_offered_again(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    for fraction, status in ((0.1, "running"), (0.3, "queued"), (0.03, "failed")):
        other = synthetic.unfinished(store, status)
        config = run.manifest.config.model_copy(update={"parameter_fraction": fraction})
        other.write_manifest(other.manifest.model_copy(update={"config": config}))
        synthetic.write_problem(other.problem_path, 2, 1, None, None)
    app = open_page("rank", run=run.id)
    assert ["2 runs are queued" in bar.proto.text for bar in app.get("progress")] == [True]
    assert app.get("progress")[0].proto.value == 20
    assert any("a share of 0.03 failed" in caption.value for caption in app.caption)
    assert next(button for button in app.button if button.key == "shares_start").label.startswith(
        "Refine with 1%, 3% of"
    )


def test_shares_that_do_not_fit_are_not_queued(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic.complete(store, **SMALL)
    monkeypatch.setattr(jobs, "submit", lambda *_: pytest.fail("queued"))
    monkeypatch.setattr(problems, "forecast", lambda folder, config: SimpleNamespace(fits=False, sentence="too large"))
    app = open_page("rank", run=run.id)
    next(button for button in app.button if button.key == "shares_start").click().run()
    assert [error.value for error in app.error] == ["too large"]


def test_errors_of_all_test_samples_name_the_rank_they_belong_to(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, rank=7, **SMALL)
    for query in ({"page": "overview"}, {"page": "fields", "section": "distribution"}):
        app = open_page(query.pop("page"), run=run.id, rank=20, **query)
        told = [caption.value for caption in app.caption if "one by one" in caption.value]
        assert len(told) == 1
        plain = told[0].replace("\\", "")
        assert "own rank 7: median 2.0e-3 → 2.0e-7" in plain
        assert "largest 9.0e-3 → 9.0e-7" in plain


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [("Basis points", "many", "should be a valid integer"), ("Cut-off", "2", "less than 1")],
)
def test_form_refuses_what_it_cannot_use(
    label: str, value: str, words: str, store: RunStore, open_page: Opener
) -> None:
    app = open_page("refine")
    next(field for field in app.text_input if field.label == label).set_value(value).run()
    assert [words in error.value for error in app.error] == [True]
    assert all(button.disabled for button in app.button if button.key == "start")


def failed_run(store: RunStore, config: RefineConfig) -> Run:
    """A failed run of a sample, whose problem can be refined."""
    run = synthetic.unfinished(store, "failed")
    shutil.rmtree(run.problem_path)
    shutil.copytree(lsr_samples.folder("sine2d"), run.problem_path)
    run.write_manifest(run.manifest.model_copy(update={"config": config}))
    return run


def form_values(app: AppTest) -> dict[str, object]:
    fields = [*app.selectbox, *app.text_input, *app.number_input]
    return {str(field.label): field.value for field in fields}


@pytest.mark.parametrize("name", ["sine2d", "digits", "poisson"])
def test_the_form_asks_for_every_setting_that_such_a_problem_uses(
    store: RunStore, open_page: Opener, name: str
) -> None:
    app = open_page("refine", problem=name)
    fields = [*app.selectbox, *app.text_input, *app.number_input]
    asked = {str(field.key).removeprefix("form_set_") for field in fields if str(field.key).startswith("form_set_")}
    asked = {"max_rank" if key.startswith("max_rank") else key for key in asked}
    unused = settingsform.unused(read_description(lsr_samples.folder(name)).kind)
    assert asked == set(RefineConfig.model_fields) - settingsform.NOT_ASKED - unused
    assert not app.error


def test_the_form_offers_the_layers_of_the_problem(store: RunStore, open_page: Opener) -> None:
    app = open_page("refine")
    layers = next(field for field in app.selectbox if field.label == "Layers")
    assert layers.value == ""
    assert {"All", "linears.0.*", "linears.6.*", "*.weight", "*.bias"} <= set(layers.options)
    layers.set_value("linears.2.*").run()
    assert not app.error
    assert not app.button(key="start").disabled


def test_layers_that_match_nothing_are_refused_in_the_form(store: RunStore, open_page: Opener) -> None:
    run = failed_run(store, RefineConfig(max_rank=5, layers="nothing.*"))
    app = open_page("refine", run=run.id)
    assert any("no parameter name matches" in error.value for error in app.error)
    assert app.button(key="start").disabled


def test_every_choice_of_a_failed_run_is_in_the_form_and_in_what_is_started(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RefineConfig(
        max_rank=5, sketch="uniform", basis_points=50, parameter_fraction=0.0005, layers="linears.[12].*", damping=3.0,
        rcond=1e-9, oversampling=3, power_iterations=2, seed=4, strategy="row-blocks", rank="knee", source="residuals",
        scaling="singular-values", sketch_dtype="float32", memory_budget="2GB", dtype="float64",
    )  # fmt: skip
    run = failed_run(store, config)
    started = []
    monkeypatch.setattr(jobs, "submit", lambda folder, config, *_: started.append(config) or run.id)
    app = open_page("refine", run=run.id)
    values = form_values(app)
    assert (values["Sketch"], values["Basis points"], values["Layers"]) == ("uniform", "50", "linears.[12].*")
    assert (values["Share of parameters"], values["Damping"]) == (0.0005, 3.0)
    app.button(key="start").click().run()
    assert started == [config]
