"""Figures do not hide what they are about: axes, exact zeros, aspect, hints, data, and samples with many inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lsr_samples
from lsr_app.plots import lines, maps, ranks, samples, scales, theme
from lsr_app.reading import observed, rundata
from lsr_app.reading.rundata import RunData
from lsr_app.screens.frequencies import figures as frequencies
from lsr_app.screens.overview import classfigures
from lsr_app.screens.rank import sureness
from lsr_app.shell.functions import functionfigures
from lsr_core.problems.splits import Quantity
from lsr_core.refinement.case_records import CaseFields
from lsr_core.refinement.results import Spectrum
from lsr_core.storage.runs import RunStore
from lsr_core.storage.steps import FieldGrid
from tests.app import synthetic


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    return rundata.read(synthetic.complete(RunStore(tmp_path_factory.mktemp("runs")), side=20, max_rank=60))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    store = RunStore(tmp_path_factory.mktemp("many"))
    return rundata.read(
        synthetic.complete(store, side=12, max_rank=40, dimension=16, names=[(f"x{place}", "") for place in range(16)])
    )


def reach(picture: object) -> tuple[float, float]:
    low, high = picture.figure.layout.yaxis.range  # type: ignore[attr-defined]
    return float(low), float(high)


def test_a_training_error_at_rounding_does_not_hide_the_minimum_of_the_validation_error(data: RunData) -> None:
    train = data.sweep.train_mse.copy()
    train[30:] = 1e-32
    validation = np.concatenate([np.linspace(-2, -2.5, 20), np.linspace(-2.5, -1.0, len(train) - 20)])
    seen = replace(data.sweep, train_mse=train, val_mse=10**validation, test_mse=10**validation)
    picture = ranks.errors([("a", replace(data, sweep=seen))], [20])
    low, high = reach(picture)
    assert high - low < 4
    assert low < -2.5
    assert "1.0e-32" in picture.note
    assert ranks.errors([("a", data)], [20]).note == ""


def test_an_error_that_explodes_does_not_press_the_rest_to_the_ground(data: RunData) -> None:
    validation = data.sweep.val_mse.copy()
    validation[-3:] = 1e12
    picture = ranks.errors([("a", replace(data, sweep=replace(data.sweep, val_mse=validation)))], [20])
    assert reach(picture)[1] < np.log10(data.sweep.val_mse[0]) + 4
    assert "1.0e12" in picture.note


def test_few_points_that_are_zero_to_rounding_do_not_stretch_the_scale_and_stay_blank(data: RunData) -> None:
    values = np.full(400, 1e-4)
    values[:40] = 1e-17
    rounding = maps.rounding_of(data)
    limits = scales.decades(values, rounding=rounding)
    assert limits[0] >= -5
    picture = maps.error_magnitude(data, values, "Error", limits)
    assert int(np.isnan(picture.figure.data[0].z).sum()) == 40
    assert "40 of 400" in picture.note
    assert len([value for *_, value in picture.rows() if value == 1e-17]) == 40


def test_where_rounding_is_the_result_it_is_drawn(data: RunData) -> None:
    values = np.full(400, 1e-16)
    assert scales.decades(values, rounding=maps.rounding_of(data))[0] <= -16
    assert not scales.apart(values, maps.rounding_of(data)).any()


def named(data: RunData, *inputs: tuple[str, str]) -> RunData:
    return replace(data, about=replace(data.about, inputs=tuple(Quantity(*entry) for entry in inputs)), _grids={})


def anchored(data: RunData) -> bool:
    return maps.field(data, data.truth(0), "Truth", (-1, 1)).figure.layout.yaxis.scaleanchor == "x"


def test_a_square_is_drawn_as_a_square_and_time_is_no_length(data: RunData) -> None:
    assert anchored(data)
    assert anchored(named(data, ("x", "m"), ("y", "m")))
    assert not anchored(named(data, ("x", "m"), ("y", "kg")))
    assert not anchored(named(data, ("x", ""), ("t", "")))


def test_hints_name_inputs_with_units_and_the_value_itself(data: RunData) -> None:
    run = named(data, ("x", "m"), ("y", "m"))
    trace = maps.error_magnitude(run, run.network_error(0), "Network error", (-6.0, 0.0)).figure.data[0]
    assert "x (m) = " in trace.hovertemplate
    assert "|error| = %{customdata" in trace.hovertemplate
    assert trace.customdata.shape == trace.z.shape
    np.testing.assert_allclose(np.sort(trace.customdata.ravel()), np.sort(run.network_error(0)), rtol=1e-5)


def test_curves_share_one_hint(data: RunData) -> None:
    assert ranks.errors([("a", data)], [5]).figure.layout.hovermode == "x unified"


def test_noisy_observations_are_drawn_all_of_them(tmp_path: Path) -> None:
    run = rundata.read(synthetic.complete(RunStore(tmp_path), dimension=1, side=8, max_rank=20))
    seen = observed.read(lsr_samples.folder("noisy1d"))
    assert seen is not None
    picture = lines.values([("a", run)], [5], 0, lines.cut(run, 0, 0.5), observed=seen)
    dots = next(trace for trace in picture.figure.data if trace.name == "Training data")
    assert dots.mode == "markers"
    assert len(dots.x) == 72
    assert "72 training data" in picture.alt


@pytest.mark.parametrize(("count", "mode"), [(24, "markers"), (400, "lines")])
def test_few_samples_of_one_input_are_not_joined_by_lines(tmp_path: Path, count: int, mode: str) -> None:
    """Straight lines over wide gaps look like errors of the predictor."""
    run = rundata.read(synthetic.complete(RunStore(tmp_path), dimension=1, side=20, max_rank=20))
    here = np.sort(np.random.default_rng(1).random(count)) if count < 100 else np.linspace(0, 1, count)
    parts = {name: np.zeros((count, 1)) for name in ("targets", "network")}
    steps = np.zeros((len(run.fields.ranks), count, 1))
    run = replace(run, fields=replace(run.fields, inputs=here[:, None], refined_error=steps, **parts), _grids={})
    where = lines.cut(run, 0, 0.5)
    for picture in (lines.values([("a", run)], [5], 0, where), lines.errors([("a", run)], [5], 0, where)):
        assert {trace.mode for trace in picture.figure.data} == {mode}


def test_observations_that_are_too_many_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observed, "MOST", 71)
    seen = observed.read(lsr_samples.folder("noisy1d"))
    assert seen is not None
    assert len(seen.inputs) == 0
    assert seen.shape == (1,)


def test_many_inputs_are_drawn_as_predictions_against_the_truth(many: RunData) -> None:
    picture = samples.parity(many, many.refined(20, 0), 0, "Refined predictor", "#000")
    diagonal, dots = picture.figure.data
    np.testing.assert_array_equal(diagonal.x, diagonal.y)
    np.testing.assert_allclose(dots.y - dots.x, many.refined_error(20, 0), atol=1e-6)


def test_the_worst_samples_are_drawn_as_what_they_are(many: RunData) -> None:
    worst = samples.worst(many, 20, 0, 3)
    errors = np.abs(many.refined_error(20, 0))
    assert errors[worst[0]] == errors.max()
    image, sequence = samples.drawing(many, (1, 4, 4)), samples.drawing(many, (16, 1))
    assert image is not None
    assert sequence is not None
    sheet = image(many, 20, 0).figure.data[0].z
    np.testing.assert_allclose(sheet[:4, :4], many.fields.inputs[worst[0]].reshape(4, 4), rtol=1e-6)
    np.testing.assert_allclose(sequence(many, 20, 0).figure.data[0].y, many.fields.inputs[worst[0]], rtol=1e-6)
    assert samples.drawing(many, (3, 5)) is None


def test_the_text_on_conditioning_follows_the_numbers(data: RunData) -> None:
    solved = data.sweep.solved_condition_number.copy()
    solved[20] = 1e6
    run = replace(
        data, sweep=replace(data.sweep, solved_condition_number=solved),
        spectrum=Spectrum(np.logspace(0, -8, 80), 1e-1),
    )  # fmt: skip
    said = sureness.sentences(run, 20)
    assert "about 9 of 15 digits" in said
    assert f"{int((run.spectrum.singular_values[:20] < 1e-1).sum()):,} of the 20 directions" in said
    assert sureness.sentences(run, 0) == ""
    solved[20] = 1e17
    assert "every digit" in sureness.sentences(run, 20)


def test_counts_of_right_classes_can_be_read_on_dark_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in cells without a colour, from which Plotly takes dark text on every page."""
    monkeypatch.setattr(theme, "_mode", [lambda: "dark"])
    cells, right = classfigures.confusion([[3, 1], [0, 2]], 1, "Network").figure.data
    assert [list(row) for row in cells.text] == [["", "1"], ["", ""]]
    assert list(right.text) == ["3", "2"]
    assert right.textfont.color == theme.DARK.text


