"""The lab's experiments on disk: one JSON file each in the folder of a run, rewritten as they advance and readable at any time."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.storage import atomic, digests
from lsr_core.validation import describe

MAX_BYTES = 64 * 2**20
NAMES: dict[type[BaseModel], str] = {
    RaceRecord: "race.json",
    IsolationRecord: "isolation.json",
    TrainingRecord: "training.json",
    CasesRecord: "cases.json",
}
Experiment = TypeVar("Experiment", RaceRecord, IsolationRecord, TrainingRecord, CasesRecord)


def write_experiment(folder: Path, record: Experiment) -> None:
    """Keep what there is so far; a reader sees the file before or the file after, never half of one."""
    atomic.write_text(folder / NAMES[type(record)], record.model_dump_json())


def read_experiment(folder: Path, kind: type[Experiment]) -> Experiment | None:
    """What has been found so far, also of a run that was cancelled; None before the first result.

    Args:
        folder: of the run.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / NAMES[kind]
    if not digests.there(path):
        return None
    try:
        return kind.model_validate_json(digests.read(path, MAX_BYTES))
    except ValidationError as error:
        raise describe(error, path.name) from error
