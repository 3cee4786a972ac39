"""The job "training": LSR at every checkpoint of a bundle; what has been refined is kept after each."""

from __future__ import annotations

from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run


def work(run: Run, report: ProgressCallback) -> None:
    """Refine and write; cancelled, the run keeps the checkpoints that are through."""
    from lsr_core.diagnosis.along_training import along_training
    from lsr_core.diagnosis.training_records import TrainingRecord
    from lsr_core.storage.bundles import load_problem, read_description
    from lsr_core.storage.lab import write_experiment

    epochs = [entry.epoch for entry in read_description(run.problem_path).checkpoints]
    run.append_log(f"epochs {epochs}: {run.manifest.config.model_dump_json()}")

    def keep(record: TrainingRecord) -> None:
        write_experiment(run.path, record)
        last = record.checkpoints[-1]
        run.append_log(f"epoch {last.epoch}: error {last.base_error} -> {last.refined_error}, {last.verdict.limit}")

    along_training(
        epochs,
        lambda epoch: load_problem(run.problem_path, epoch),
        run.manifest.config,
        progress=report,
        on_record=keep,
    )
