"""Published pages say what the run holds, need no server, give nobody away, and stay small."""

from __future__ import annotations

import base64
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lsr_samples
from lsr_app.cli import run as command
from lsr_app.making import site
from lsr_app.plots import scales
from lsr_app.reading import rundata
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.storage.runs import Run, RunStore
from lsr_samples.make_runs import RUNS, SHIPPED_ID
from tests.app import synthetic, uncut

SMALL = {"side": 12, "max_rank": 30}
HALF_A_STEP = 0.5 / 255


def content(folder: Path) -> dict[str, Any]:
    text = (folder / "data.js").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.removeprefix("window.LSR = ").rstrip(";\n"))
    return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return synthetic.complete(RunStore(tmp_path / "runs"), owner="somebody secret", title="<b>mine</b>", **SMALL)


def test_every_number_of_a_page_is_that_of_the_run(run: Run, tmp_path: Path) -> None:
    site.publish([run], tmp_path / "site")
    told, data = content(tmp_path / "site" / run.id), rundata.read(run)
    assert told["ladder"] == data.ladder
    for place, rank in enumerate(data.ladder):
        _, _, base, refined = data.headline(rank)
        assert told["headline"][place] == [formats.error(base), formats.error(refined), formats.factor(base, refined)]
        assert told["kappa"][place] == formats.error(data.reported("condition_number", rank))
    test = next(line for line in told["curves"]["lines"] if line["split"] == "test")
    np.testing.assert_allclose(test["y"], data.sweep.test_relative_l2[told["curves"]["x"]], rtol=1e-4)


def test_the_map_of_a_page_is_that_of_the_run_to_a_step_of_the_scale(run: Run, tmp_path: Path) -> None:
    site.publish([run], tmp_path / "site")
    fields, data = content(tmp_path / "site" / run.id)["fields"], rundata.read(run)
    low, high = fields["limits"]
    for place in (0, len(data.ladder) // 2, -1):
        packed = np.frombuffer(base64.b64decode(fields["refined"][place]), dtype=np.uint8)
        shown = low + packed / 255 * (high - low)
        assert data.grid is not None
        true = scales.clipped(data.grid(data.refined_error(data.ladder[place], 0)), (low, high)).ravel()
        np.testing.assert_allclose(shown, true, atol=HALF_A_STEP * (high - low) + 1e-9)


def test_the_files_beside_it_are_the_sweep_and_the_record(run: Run, tmp_path: Path) -> None:
    site.publish([run], tmp_path / "site")
    with (tmp_path / "site" / run.id / "sweep.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["test_mse"]) for row in rows] == run.sweep.test_mse.tolist()
    record = json.loads((tmp_path / "site" / run.id / "run.json").read_text(encoding="utf-8"))
    assert record["refined"]["test_mse"] == run.summary.refined.test_mse


def test_nothing_of_the_owner_of_another_host_or_of_foreign_markup_is_in_it(run: Run, tmp_path: Path) -> None:
    site.publish([run], tmp_path / "site")
    for path in (tmp_path / "site").rglob("*"):
        if path.is_file() and path.name != site.LIBRARY:
            text = path.read_text(encoding="utf-8")
            assert "somebody secret" not in text
            assert "http://" not in text
            assert "https://" not in text
            assert "<b>mine" not in text


def test_a_folder_of_somebody_elses_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"thesis\.tex.*name a new folder"):
        site.publish([run], tmp_path / "site")
    with pytest.raises(InputError, match="at least one run"):
        site.publish([], tmp_path / "other")
    site.publish([run], tmp_path / "again")
    site.publish([run], tmp_path / "again")


@pytest.mark.parametrize("shape", [{"dimension": 1}, {"dimension": 3}, {"validation": False}, {"interpolated": True}])
def test_runs_of_all_shapes_are_published(shape: dict[str, Any], tmp_path: Path) -> None:
    made = synthetic.complete(RunStore(tmp_path / "runs"), **{**SMALL, **shape})
    found = site.publish([made], tmp_path / "site")
    assert found[0].n_bytes < site.MAX_RUN_BYTES
    kinds = {1: "lines", 2: "map", 3: None}
    fields = content(tmp_path / "site" / made.id)["fields"]
    assert (fields["kind"] if fields else None) == kinds[int(shape.get("dimension", 2))]


def test_shipped_runs_are_published_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = lsr_samples.runs_folder()
    named = [str(store / entry.id) for entry in RUNS if entry.kind == "refine"]
    assert command(["publish", *named, "--out", str(tmp_path / "site"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [entry["run"] for entry in told["runs"]] == [Path(path).name for path in named]
    assert all(entry["bytes"] < site.MAX_RUN_BYTES for entry in told["runs"])
    assert SHIPPED_ID in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    race = next(entry for entry in RUNS if entry.kind == "race")
    assert command(["publish", str(store / race.id), "--out", str(tmp_path / "other")]) == 2


def test_a_page_holds_what_a_run_says_of_itself_and_an_axis_that_shows_it(tmp_path: Path) -> None:
    run = uncut.noisy(RunStore(tmp_path / "runs"))
    site.publish([run], tmp_path / "site")
    folder = tmp_path / "site" / run.id
    text, curves = (folder / "index.html").read_text(encoding="utf-8"), content(folder)["curves"]
    assert run.sweep.train_relative_l2[-1] < 1e-12  # where the axis would go to
    assert curves["reach"]["range"][0] > -4
    assert "Training goes on down to" in text
    for note in run.summary.notes:
        assert note[1:] in text
