"""The frequency page: on iterative LSR complete and at work, on single refinements, and where there is nothing to show."""

from __future__ import annotations

import numpy as np
import pytest

from lsr_app.reading import iterationdata, rundata
from lsr_core.storage.runs import RunStore
from lsr_core.storage.steps import StepStore
from tests.app import iterations, synthetic
from tests.app.conftest import SCRIPTS, Opener, spec

SMALL = {"side": 12, "max_rank": 40}
OTHERS = [page for page in SCRIPTS if page != "frequencies"]


def test_a_complete_run_shows_every_part(store: RunStore, open_page: Opener) -> None:
    run = iterations.complete(store)
    app = open_page("frequencies", run=run.id)
    charts = app.get("plotly_chart")
    assert len(charts) == 2 + 3 + 2 + 1 + 2
    assert all(chart.proto.alt for chart in charts)
    assert not app.error
    assert not app.warning
    assert any("alignment removed little" in element.value for element in app.markdown)
    assert any("sine along x" in caption.value for caption in app.caption)


def test_heat_map_holds_the_energies_of_the_run(store: RunStore, open_page: Opener) -> None:
    run = iterations.complete(store)
    app = open_page("frequencies", run=run.id)
    drawn = _array(spec(app)["data"][0]["z"])  # type: ignore[index]
    steps = StepStore(run.path).steps()
    assert drawn.shape == (len(steps[0].spectrum.network or []), len(steps))
    strongest = drawn[1:6, 0]
    assert strongest == pytest.approx(np.log10(np.asarray(steps[0].spectrum.network)[1:6]), abs=1e-5)


def test_slider_shows_the_fields_of_its_half_step(store: RunStore, open_page: Opener) -> None:
    run = iterations.complete(store)
    app = open_page("frequencies", run=run.id)
    slider = next(slider for slider in app.select_slider if slider.key == "w_step")
    assert slider.value == 6
    slider.set_value(3).run()
    assert app.query_params["step"] == "3"
    fields = StepStore(run.path).fields(3)
    assert fields is not None
    drawn = _array(spec(app, 5)["data"][0]["z"])  # type: ignore[index]
    inside = drawn > drawn.min()
    assert drawn[inside] == pytest.approx(np.log10(np.abs(fields.network.T[inside])), abs=1e-5)
    again = open_page("frequencies", run=run.id, step=3)
    assert next(slider for slider in again.select_slider if slider.key == "w_step").value == 3


def test_a_running_run_shows_what_it_has(store: RunStore, open_page: Opener) -> None:
    run = iterations.create(store)
    app = open_page("frequencies", run=run.id)
    assert not app.get("plotly_chart")
    assert any("on its way" in element.value for element in app.info)
    iterations.add_steps(run, 0, 1)
    app.run()
    assert len(app.get("plotly_chart")) == 10
    assert any("sine along x" in caption.value for caption in app.caption)
    iterations.add_steps(run, 2, 2)
    app.run()
    assert _array(spec(app)["data"][0]["z"]).shape[1] == 3  # type: ignore[index]
    assert not app.exception


def test_a_half_written_line_waits(store: RunStore, open_page: Opener) -> None:
    run = iterations.create(store)
    iterations.add_steps(run, 0, 1)
    with (run.path / "steps.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"index": 2, "round"')
    app = open_page("frequencies", run=run.id)
    assert not app.error
    assert len(app.get("plotly_chart")) == 10


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_an_ended_run_keeps_what_it_had(state: str, store: RunStore, open_page: Opener) -> None:
    run = iterations.create(store)
    iterations.add_steps(run, 0, 2)
    iterations.set_status(run, state, message="the alignment diverged")
    app = open_page("frequencies", run=run.id)
    assert len(app.get("plotly_chart")) == 10
    if state == "failed":
        assert "diverged" in app.error[0].value


def test_without_a_reference_the_residual_is_left(store: RunStore, open_page: Opener) -> None:
    run = iterations.create(store)
    iterations.add_steps(run, 0, 3, reference=False)
    app = open_page("frequencies", run=run.id)
    assert len(app.get("plotly_chart")) == 1
    assert any("no reference" in element.value for element in app.info)


@pytest.mark.parametrize("damage", ["steps", "fields"])
def test_damage_gets_a_sentence(damage: str, store: RunStore, open_page: Opener) -> None:
    run = iterations.complete(store)
    path = run.path / "steps.jsonl" if damage == "steps" else run.path / "fields" / "0006.npz"
    path.write_bytes(b"{}\n")
    app = open_page("frequencies", run=run.id)
    assert len(app.error) == 1
    assert "cannot be shown" in app.error[0].value


@pytest.mark.parametrize("page", OTHERS)
@pytest.mark.parametrize("state", ["complete", "running"])
def test_other_pages_point_here(page: str, state: str, store: RunStore, open_page: Opener) -> None:
    run = iterations.complete(store) if state == "complete" else iterations.create(store)
    app = open_page(page, run=run.id)
    assert any("iterative LSR" in element.value for element in app.info)
    assert not app.error


def test_list_of_runs_names_the_kind(store: RunStore, open_page: Opener) -> None:
    synthetic.complete(store, **SMALL)
    iterations.complete(store)
    app = open_page("runs")
    assert "iterative LSR" in app.dataframe[0].value["kind"].tolist()


def test_a_single_refinement_on_a_grid_has_two_spectra(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL)
    app = open_page("frequencies", run=run.id)
    assert len(app.get("plotly_chart")) == 1 + 2
    found = iterationdata.of_refinement(rundata.read(run), 10, {})
    assert found is not None
    for which, errors in (
        ("network", rundata.read(run).network_error(0)),
        ("refined", rundata.read(run).refined_error(10, 0)),
    ):
        energies = np.asarray(getattr(found.last.spectrum, which))
        grid = errors.reshape(12, 12).T
        weights = np.ones(12)
        weights[[0, -1]] = 0.5
        total = float(np.sum(np.outer(weights, weights) * grid**2)) / 11**2
        assert energies.sum() == pytest.approx(total, rel=1e-10)


def test_a_period_of_the_equation_decides_the_transform(store: RunStore) -> None:
    data = rundata.read(synthetic.complete(store, **SMALL))
    found = iterationdata.of_refinement(data, 10, {"x": 1.0})
    assert found is not None
    assert "fourier along x" in found.transform
    assert "cosine along y" in found.transform


def test_scattered_points_say_what_is_needed(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, **SMALL, dimension=3)
    app = open_page("frequencies", run=run.id)
    assert not app.get("plotly_chart")
    assert any("regular grid" in element.value for element in app.info)


def _array(value: object) -> np.ndarray:
    """An array as Plotly sends it."""
    import base64

    assert isinstance(value, dict)
    flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return flat.reshape([int(part) for part in str(value["shape"]).split(",")]) if "shape" in value else flat
