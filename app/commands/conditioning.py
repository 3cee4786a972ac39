"""`lsr conditioning`: the convex race, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, RunsOption, TrustOption, refuse_rank
from lsr_app.commands.running import created, experiment, printable_lines, tell
from lsr_app.reading import racedata

if TYPE_CHECKING:
    from lsr_core.lab.records import MethodRecord, RaceRecord


def conditioning(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    space: Annotated[str, typer.Option(help="subspace (the one LSR solves in) or full (all parameters).")] = "subspace",
    rank: Annotated[
        int | None,
        typer.Option(help="Dimension of the subspace; as large as fits, at most 1000, by default. Not for full."),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Of every method; 5000 in the subspace and 50 in the full space by default.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="Precision of the methods: float64, float32 or both.")] = "both",
    seed: Annotated[int, typer.Option(help="Seed of the random sketch.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Run optimisers on the linearised problem, whose minimum is known, and keep their curves as a run."""
    from lsr_core.lab.race import RaceSettings
    from lsr_core.lab.records import RaceRecord
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.validation import checked

    settings = checked(RaceSettings, {"space": space, "iterations": iterations, "dtype": dtype})
    config = checked(RefineConfig, {"max_rank": rank, "seed": seed})
    job = "race-full" if settings.space == "full" else "race"
    run = created(problem, config, runs, trust, "race", lambda folder: refuse_rank(folder, config, job), settings)
    record = experiment(run, RaceRecord)
    found = record.model_dump(mode="json", exclude={"methods": {"__all__": {"curve"}}, "bounds": True})
    found |= {
        "condition_number": record.condition_number.get("original"),
        "condition_numbers": found["condition_number"],
        "conclusion": _conclusion(record),
    }
    tell(run, found, _words(record), json)


def _words(record: RaceRecord) -> str:
    kappa = record.condition_number.get("original")
    floor = "none but rounding" if record.floor is None else f"{record.floor:.3e}"
    lines = [
        f"{record.problem}: {record.space}, {record.rank:,} unknowns, {record.n_residuals:,} residuals",
        f"base loss {record.base_loss:.3e}, floor {floor}, condition number {'unknown' if kappa is None else f'{kappa:.2e}'}",
        f"{'method':<24}{'precision':<10}{'coordinates':<12}{'best loss':>11}{'x floor':>10}{'iter':>7}{'products':>9}{'seconds':>9}",
    ]
    lines += [_line(method) for method in record.methods]
    lines += [f"note: {note}" for note in record.notes]
    lines += [_conclusion(record), f"{record.seconds:.1f} s"]
    return printable_lines(lines)


def _conclusion(record: RaceRecord) -> str:
    """What the race says, in float64 where it ran in it."""
    double = any(method.dtype == "float64" for method in record.methods)
    return racedata.sentence(record, "float64" if double else "float32")


def _line(method: MethodRecord) -> str:
    ratio = "-" if method.times_floor is None else f"{method.times_floor:.3g}"
    end = f"  diverged at {method.diverged_at}" if method.diverged else ""
    return (
        f"{method.name:<24}{method.dtype:<10}{method.coordinates:<12}{method.best_loss:>11.3e}{ratio:>10}"
        f"{method.iterations:>7}{method.products:>9}{method.seconds:>9.2f}{end}"
    )
