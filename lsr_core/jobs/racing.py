"""The job "race": every optimiser on the linearised problem; what has been run is kept after each method."""

from __future__ import annotations

from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run


def work(run: Run, report: ProgressCallback) -> None:
    """Race and write; cancelled, the run keeps the methods that are through."""
    from lsr_core.lab.race import RaceSettings, race
    from lsr_core.lab.records import RaceRecord
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.lab import write_experiment
    from lsr_core.validation import checked

    settings = checked(RaceSettings, run.manifest.settings)
    run.append_log(f"race in the {settings.space}: {run.manifest.config.model_dump_json()}")

    def keep(record: RaceRecord) -> None:
        write_experiment(run.path, record)
        if record.methods:
            last = record.methods[-1]
            run.append_log(f"{last.name}, {last.dtype}, {last.coordinates}: {last.best_loss:.3e}")

    race(load_problem(run.problem_path), run.manifest.config, settings, progress=report, on_record=keep)
