"""Functions one by one, classes, and the form for other input functions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lsr_app.screens.overview import classfigures as classes
from lsr_app.services import jobs, operators, results
from lsr_app.shell.functions import functiondata
from lsr_app.shell.functions import functionfigures as functions
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import load_problem, read_description, save_problem
from lsr_core.storage.functions import FOLDER, read_fields
from lsr_core.storage.runs import Run, RunStore
from tests.app.conftest import Opener
from tests.app.test_kinds_pages import classifier, equation, operator


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("batch")
    bundle = save_problem(folder / "tiny", equation())  # type: ignore[arg-type]
    run = create(
        RunStore(folder / "runs"), bundle, RefineConfig(max_rank=15), owner="tests", kind="cases", settings={"cases": 3}
    )
    execute(run)
    return run


def test_fields_of_every_case_have_the_errors_of_the_record(batch: Run) -> None:
    record = results.experiment(batch, CasesRecord)
    assert record is not None
    found = functiondata.of_cases(batch, record)
    for place, case in enumerate(record.cases):
        look = found.look(place)
        assert look is not None
        size = np.linalg.norm(look.truth)
        assert np.linalg.norm(look.network - look.truth) / size == pytest.approx(case.base, rel=0.02)
        assert np.linalg.norm(look.refined_error) / size == pytest.approx(case.refined, rel=0.05)
    assert found.refined[found.worst_first[0]] == max(case.refined for case in record.cases)


def test_a_damaged_file_of_fields_is_refused(batch: Run, tmp_path: Path) -> None:
    shutil.copytree(batch.path / FOLDER, tmp_path / FOLDER)
    assert read_fields(tmp_path, 99) is None
    path = tmp_path / FOLDER / "000001.npz"
    arrays = dict(np.load(path))
    np.savez_compressed(path, **(arrays | {"truth": arrays["truth"][1:]}))
    with pytest.raises(InputError, match=r"expected .*the run is damaged"):
        read_fields(tmp_path, 1)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="npz"):
        read_fields(tmp_path, 1)


def test_the_page_of_a_batch_shows_the_function_that_is_picked(batch: Run, open_page: Opener, store: RunStore) -> None:
    shutil.copytree(batch.path, store.root / batch.id)
    app = open_page("overview", run=batch.id)
    picker = app.selectbox(key="function_place")
    assert [option.split(".")[0] for option in picker.options] == ["1", "2", "3"]
    picker.select_index(2).run()
    assert not app.exception
    assert app.selectbox(key="function_place").index == 2


def test_functions_of_an_operator_from_data(tmp_path: Path, open_page: Opener, store: RunStore) -> None:
    run = create(store, save_problem(tmp_path / "tiny", operator()), RefineConfig(max_rank=15), owner="tests")  # type: ignore[arg-type]
    execute(run)
    data = results.load(run)
    found = functiondata.of_data(data, data.snap(run.summary.rank))
    assert float(found.base.mean()) == pytest.approx(run.summary.base.mean or 0, rel=1e-6)
    assert float(found.refined.mean()) == pytest.approx(run.summary.refined.mean or 0, rel=1e-4)
    picture = functions.distribution(found)
    assert len(list(picture.rows())) == 30
    assert "30 relative errors" in picture.alt
    app = open_page("overview", run=run.id)
    assert len(app.selectbox(key="function_place").options) == 30


def test_classes_of_a_classifier(tmp_path: Path, open_page: Opener, store: RunStore) -> None:
    run = create(store, save_problem(tmp_path / "tiny", classifier()), RefineConfig(max_rank=15), owner="tests")  # type: ignore[arg-type]
    execute(run)
    found = run.summary.classes
    assert found is not None
    picture = classes.confusion(found.refined_confusion, 5, "Refined")
    assert sum(row[2] for row in picture.rows()) == 60  # type: ignore[misc]
    app = open_page("overview", run=run.id)
    assert any("Confusion of classes" in block.proto.body for block in app.get("html"))


def test_a_function_of_the_users_own_becomes_a_run(tmp_path: Path, store: RunStore) -> None:
    bundle = save_problem(tmp_path / "tiny", equation())  # type: ignore[arg-type]
    values = [0.0, 1.0, -1.0, 0.5]
    other = operators.with_input(bundle, {"values": values}, tmp_path / "other")
    described = read_description(other)
    assert described.physics is not None
    assert described.physics.arguments["input"]["values"] == values  # type: ignore[index,call-overload]
    x, u = operators.input_curve(other, {})
    np.testing.assert_allclose(np.interp([0, 1 / 3, 2 / 3, 1], x, u), values, atol=2e-3)
    sensors = load_problem(other).model.get_buffer("sensors")[0].numpy()
    np.testing.assert_allclose(sensors[[0, -1]], [0.0, 0.5], atol=1e-6)
    with pytest.raises(InputError):
        operators.input_curve(bundle, {"values": [1.0]})


def test_the_form_offers_input_functions_where_there_are_any(
    tmp_path: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, object]] = []

    def submit(
        folder: Path, config: RefineConfig, *rest: object, kind: str = "refine", settings: object = None, **_: object
    ) -> str:
        physics = json.loads((folder / "problem.json").read_text())["physics"]
        asked.append((kind, settings or physics["arguments"]["input"]["case"]))
        raise InputError("stopped here")

    monkeypatch.setattr(jobs, "submit", submit)
    app = open_page("refine", problem="antiderivative")
    app.number_input(key="input_case").set_value(7).run()
    app.button(key="start_input").click().run()
    app.number_input(key="batch_count").set_value(12).run()
    app.button(key="start_batch").click().run()
    assert asked == [("refine", 7), ("cases", {"cases": 12})]
    assert all(entry.key != "input_case" for entry in open_page("refine", problem="sine2d").number_input)
