"""`lsr isolate`: the same degrees of freedom spent in different ways, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, RunsOption, TrustOption, refuse_rank
from lsr_app.commands.running import created, experiment, printable_lines, tell

if TYPE_CHECKING:
    from lsr_core.lab.records import IsolationRecord


def isolate(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    rank: Annotated[
        int | None, typer.Option(help="Degrees of freedom of each; as many as fit, at most 1000, by default.")
    ] = None,
    iterations: Annotated[int, typer.Option(help="Of each nonlinear optimisation.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the random sketch and of the random subspace.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the solve in the Jacobian subspace with last layer, random subspace and nonlinear optimisation."""
    from lsr_core.lab.isolation import IsolationSettings
    from lsr_core.lab.records import IsolationRecord
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.validation import checked

    settings = checked(IsolationSettings, {"iterations": iterations})
    config = checked(RefineConfig, {"max_rank": rank, "seed": seed})
    run = created(
        problem, config, runs, trust, "isolate", lambda folder: refuse_rank(folder, config, "isolate"), settings
    )
    record = experiment(run, IsolationRecord)
    tell(run, record.model_dump(mode="json"), _words(record), json)


def _words(record: IsolationRecord) -> str:
    lines = [
        f"{record.problem}: {record.rank:,} of {record.n_params:,} degrees of freedom, {record.n_residuals:,} residuals; relative L2 errors",
        f"{'':<26}{'dimension':>10}{'train':>12}{'validation':>12}{'test':>12}{'seconds':>9}",
    ]
    for found in record.contenders:
        values = (found.errors.train, found.errors.validation, found.errors.test)
        cells = "".join(f"{'-' if value is None else f'{value:.3e}':>12}" for value in values)
        note = f"  {found.note}" if found.note else ""
        lines.append(f"{found.name:<26}{found.dimension:>10,}{cells}{found.seconds:>9.1f}{note}")
    lines += [f"note: {note}" for note in record.notes]
    lines.append(f"{record.seconds:.1f} s")
    return printable_lines(lines)
