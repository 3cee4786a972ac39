"""Every page of every sample and of every run that is shipped: nothing said against the numbers, and nothing that no person would write."""

from __future__ import annotations

from pathlib import Path

import pytest

import lsr_samples
from lsr_app.reading import rundata
from lsr_app.services import runs
from lsr_app.shell import pages
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.runs import Run, RunStore
from lsr_samples.make_runs import RUNS, SHIPPED_ID
from tests.app import labstatements, statements
from tests.app.conftest import Opener

IDS = {entry.name: entry.id for entry in RUNS}
SAMPLES = sorted(path.parent.name for path in Path(lsr_samples.__file__).parent.glob("*/problem.json"))
SMALL = 24  # directions: enough to say something of, and refined in seconds
QUICK = ("noisy1d",)


@pytest.fixture(scope="session")
def refined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Small refinements of samples, each made when it is first asked for."""
    kept = RunStore(tmp_path_factory.mktemp("samples"))

    class Made(dict[str, Run]):
        def __missing__(self, name: str) -> Run:
            regularise = {"regularise": "auto"} if name.endswith("smoothed") else {}
            source = lsr_samples.folder(name.removesuffix(" smoothed"))
            run = queue.create(kept, source, RefineConfig(max_rank=SMALL, **regularise), owner="test", title=name)
            execute(run)
            self[name] = kept.open(run.id)
            return self[name]

    return Made()


def slow(names: list[str]) -> list[object]:
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", slow([*SAMPLES, "noisy1d smoothed"]))
def test_every_page_of_every_sample(
    name: str, refined: dict[str, Run], monkeypatch: pytest.MonkeyPatch, open_page: Opener
) -> None:
    run = refined[name]
    monkeypatch.setattr(runs, "shipped_store", lambda: RunStore(run.path.parent))
    data = rundata.read(run)
    for rank in (data.auto_rank, data.ladder[-1]):
        met: set[str] = set()
        for page in pages.found():
            if pages.found()[page].group != "run" and rank != data.auto_rank:
                continue
            app = open_page(page, run=run.id, rank=rank)
            text = statements.said(app)
            seen, wrong = statements.contradictions(text, data, rank)
            assert (page, wrong, statements.clumsy(text)) == (page, [], [])
            met |= seen
        assert met


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in RUNS])
def test_every_page_of_every_shipped_run_is_written_for_people(name: str, shipped: RunStore, open_page: Opener) -> None:
    for page in pages.found():
        text = statements.said(open_page(page, run=IDS[name]))
        assert (page, statements.clumsy(text)) == (page, [])


def test_experiments_are_told_as_they_were(shipped: RunStore, open_page: Opener) -> None:
    def record(name: str, kind: type) -> object:
        return read_experiment(shipped.root / IDS[name], kind)

    race, isolation, training = (
        record("race", RaceRecord),
        record("isolate", IsolationRecord),
        record("training", TrainingRecord),
    )
    assert isinstance(race, RaceRecord)
    assert isinstance(isolation, IsolationRecord)
    assert isinstance(training, TrainingRecord)
    told = {
        part: statements.said(open_page("conditioning", run=SHIPPED_ID, lab=part)) for part in ("race", "isolation")
    }
    told["training"] = statements.said(open_page("training", run=SHIPPED_ID))
    assert labstatements.race(told["race"], race) == []
    assert labstatements.isolation(told["isolation"], isolation) == []
    assert labstatements.training(told["training"], training) == []
    spoilt = race.model_copy(update={"floor": 3 * (race.floor or 1)})
    assert labstatements.race(told["race"], spoilt)
    first, *rest = training.checkpoints
    spoilt_training = training.model_copy(update={"checkpoints": [first.model_copy(update={"base_error": 0.5}), *rest]})
    assert len(labstatements.training(told["training"], spoilt_training)) == 1
