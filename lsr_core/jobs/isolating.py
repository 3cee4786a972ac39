"""The job "isolate": R degrees of freedom spent in different ways; what has been solved is kept after each."""

from __future__ import annotations

from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run


def work(run: Run, report: ProgressCallback) -> None:
    """Compare and write; cancelled, the run keeps the contenders that are through."""
    from lsr_core.lab.isolation import IsolationSettings, isolate
    from lsr_core.lab.records import IsolationRecord
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.lab import write_experiment
    from lsr_core.validation import checked

    settings = checked(IsolationSettings, run.manifest.settings)
    run.append_log(f"isolation: {run.manifest.config.model_dump_json()}")

    def keep(record: IsolationRecord) -> None:
        write_experiment(run.path, record)
        last = record.contenders[-1]
        run.append_log(f"{last.name}: training error {last.errors.train}")

    isolate(load_problem(run.problem_path), run.manifest.config, settings, progress=report, on_record=keep)
