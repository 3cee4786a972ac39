"""The page Conditioning: every experiment in every state, re-opened runs, and what the figures say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.reading import racedata, runkinds
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.screens.conditioning import directionfigures as direction_figures
from lsr_app.screens.conditioning import isolationfigures as isolation_figures
from lsr_app.screens.conditioning import planefigures as plane_figures
from lsr_app.screens.conditioning import racefigures as race_figures
from lsr_app.services import jobs, runs
from lsr_app.shell.lab import bench
from lsr_app.words import labtexts
from lsr_core.lab.records import MethodRecord, RaceRecord
from lsr_core.storage.lab import write_experiment
from lsr_core.storage.planes import write_plane
from lsr_core.storage.runs import Run, RunStore
from tests.app import iterations, lab, synthetic
from tests.app.conftest import SCRIPTS, Opener, html, spec

SMALL = {"side": 12, "max_rank": 40}
CHARTS = {"race": 2, "plane": 2, "isolation": 1}
KINDS = {"race": lab.race, "isolation": lab.isolation}


def said(app: AppTest) -> str:
    """Every sentence of the page, without the signs that keep Markdown quiet."""
    parts = [element.value for name in ("markdown", "caption", "info", "error") for element in getattr(app, name)]
    return " ".join([*parts, html(app)]).replace("\\", "")


def made(store: RunStore, section: str, status: str = "complete", **more: Any) -> tuple[Run, Run]:
    """A refinement, and an experiment beside it."""
    base = synthetic.complete(store, **SMALL)
    if section == "plane":
        return base, lab.plane(store, base, status, **more)
    return base, KINDS[section](store, status, **more)


@pytest.mark.parametrize("section", CHARTS)
@pytest.mark.parametrize("opened", ["refinement", "experiment"])
def test_an_experiment_is_shown_beside_its_refinement_and_opened_by_itself(
    section: str, opened: str, store: RunStore, open_page: Opener
) -> None:
    base, run = made(store, section)
    query = {"run": base.id, "lab": section} if opened == "refinement" else {"run": run.id}
    app = open_page("conditioning", **query)
    charts = app.get("plotly_chart")
    assert len(charts) == CHARTS[section]
    assert all(chart.proto.alt for chart in charts)
    assert not app.error
    assert labtexts.LAB_SECTIONS[section] in html(app)
    assert any(button.label == labtexts.LAB_START[section] for button in app.button)
    assert any(button.label == "Open this run" for button in app.button) == (opened == "refinement")


@pytest.mark.parametrize("section", CHARTS)
@pytest.mark.parametrize(
    ("status", "begun"),
    [("queued", False), ("running", True), ("cancelled", True), ("cancelled", False), ("failed", True)],
)
def test_every_state_of_an_experiment_is_said_and_what_it_has_is_drawn(
    section: str, status: str, begun: bool, store: RunStore, open_page: Opener
) -> None:
    size = {"race": "methods", "plane": "side", "isolation": "contenders"}[section]
    _, run = made(store, section, status, **{size: {"race": 4, "plane": 9, "isolation": 3}[section] if begun else 0})
    app = open_page("conditioning", run=run.id)
    assert bool(app.get("plotly_chart")) == begun
    if status in ("queued", "running"):
        assert len(app.get("progress")) == 1
        assert (labtexts.LAB_FIRST[section] in said(app)) == (not begun)
    elif status == "cancelled":
        assert ("What it had found by then is kept" in said(app)) == begun
    else:
        assert "the problem cannot be read (data.npz)" in said(app)


@pytest.mark.parametrize("section", CHARTS)
def test_no_other_page_stumbles_over_an_experiment(section: str, store: RunStore, open_page: Opener) -> None:
    _, run = made(store, section)
    for page in SCRIPTS if section == "race" else ("overview",):
        app = open_page(page, run=run.id)
        assert not app.error
        if page != "conditioning":
            assert runkinds.KINDS["race"].sentence in said(app)


@pytest.mark.parametrize("lab_part", labtexts.LAB_SECTIONS)
def test_each_part_says_what_is_missing_and_offers_to_make_it(
    lab_part: str, store: RunStore, open_page: Opener
) -> None:
    app = open_page("conditioning", run=synthetic.complete(store, **SMALL).id, lab=lab_part)
    assert not app.get("plotly_chart")
    assert not app.error
    if lab_part == "directions":
        assert conditioningtexts.DIRECTIONS_OLD in said(app)
    else:
        assert labtexts.LAB_NONE[lab_part] in said(app)
        assert any(button.label == labtexts.LAB_START[lab_part] for button in app.button)


def test_a_run_that_is_no_experiment_and_no_refinement_is_sent_to_its_page(store: RunStore, open_page: Opener) -> None:
    run = iterations.create(store)
    app = open_page("conditioning", run=run.id)
    assert runkinds.KINDS["iterate"].sentence in said(app)


def test_an_experiment_grows_while_it_is_looked_at(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "race", "running", methods=1)
    app = open_page("conditioning", run=run.id)
    assert [trace["name"] for trace in drawn(app) if trace.get("name")].count("Direct solve") == 1
    write_experiment(run.path, lab.race_record(5))
    app.run()
    names = {trace["name"] for trace in drawn(app)}
    assert {"Direct solve", "LSQR", "L-BFGS"} <= names


def test_a_plane_becomes_finer(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "plane", "running", side=9)
    app = open_page("conditioning", run=run.id)
    assert "9 × 9 points" in said(app)
    assert "finer grid is on its way" in said(app)
    write_plane(run.path, lab.plane_of(17))
    lab.set_status(run, "complete")
    app.run()
    assert "17 × 17 points" in said(app)
    assert "on its way" not in said(app)


@pytest.mark.parametrize("section", CHARTS)
def test_a_damaged_experiment_is_a_sentence(section: str, store: RunStore, open_page: Opener) -> None:
    _, run = made(store, section)
    name = {"race": "race.json", "plane": "plane.npz", "isolation": "isolation.json"}[section]
    (run.path / name).write_bytes(b'{"problem": NaN}')
    app = open_page("conditioning", run=run.id)
    assert len(app.error) == 1
    assert name in app.error[0].value.replace("\\", "")


def test_the_race_tells_what_whitening_does_to_adam(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "race")
    record = lab.race_record()
    assert 0 < min(excess for bound in record.bounds for excess in bound.excess if excess > 0) < 1e-300
    sentence = racedata.sentence(record, "float64")
    slow = racedata.get(record, "adam", "float64", "original")
    assert slow is not None
    assert slow.times_floor == pytest.approx(np.exp(-3) * lab.BASE / lab.FLOOR, rel=1e-6)
    assert "ends at 5.0e8 times the floor after 5,000 iterations" in sentence
    assert "it was the conditioning that held it up" in sentence
    assert sentence in said(open_page("conditioning", run=run.id))


def _adams(record: RaceRecord) -> list[MethodRecord]:
    """Adam in the original coordinates, then in whitened ones."""
    found = [racedata.get(record, "adam", "float64", place) for place in ("original", "whitened")]
    return [adam for adam in found if adam is not None]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((1e6, 1.0), "conditioning that held it up"),
        ((5.0, 1.0), "not by much"),
        ((1.5, 1.0), "directions conditioning does not stop it; a larger"),
        ((1e6, 9.0), "does not tell"),
        ((1.0, 9.0), "arrives"),
    ],
)
def test_the_race_ends_with_what_it_says_of_conditioning(ends: tuple[float, float], said: str) -> None:
    record, methods = lab.race_record(), []
    for adam, times in zip(_adams(record), ends, strict=True):
        curve = adam.curve.model_copy(update={"losses": [lab.FLOOR * times] * len(adam.curve.losses)})
        methods.append(adam.model_copy(update={"curve": curve, "times_floor": times}))
    assert said in racedata.sentence(record.model_copy(update={"methods": methods}), "float64")


@pytest.mark.parametrize(
    ("ends", "said"), [((0.5, 1e-20), "conditioning that held it up"), ((0.5, 0.2), "does not tell")]
)
def test_where_the_floor_is_rounding_ends_are_shares_of_the_start(ends: tuple[float, float], said: str) -> None:
    record = lab.race_record()
    methods = [
        adam.model_copy(update={"times_floor": None, "relative_loss": share})
        for adam, share in zip(_adams(record), ends, strict=True)
    ]
    found = racedata.sentence(record.model_copy(update={"methods": methods, "floor": None}), "float64")
    assert found.startswith(f"In these {record.rank:,} directions the floor is rounding.")
    assert said in found


def test_where_the_network_is_at_the_floor_the_race_claims_nothing() -> None:
    record = lab.race_record().model_copy(update={"base_loss": 1.5 * lab.FLOOR})
    assert racedata.sentence(record, "float64").startswith("The network itself is at 1.50 times the floor")


def test_diverged_settings_are_named_with_their_iteration(store: RunStore, open_page: Opener) -> None:
    base = synthetic.complete(store, **SMALL)
    run = lab.experiment(store, "race")
    record = lab.race_record()
    gone = lab.diverged(record.methods[5])
    assert gone.name == "gradient-descent"
    record.methods[5] = gone
    write_experiment(run.path, record)
    app = open_page("conditioning", run=run.id, coordinates="original")
    names = [str(trace.get("name")) for trace in drawn(app)]
    assert "Gradient descent (diverged at iteration 37)" in names
    crosses = [trace for trace in drawn(app) if trace.get("marker", {}).get("symbol") == "x-thin"]
    assert crosses[0]["text"] == ["Gradient descent, rate 0.1: diverged at iteration 37"]
    assert "diverged at iteration 37" in html(app)
    assert "NaN" not in app.get("plotly_chart")[0].proto.spec
    assert not app.error
    assert base.id != run.id


def test_switches_choose_what_is_drawn_and_stand_in_the_address(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "race")
    app = open_page(
        "conditioning", run=run.id, coordinates="original", against="products", precision="float32", reorth=1
    )
    assert len(app.get("plotly_chart")) == 1
    names = {trace["name"] for trace in drawn(app)}
    assert "LSQR, reorthogonalised" in names
    assert "LSQR" not in names
    assert not names & set(conditioningtexts.BOUNDS.values())  # known in iterations only
    assert spec(app)["layout"]["xaxis"]["title"]["text"] == "Jacobian products"  # type: ignore[index]
    plain = open_page("conditioning", run=run.id, coordinates="original")
    assert set(conditioningtexts.BOUNDS.values()) <= {trace["name"] for trace in drawn(plain)}
    assert "LSQR" in {trace["name"] for trace in drawn(plain)}


def test_no_method_is_drawn_above_its_bound_and_axes_hold_all_that_is_drawn() -> None:
    record = lab.race_record()
    methods = racedata.shown(record, "float64", "original", reorthogonalised=False)
    axes = race_figures.reach(record, methods, "iterations")
    for method in methods:
        assert axes.high >= max(method.curve.excess)
        assert axes.right >= method.curve.iterations[-1]
    picture = race_figures.courses(record, methods, "original", axes, against="iterations", panel=False)
    rows = list(picture.rows())
    assert len(rows) == sum(len(method.curve.iterations) for method in methods)
    assert "Adam" in picture.alt


def test_names_that_this_version_does_not_know_are_shown_as_they_are(store: RunStore, open_page: Opener) -> None:
    run = lab.experiment(store, "race")
    record = lab.race_record()
    record.methods[5] = lab.diverged(record.methods[5])
    for place, name in ((4, "muon <b>2</b>"), (5, "$k$-fac")):
        settings: dict[str, Any] = {"rate": "large"}
        record.methods[place] = record.methods[place].model_copy(update={"name": name, "settings": settings})
    write_experiment(run.path, record)
    app = open_page("conditioning", run=run.id)
    assert not app.exception
    assert not app.error
    assert "muon &lt;b&gt;2&lt;/b&gt;" in {trace["name"] for trace in drawn(app)}
    assert "muon &lt;b&gt;2&lt;/b&gt;" in html(app)
    alone = lab.experiment(store, "isolate")
    found = lab.isolation_record()
    found.contenders[3] = found.contenders[3].model_copy(update={"name": "muon"})
    write_experiment(alone.path, found)
    app = open_page("conditioning", run=alone.id)
    assert not app.exception
    assert "muon" in html(app)


def test_in_all_parameters_losses_are_relative_to_the_start(store: RunStore, open_page: Opener) -> None:
    run = lab.experiment(store, "race")
    record = lab.race_record(7, floor=None)
    write_experiment(run.path, record)
    app = open_page("conditioning", run=run.id)
    assert "the floor is rounding" in said(app)
    assert "of base" in html(app)
    assert not app.error


def test_planes_share_their_levels_and_say_where_the_losses_are_lowest() -> None:
    plane = lab.plane_of()
    shared = plane_figures.limits(plane)
    traces = [plane_figures.losses(plane, which, shared).figure.data[0] for which in ("nonlinear", "linearised")]
    assert traces[0].contours == traces[1].contours
    assert (traces[0].zmin, traces[0].zmax) == (traces[1].zmin, traces[1].zmax)
    (alpha, beta), lowest = plane_figures.lowest_at(plane, "linearised")
    assert (alpha, beta) == (1.0, 0.0)
    assert lowest == plane.linearised.min()
    assert plane_figures.lowest_at(plane, "nonlinear")[1] == np.min(plane.nonlinear)
    values = np.asarray(traces[0].z, dtype=np.float64)
    assert np.isnan(values[-1, -1])
    assert len(plane_figures.key(plane)) == len(plane_figures.key(replace(plane, alpha=plane.alpha / 7))) + 2
    end = plane_figures.at_end(plane)
    assert end is not None
    assert end[1] == lowest
    assert plane_figures.at_end(replace(plane, alpha=plane.alpha / 7)) is None
    rows = list(plane_figures.losses(plane, "nonlinear", shared).rows())
    assert rows[-1][2] is None
    assert json.dumps(rows[-1])


def test_points_without_a_finite_loss_are_counted(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "plane")
    assert "At 1 point the network has no finite loss; it is left white." in said(open_page("conditioning", run=run.id))


def test_a_plane_belongs_to_the_run_whose_step_it_holds(store: RunStore, open_page: Opener) -> None:
    first, plane = made(store, "plane")
    other = synthetic.complete(store, seed=1, **SMALL)
    assert open_page("conditioning", run=first.id, lab="plane").get("plotly_chart")
    assert not open_page("conditioning", run=other.id, lab="plane").get("plotly_chart")
    runs.store().delete(first)
    app = open_page("conditioning", run=plane.id)
    assert app.get("plotly_chart")
    assert conditioningtexts.PLANE_NEEDS_RUN in said(app)


def test_directions_link_slowness_and_frequency(store: RunStore, open_page: Opener) -> None:
    run = lab.with_directions(synthetic.complete(store, **SMALL))
    app = open_page("conditioning", run=run.id, lab="directions")
    assert len(app.get("plotly_chart")) == 2
    assert "(Spearman): +1.00" in said(app)
    assert "leaves the high frequencies for last" in said(app)
    rows = list(direction_figures.slowness(run.directions).rows())  # type: ignore[arg-type]
    assert rows[-1][2] is None  # an infinite time constant
    assert all(np.isfinite(part) for row in rows[:-1] for part in row)  # type: ignore[call-overload]


def test_directions_without_a_grid_show_the_residual(store: RunStore, open_page: Opener) -> None:
    run = lab.with_directions(synthetic.complete(store, **SMALL), grid=False)
    app = open_page("conditioning", run=run.id, lab="directions")
    assert conditioningtexts.DIRECTIONS_NO_GRID in said(app)
    assert "Spearman" not in said(app)
    assert len(app.get("plotly_chart")) == 2


def test_isolation_compares_with_the_linear_solve(store: RunStore, open_page: Opener) -> None:
    _, run = made(store, "isolation")
    app = open_page("conditioning", run=run.id)
    assert "reaches 4.0e-6" in said(app)
    assert "Linear solve, last layer 9.0e-4 (220× higher)" in said(app)
    record = lab.isolation_record()
    rows = list(isolation_figures.bars(record, "test").rows())
    assert [row[0] for row in rows] == [contender.name for contender in record.contenders]


def test_an_isolation_needs_data(store: RunStore, open_page: Opener) -> None:
    app = open_page("conditioning", run=synthetic.physics(store, **SMALL).id, lab="isolation")
    assert conditioningtexts.ISOLATION_PHYSICS in said(app)
    assert not any(button.label == labtexts.LAB_START["isolation"] for button in app.button)


@pytest.mark.parametrize(("section", "kind"), [("race", "race"), ("isolation", "isolate")])
def test_the_form_queues_what_it_says(
    section: str, kind: str, store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = synthetic.complete(store, **SMALL)
    asked: list[tuple[Any, ...]] = []

    def submit(folder: Any, config: Any, owner: str, title: str, **more: Any) -> str:
        asked.append((folder, config.max_rank, more["kind"], more["settings"]))
        return lab.experiment(store, more["kind"], "queued", owner=owner, title=title).id

    monkeypatch.setattr(jobs, "submit", submit)
    app = open_page("conditioning", run=base.id, lab=section)
    app.button(key=f"start_{section}").click().run()
    assert not app.exception
    wanted = {"race": {"space": "subspace", "iterations": 5000, "dtype": "both"}, "isolation": {"iterations": 100}}
    assert asked == [(base.problem_path, 40, kind, wanted[section])]
    assert len(app.get("progress")) == 1
    assert app.query_params["run"] in (base.id, [base.id])


def test_the_form_asks_for_a_plane(store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    base = synthetic.complete(store, **SMALL)
    asked: list[Any] = []
    monkeypatch.setattr(jobs, "submit_plane", lambda run, settings, owner: asked.append((run.id, settings)) or base.id)
    app = open_page("conditioning", run=base.id, lab="plane")
    next(box for box in app.selectbox if box.label == "Second direction").set_value("singular").run()
    app.button(key="start_plane").click().run()
    assert not app.exception
    assert [(run, settings.direction, settings.alpha_to) for run, settings in asked] == [(base.id, "singular", 1.5)]


def test_a_plane_may_reach_as_far_as_both_losses_agree(
    store: RunStore, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = synthetic.complete(store, **SMALL)
    asked: list[Any] = []
    monkeypatch.setattr(jobs, "submit_plane", lambda run, settings, owner: asked.append(settings) or base.id)
    rung = int(np.flatnonzero(base.paths.ranks == base.summary.rank)[0])
    known = base.paths.agreement
    known[rung] = [0.0, 2e-4]
    base.write_result(replace(base.paths, agreement=known))
    app = open_page("conditioning", run=base.id, lab="plane")
    app.button_group(key="plane_reach").set_value("near").run()
    app.button(key="start_plane").click().run()
    assert not app.exception
    assert [(settings.alpha_from, settings.alpha_to) for settings in asked] == [(-8e-4, 8e-4)]


def test_the_newest_experiment_of_the_problem_is_shown(store: RunStore, open_page: Opener) -> None:
    base, old = made(store, "race")
    new = lab.race(store, "running", methods=2)
    new.write_manifest(new.manifest.model_copy(update={"created": old.manifest.created + 5}))
    other = lab.race(store)
    synthetic.write_problem(other.problem_path, 1, 1, None, None)
    other.write_manifest(other.manifest.model_copy(update={"created": old.manifest.created + 9}))
    app = open_page("conditioning", run=base.id)
    assert any(button.key == f"open_here_{new.id}" for button in app.button)
    app.button(key=f"open_here_{new.id}").click().run()
    assert app.query_params["run"] in (new.id, [new.id])


def test_largest_dimension_is_that_of_the_refinement(store: RunStore) -> None:
    from lsr_app.shell.controls import Now

    base, race = made(store, "race")
    entries = runs.entries("cli")
    laid = bench.find(Now("cli", run=race, entries=entries))
    assert laid.base is not None
    assert (laid.base.id, laid.largest) == (base.id, 40)
    assert laid.config.rank == "auto"


def drawn(app: AppTest, place: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec(app, place)["data"]  # type: ignore[assignment]
    return found
