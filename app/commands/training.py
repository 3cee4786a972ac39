"""`lsr training`: LSR at every checkpoint of a bundle, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import JsonOption, RunsOption, TrustOption, refuse_settings
from lsr_app.commands.running import created, experiment, printable_lines, tell

if TYPE_CHECKING:
    from lsr_core.diagnosis.training_records import TrainingRecord


def training(
    problem: Annotated[
        str,
        typer.Argument(
            metavar="PROBLEM", help="Name of a sample, or path of a bundle (folder or zip), with checkpoints."
        ),
    ],
    rank: Annotated[
        str | None,
        typer.Option(
            help="Rank at every checkpoint: auto (by default), knee, or a number, which makes κ of the lines comparable."
        ),
    ] = None,
    max_rank: Annotated[
        int | None, typer.Option(help="Largest rank at every checkpoint; as many as fit, at most 1000, by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random sketch.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Refine at every checkpoint of a training, and say whether more training helps LSR."""
    from lsr_core.diagnosis.along_training import need_checkpoints
    from lsr_core.diagnosis.training_records import TrainingRecord
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.storage.bundles import read_description
    from lsr_core.validation import checked

    asked = {} if rank is None else {"rank": rank}
    config = checked(RefineConfig, {**asked, "max_rank": max_rank, "seed": seed})

    def refused(folder: Path) -> None:
        need_checkpoints([entry.epoch for entry in read_description(folder).checkpoints])
        refuse_settings(folder, config, "training")

    run = created(problem, config, runs, trust, "training", refused)
    record = experiment(run, TrainingRecord)
    tell(run, record.model_dump(mode="json"), _words(record), json)


def _words(record: TrainingRecord) -> str:
    lines = [
        f"{record.problem}: {record.n_params:,} parameters; relative L2 errors of network and refinement, on test data or against the solution",
        f"{'epoch':>6}{'network':>12}{'refined':>12}{'rank':>7}{'κ(G V)':>10}{'seconds':>9}  limit (confidence)",
    ]
    for found in record.checkpoints:
        numbers = (found.base_error, found.refined_error)
        cells = "".join(f"{'-' if value is None else f'{value:.3e}':>12}" for value in numbers)
        kappa = "-" if found.condition_number is None else f"{found.condition_number:.1e}"
        verdict = f"{found.verdict.limit} ({found.verdict.confidence})"
        lines.append(f"{found.epoch:>6}{cells}{found.rank:>7,}{kappa:>10}{found.seconds:>9.1f}  {verdict}")
    if len({found.rank for found in record.checkpoints}) > 1:
        lines.append(
            "κ is that of the rank in its line; a smaller rank has a smaller one, and --rank NUMBER gives all lines the same"
        )
    lines += [record.sentence] if record.sentence else []
    lines.append(f"{record.seconds:.1f} s")
    return printable_lines(lines)