def test_errors_after_a_half_step_and_fields_of_functions_keep_the_shape_of_the_domain() -> None:
    def drawn(second: str, reach: float, one_unit: bool = True) -> bool:
        axes = {"x": np.linspace(0.0, 1.0, 9), second: np.linspace(0.0, reach, 7)}
        grid = FieldGrid(axes, np.ones((9, 7)))
        canvas = frequencies.error_field(grid, np.full((9, 7), 1e-3), "Error", (-4.0, 0.0), one_unit=one_unit)
        return canvas.figure.layout.yaxis.scaleanchor == "x"

    assert drawn("y", 1.0)
    assert not drawn("t", 1.0)
    assert not drawn("y", 100.0)
    assert not drawn("y", 1.0, one_unit=False)

    x = np.linspace(0.0, 1.0, 6, dtype=np.float32)
    points = np.stack([part.ravel() for part in np.meshgrid(x, x, indexing="ij")], 1)
    values = points.sum(1)
    one = CaseFields(x, x, points, values, values + np.float32(0.1), np.full_like(values, 1e-3))
    for second, square in (("y", True), ("t", False)):
        pictures = functionfigures.panels(one, ("x", "f", ("x", second), "u"))[1:]
        assert [(picture.figure.layout.yaxis.scaleanchor == "x") for _, picture in pictures] == [square] * 5
