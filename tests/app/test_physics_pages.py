"""Pages on a refinement of an equation: its norms, its words, its formula."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.reading import physicsdata
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.splits import Architecture
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.runs import RunStore
from tests.app import iterations, synthetic
from tests.app.conftest import SCRIPTS, Opener, html, spec

SMALL = {"side": 12, "max_rank": 40}
DATA_WORDS = ("training", "validation", "test data", "test points", "test error")


@pytest.mark.parametrize("page", [page for page in SCRIPTS if page != "conditioning"])  # which is about training itself
def test_pages_speak_of_points_and_not_of_data(page: str, store: RunStore, open_page: Opener) -> None:
    run = synthetic.physics(store, **SMALL)
    app = open_page(page, run=run.id)
    assert not app.error
    assert not app.warning
    said = _words(app).lower()
    assert [word for word in DATA_WORDS if word in said] == []


@pytest.mark.parametrize("page", ["overview", "rank"])
def test_three_norms_are_those_of_the_run(page: str, store: RunStore, open_page: Opener) -> None:
    run = synthetic.physics(store, **SMALL)
    words = html(open_page(page, run=run.id))
    norms = run.summary.residual_norm
    for value in (norms.base, norms.linear, norms.nonlinear, norms.fresh_base, norms.fresh_nonlinear):
        assert f"<td>{value:.1e}".replace("e-0", "e-") in words


def test_at_another_rank_the_true_norm_at_fresh_points_is_that_rank_s(store: RunStore, open_page: Opener) -> None:
    run = synthetic.physics(store, **SMALL)
    rank = int(run.fields.ranks[3])
    words = html(open_page("overview", run=run.id, rank=rank))
    assert f"<td>{run.sweep.val_mse[rank] ** 0.5:.1e}".replace("e-0", "e-") in words
    assert "own rank" in words


def test_equation_is_shown_with_its_blocks(store: RunStore, open_page: Opener) -> None:
    run = synthetic.physics(store, **SMALL)
    app = open_page(run=run.id)
    about = physicsdata.read(run.problem_path)
    assert about is not None
    assert about.formula in [code.value for code in app.code]
    assert "<td>interior</td><td>6,000</td>" in html(app)


def test_relative_error_leaves_losses_out(store: RunStore, open_page: Opener) -> None:
    run = synthetic.physics(store, **SMALL)
    app = open_page("rank", run=run.id, measure="relative_l2")
    names = [trace.get("name") for trace in spec(app)["data"]]  # type: ignore[attr-defined]
    assert "Error against reference" in names
    assert not [name for name in names if name and name.startswith("Loss")]


def test_iterative_lsr_is_one_button_away(store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.physics(store, **SMALL)
    asked = []

    def submit(*arguments: object) -> str:
        asked.append(arguments)
        return iterations.complete(store).id

    monkeypatch.setattr("lsr_app.services.jobs.submit", submit)
    app = open_page("frequencies", run=run.id)
    next(box for box in app.number_input if box.key == "iterate_rounds").set_value(3).run()
    next(button for button in app.button if button.key == "start_iterate").click().run()
    assert asked[0][0] == run.problem_path
    assert asked[0][5:] == ("iterate", {"steps": 3, "seconds": 300.0})
    assert not app.exception


def test_the_form_offers_iterative_lsr_for_equations(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = bundle(tmp_path / "heat")
    monkeypatch.setenv("LSR_PROBLEM", str(folder))
    asked = []

    def submit(*arguments: object) -> str:
        asked.append(arguments)
        return iterations.complete(store).id

    monkeypatch.setattr("lsr_app.services.jobs.submit", submit)
    app = open_page("refine")
    work = next(control for control in app.get("button_group") if control.key == "form_set_work")
    assert not [box for box in app.number_input if box.key == "form_set_rounds"]
    work.set_value("iterate").run()
    next(box for box in app.number_input if box.key == "form_set_rounds").set_value(7).run()
    next(button for button in app.button if button.key == "start").click().run()
    assert not app.exception
    assert asked[0][0] == folder
    assert asked[0][5:] == ("iterate", {"steps": 7, "seconds": 300.0})


def bundle(folder: Path) -> Path:
    """A tiny network for the heat equation."""
    equation = equations.build("heat", {"n_interior": 20, "n_initial": 4, "n_boundary": 4})
    arguments = {"layers": [2, 4, 1], "activation": "tanh"}
    model = architectures.build("mlp", arguments).double()
    return save_problem(folder, make_problem(equation, model, name="heat", architecture=Architecture("mlp", arguments)))


def _words(app: AppTest) -> str:
    """What a reader sees before unfolding the form: HTML, paragraphs, captions, names of traces."""
    own = html(app).split("Refine a network")[0]
    said = [own, *(element.value for element in (*app.markdown, *app.caption) if "Words" not in element.value)]
    for chart in app.get("plotly_chart"):
        said.append(chart.proto.alt)
    for place in range(len(app.get("plotly_chart"))):
        said += [str(trace.get("name")) for trace in spec(app, place)["data"]]  # type: ignore[attr-defined]
    return "\n".join(said)
