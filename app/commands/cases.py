"""`lsr refine OPERATOR --cases N`: a batch of input functions, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsr_app.commands.running import created, experiment, number, printable_lines, tell

if TYPE_CHECKING:
    from lsr_core.refinement.case_records import CasesRecord
    from lsr_core.refinement.config import RefineConfig


def refine_cases(problem: str, config: RefineConfig, cases: int, runs: Path | None, *, trust: bool, json: bool) -> None:
    """Refine many unseen input functions of an operator and keep the result as a run."""
    from lsr_core.refinement.case_records import CasesRecord
    from lsr_core.refinement.cases import CasesSettings, input_of
    from lsr_core.storage.bundles import load_problem
    from lsr_core.validation import checked

    settings = checked(CasesSettings, {"cases": cases})
    run = created(problem, config, runs, trust, "cases", lambda folder: input_of(load_problem(folder)), settings)
    record = experiment(run, CasesRecord)
    tell(run, record.model_dump(mode="json"), _words(record), json)


def _words(record: CasesRecord) -> str:
    lines = [
        f"{record.problem}: {record.n_cases:,} unseen input functions, {record.n_params:,} parameters, {record.n_residuals:,} residuals each",
        f"rank {record.rank} of {record.max_rank} ({record.rank_choice})",
        f"{'relative l2':22}{'network':>12}{'refined':>12}",
    ]
    for key in type(record.base).model_fields:
        lines.append(f"{key:<22}{number(getattr(record.base, key)):>12}{number(getattr(record.refined, key)):>12}")
    lines.append(
        f"{record.shared_seconds:.1f} s shared by all, {record.seconds_per_case:.3f} s a function, {record.seconds:.1f} s in all"
    )
    return printable_lines(lines)
