"""The page Along the training: what it draws at each stage of a run, and what it says where there is nothing to follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lsr_samples
from lsr_app.reading import runkinds
from lsr_app.screens.training import figures, trainingdata
from lsr_app.services import problems, results
from lsr_app.words import fillingtexts, labtexts
from lsr_core.diagnosis.training_records import CheckpointRecord, TrainingRecord
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.summary import Verdict
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.lab import read_experiment, write_experiment
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.app.conftest import Opener, html, spec

EPOCHS = (0, 3, 40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny bundle with three checkpoints."""
    plain = load_problem(bundles.write(tmp_path / "plain"))
    scaled = {
        epoch: {name: value * scale for name, value in bundles.tensors().items()}
        for epoch, scale in zip(EPOCHS, (0.1, 0.5, 1.0), strict=True)
    }
    return save_problem(tmp_path / "along", plain, checkpoints=scaled)


def made(store: RunStore, folder: Path, *, kind: str = "training", work: bool = True) -> Run:
    run = queue.create(store, folder, RefineConfig(max_rank=8), owner="test", kind=kind)  # type: ignore[arg-type]
    if work:
        execute(run)
    return store.open(run.id)


def verdict(limit: str, confidence: str = "clear") -> Verdict:
    return Verdict(
        limit=limit,  # type: ignore[arg-type]
        confidence=confidence,  # type: ignore[arg-type]
        sentence=f"It is {limit}.",
        evidence=[],
        advice="",
        signatures=[],
    )  # type: ignore[arg-type]


def checkpoint(
    epoch: int, refined: float | None, limit: str = "conditioning", confidence: str = "clear"
) -> CheckpointRecord:
    return CheckpointRecord(
        epoch=epoch, base_error=0.5, refined_error=refined, rank=4, max_rank=8, condition_number=None, modes=[1, 2],
        singular_values=[3.0, 0.0], verdict=verdict(limit, confidence), seconds=1.0,
    )  # fmt: skip


def record(*checkpoints: CheckpointRecord) -> TrainingRecord:
    epochs = [one.epoch for one in checkpoints]
    return TrainingRecord(problem="tiny", n_params=21, seed=0, epochs=[*epochs, 1000], checkpoints=list(checkpoints))


def test_page_draws_a_complete_run(store: RunStore, folder: Path, open_page: Opener) -> None:
    run = made(store, folder)
    app = open_page("training", run=run.id)
    assert not app.error
    charts = app.get("plotly_chart")
    assert len(charts) == 3
    assert all(chart.proto.alt for chart in charts)
    assert len(spec(app)["data"]) == 2  # type: ignore[arg-type]
    found = results.experiment(run, TrainingRecord)
    assert found is not None
    assert any(found.sentence[:40] in markdown.value.replace("\\", "") for markdown in app.markdown)
    assert all(words in html(app) for words in ("Verdicts", "3 of 3", "Limited by"))


def test_page_shows_what_is_there_while_the_run_is_at_work(store: RunStore, folder: Path, open_page: Opener) -> None:
    run = made(store, folder, work=False)
    app = open_page("training", run=run.id)
    assert not app.get("plotly_chart")
    assert labtexts.LAB_FIRST["training"] in [info.value for info in app.info]
    write_experiment(run.path, record(checkpoint(0, 0.1)))
    app.run()
    assert len(app.get("plotly_chart")) == 3
    assert "1 of 2" in html(app)


def test_a_refinement_leads_to_the_training_of_its_problem(
    store: RunStore, folder: Path, open_page: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs leave checkpoints behind; those of the sample that a run came from are found again."""
    run = made(store, folder, kind="refine")
    assert problems.checkpoints(run.problem_path) == []
    assert fillingtexts.NO_CHECKPOINTS in [info.value for info in open_page("training", run=run.id).info]
    monkeypatch.setattr(lsr_samples, "names", lambda: ["along"])
    monkeypatch.setattr(lsr_samples, "folder", lambda name: folder)
    assert problems.with_checkpoints(run) == folder
    app = open_page("training", run=run.id)
    assert [button.label for button in app.button if button.key == "start_training"] == [labtexts.LAB_START["training"]]
    along = made(store, folder)
    assert problems.same_problem(run, along)
    assert len(open_page("training", run=run.id).get("plotly_chart")) == 3


def test_other_pages_say_where_a_training_is_shown(store: RunStore, folder: Path, open_page: Opener) -> None:
    run = made(store, folder)
    app = open_page("rank", run=run.id)
    assert runkinds.KINDS["training"].sentence in [info.value for info in app.info]


def test_stretches_of_one_limit_are_told_together_by_the_least_certain() -> None:
    found = trainingdata.verdicts(
        [
            checkpoint(0, 1.0, "capacity"),
            checkpoint(1, 1.0, confidence="clear"),
            checkpoint(5, 1.0, confidence="likely"),
        ]
    )
    assert [words for words, _ in found] == ["Epoch 0", "Epochs 1 to 5"]
    assert found[1][1].confidence == "likely"


def test_a_sentence_is_not_told_of_checkpoints_that_it_is_not_about() -> None:
    """The shipped training begins no better than a constant, and ends far better with the same limit."""
    record = read_experiment(lsr_samples.runs_folder() / "5f0c1a7e9b3d4c268a1be0d7f4930004", TrainingRecord)
    assert record is not None
    said = {one.epoch: one.verdict.sentence for one in record.checkpoints}
    assert len(set(said.values())) > 1
    for words, verdict in trainingdata.verdicts(record.checkpoints):
        parts = words.removeprefix("Epochs ").removeprefix("Epoch ").split()
        assert {said[epoch] for epoch in said if int(parts[0]) <= epoch <= int(parts[-1])} == {verdict.sentence}


def test_the_smallest_error_passes_over_those_not_known() -> None:
    best = trainingdata.smallest([checkpoint(0, None), checkpoint(1, 0.2), checkpoint(5, 0.3)])
    assert best is not None
    assert best.epoch == 1
    assert trainingdata.smallest([checkpoint(0, None)]) is None


def test_epochs_keep_their_order_and_place_on_the_axis() -> None:
    x = figures.places([0, 1, 5, 200])
    assert np.all(np.diff(x) > 0)
    assert x[1:].tolist() == [1.0, 5.0, 200.0]
    assert figures.places([0])[0] > 0
    some, more = record(checkpoint(0, 0.1)), record(checkpoint(0, 0.1), checkpoint(7, 0.2))
    more = more.model_copy(update={"epochs": some.epochs})
    ranges = [figures.errors(one).figure.layout.xaxis.range for one in (some, more)]
    assert ranges[0] == ranges[1]


def test_what_is_not_known_is_a_gap_and_a_dash() -> None:
    unknown = record(checkpoint(0, None), checkpoint(1, 0.2))
    picture = figures.errors(unknown)
    assert np.isnan(picture.figure.data[1].y[0])
    assert next(iter(picture.rows()))[2] is None
    assert "–" in picture.alt
    assert np.isnan(figures.spectra(unknown).figure.data[0].y[1])
