"""The job "cases": one refinement for each of many input functions; what has been refined is kept as it goes."""

from __future__ import annotations

from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run


def work(run: Run, report: ProgressCallback) -> None:
    """Refine and write; cancelled, the run keeps the cases that are through."""
    from lsr_core.refinement.case_records import CaseFields, CasesRecord
    from lsr_core.refinement.cases import CasesSettings, input_of, refine_cases
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.functions import write_fields
    from lsr_core.storage.lab import write_experiment
    from lsr_core.validation import checked

    settings = checked(CasesSettings, run.manifest.settings)
    problem, _ = input_of(load_problem(run.problem_path))
    run.append_log(f"{settings.cases} cases of {problem.name}: {run.manifest.config.model_dump_json()}")

    def keep(record: CasesRecord) -> None:
        write_experiment(run.path, record)

    def draw(case: int, found: CaseFields) -> None:
        write_fields(run.path, case, found)

    record = refine_cases(problem, run.manifest.config, settings, progress=report, on_record=keep, on_fields=draw)
    run.append_log(f"mean relative error {record.base.mean} -> {record.refined.mean} at rank {record.rank}")
