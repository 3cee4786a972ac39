"""Figures without a screen: traces, axes, a few values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lsr_app.plots import lines, maps, paths, ranks, scales, theme
from lsr_app.reading import rundata
from lsr_app.reading.rundata import RunData
from lsr_app.words import parts
from lsr_core.errors import InputError
from lsr_core.storage.runs import RunStore
from tests.app import synthetic


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    return rundata.read(
        synthetic.complete(RunStore(tmp_path_factory.mktemp("runs")), side=20, max_rank=60, interpolated=True)
    )


def names(figure: object) -> list[str]:
    return [trace.name for trace in figure.data if trace.showlegend is not False]  # type: ignore[attr-defined]


def test_errors_have_every_split_the_base_level_and_the_marks(data: RunData) -> None:
    picture = ranks.errors([("a", data)], [data.auto_rank])
    assert names(picture.figure) == ["Training", "Validation", "Test", "Network", "Knee", "Selected"]
    assert picture.figure.layout.yaxis.type == "log"
    base = next(trace for trace in picture.figure.data if trace.name == "Network")
    assert base.line.dash == "dash"
    assert base.y[0] == data.sweep.test_mse[0]
    assert len(list(picture.rows())) == 61


def test_each_output_has_a_curve_and_a_column(data: RunData) -> None:
    count = len(data.sweep.solved)
    told = np.geomspace(1, 1e-3, count)[:, None] * [1.0, 5.0]
    run = replace(data, sweep=replace(data.sweep, by_output=told, divided=told[:, 0] ** 2))
    picture = ranks.errors([("A", run)], [run.summary.rank], measure="relative_l2")
    assert {data.told_name(0, 2), data.told_name(1, 2), "Divided by sizes, compared"} <= set(names(picture.figure))
    assert picture.columns[-2:] == ("relative_l2_output_1", "relative_l2_output_2")
    assert list(picture.rows())[3][-2:] == tuple(told[3])
    plain = ranks.errors([("A", data)], [data.summary.rank], measure="relative_l2")
    assert len(names(plain.figure)) == len(names(picture.figure)) - 3
    assert run.auto_rank in run.ladder


def test_interpolated_parts_are_dotted_and_the_rest_is_solid(data: RunData) -> None:
    figure = ranks.errors([("a", data)], [0]).figure
    tests = [trace for trace in figure.data if trace.name == "Test"]
    assert [(trace.line.dash, trace.mode) for trace in tests] == [("solid", "lines"), ("dot", "lines+markers")]
    assert np.isnan(tests[0].y[31])
    dotted = tests[1].x[np.isfinite(tests[1].y)]
    assert dotted.tolist() == [29, 40, 60]


def test_rank_zero_is_left_out_of_a_logarithmic_rank_axis(data: RunData) -> None:
    figure = ranks.errors([("a", data)], [0], logx=True).figure
    assert figure.layout.xaxis.type == "log"
    assert figure.data[0].x[0] == 1


def test_two_runs_are_told_apart_by_number_and_dash(data: RunData) -> None:
    figure = ranks.step_length([("a", data), ("b", data)], [5, 5]).figure
    assert "‖Δθ‖ (2)" in names(figure)
    assert next(trace for trace in figure.data if trace.name == "‖Δθ‖ (2)").line.dash == "dash"


def test_singular_values_below_the_sketch_error_are_greyed(data: RunData) -> None:
    figure = ranks.spectrum([("a", data)], [5]).figure
    assert names(figure) == ["Singular value", "Below it", "Sketch error"]
    trusted = figure.data[0].y
    assert np.nanmin(trusted) >= data.spectrum.sketch_error


def test_condition_number_shows_the_limit_of_the_dtype(data: RunData) -> None:
    figure = ranks.condition([("a", data)], [5]).figure
    limit = next(trace for trace in figure.data if trace.name == "1/ε float64")
    assert limit.y[0] == pytest.approx(1 / np.finfo(np.float64).eps)


def test_error_scale_is_symmetric(data: RunData) -> None:
    values = data.network_error(0)
    heat = maps.signed_error(data, values, "Network error", scales.largest(values)).figure.data[0]
    assert heat.type == "heatmap"
    assert heat.zmin == -heat.zmax
    assert heat.z.shape == (20, 20)


def test_grid_puts_points_where_they_belong(data: RunData) -> None:
    grid = data.grid
    assert grid is not None
    heat = maps.field(data, data.fields.inputs[:, 0] + 10 * data.fields.inputs[:, 1], "x + 10 y", (0, 11)).figure.data[
        0
    ]
    assert heat.z[3, 5] == pytest.approx(grid.x[5] + 10 * grid.y[3], rel=1e-6)


def test_points_without_a_grid_are_scattered(tmp_path: Path) -> None:
    run = rundata.read(synthetic.complete(RunStore(tmp_path), dimension=3, side=20, max_rank=20))
    trace = maps.field(run, run.fields.targets[:, 0], "Truth", (-1, 1), axes=(0, 2)).figure.data[0]
    assert trace.type in ("scatter", "scattergl")
    assert np.allclose(trace.y, run.fields.inputs[:, 2])


def test_a_domain_with_a_hole_is_a_map_with_a_gap(data: RunData) -> None:
    """Thousands of separate points need WebGL, which not every browser has, and leave gaps where there are none."""
    x, y = data.fields.inputs.T
    kept = np.flatnonzero((x > np.median(x)) | (y > np.median(y)))
    run = replace(data, fields=replace(data.fields, inputs=data.fields.inputs[kept]), _grids={})
    assert run.grid is None
    heat = maps.field(run, (x + 10 * y)[kept], "x + 10 y", (0, 11)).figure.data[0]
    assert heat.type == "heatmap"
    told = np.array(heat.z)
    assert np.isfinite(told).sum() == len(kept) < told.size
    place = np.unravel_index(np.argmax(np.isfinite(told)), told.shape)
    assert told[place] == pytest.approx(heat.x[place[1]] + 10 * heat.y[place[0]], rel=1e-6)
    scattered = replace(run, fields=replace(run.fields, inputs=run.fields.inputs + 1e-3 * np.sin(run.fields.inputs)))
    assert replace(scattered, _grids={}).map_grid is None


def test_ratio_is_symmetric_about_one(data: RunData) -> None:
    heat = maps.ratio(data, data.refined_error(60, 0), data.network_error(0), "Ratio").figure.data[0]
    assert heat.zmin == -heat.zmax
    same = maps.ratio(data, data.network_error(0), data.network_error(0), "Ratio").figure.data[0]
    assert np.all(same.z == 0)


def test_slice_lies_on_one_grid_line(data: RunData) -> None:
    where = lines.cut(data, 0, 0.5)
    assert where.exact
    assert len(where.points) == 20
    assert len(set(data.fields.inputs[where.points, 1])) == 1
    picture = lines.values([("a", data)], [60], 0, where)
    assert names(picture.figure) == ["Truth", "Network", "Refined predictor"]


def test_quantiles_and_worst_points_agree(data: RunData) -> None:
    largest = lines.quantiles(data, 60, 0)[-1]
    assert largest[2] == pytest.approx(abs(lines.worst(data, 60, 0)[0]["refined error"]))


def test_loss_path_keeps_the_objects_apart(data: RunData) -> None:
    figure = paths.losses([("a", data)], [60]).figure
    assert names(figure) == [parts.DATA.linear, paths.NONLINEAR, "Network (α = 0)"]
    colours = [trace.line.color for trace in figure.data]
    assert len(set(colours)) == 3
    assert figure.layout.shapes[0].x1 == pytest.approx(paths.interval(data, 60)[1])


def test_rank_beside_the_run_is_refused(tmp_path: Path) -> None:
    run = synthetic.complete(RunStore(tmp_path), side=12, max_rank=20)
    fields = run.fields
    broken = type(fields)(**{**vars(fields), "network": fields.network[:-1]})
    run.write_result(broken)
    run.__dict__.pop("fields", None)
    with pytest.raises(InputError, match=r"fields\.npz: network: .*expected"):
        rundata.read(run)


def test_figures_take_the_colours_of_the_page_that_is_drawn(data: RunData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "_mode", [lambda: "light"])
    light = ranks.spectrum([("", data)], [3]).figure
    theme.follow(lambda: "dark")
    dark = ranks.spectrum([("", data)], [3]).figure
    assert (light.layout.font.color, dark.layout.font.color) == (theme.LIGHT.text, theme.DARK.text)
    assert light.data[0].line.color != dark.data[0].line.color
