"""`lsr iterate`: iterative LSR of an equation, beside the trainings it is compared with, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, RunsOption, TrustOption, emit, find_run
from lsr_app.commands.running import created, execute, printable_lines
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run


def iterate(
    problem: Annotated[str | None, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)] = None,
    steps: Annotated[int | None, typer.Option(help="Rounds of solve and alignment, at most; 20 by default.")] = None,
    seconds: Annotated[
        float | None, typer.Option(help="For the rounds, and for each training beside them; 300 by default.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with this run from its last half step.")
    ] = None,
    align: Annotated[
        str | None, typer.Option(help="supervised (fit the refined field, the default) or pseudo-time.")
    ] = None,
    pseudo_time: Annotated[float | None, typer.Option(help="Step of pseudo time; 0.001 by default.")] = None,
    optimiser: Annotated[
        str | None,
        typer.Option(
            help="Of alignments: lbfgs, adam, adam-lbfgs or levenberg-marquardt; by the size of the network by default."
        ),
    ] = None,
    align_steps: Annotated[int | None, typer.Option(help="Steps of one alignment, at most; 500 by default.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam in alignments; 0.001 by default.")] = None,
    resample: Annotated[
        bool | None, typer.Option("--resample/--no-resample", help="Draw new points in every round (the default).")
    ] = None,
    baselines: Annotated[
        bool | None, typer.Option("--baselines/--no-baselines", help="Train a plain PINN and others beside it.")
    ] = None,
    max_rank: Annotated[int | None, typer.Option(help="Largest rank of the solves.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of sketches and points; 0 by default.")] = None,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Alternate direct solves and alignments of the network, and keep every half step in a run."""
    given = {
        "steps": steps,
        "seconds": seconds,
        "align": align,
        "pseudo_time": pseudo_time,
        "optimiser": optimiser,
        "align_steps": align_steps,
        "learning_rate": learning_rate,
        "resample": resample,
        "baselines": baselines,
    }
    settings = {key: value for key, value in given.items() if value is not None}
    solves = {key: value for key, value in {"max_rank": max_rank, "seed": seed}.items() if value is not None}
    if resume is not None:
        if problem is not None or solves:
            raise InputError(
                "the run has its problem, rank and seed; leave out PROBLEM, --max-rank and --seed", key="resume"
            )
        run = _resumed(find_run(resume, runs, trust), settings)
    elif problem is not None:
        run = _created(problem, settings, solves, runs, trust)
    else:
        raise InputError("name a problem, or a run to go on with by --resume", key="PROBLEM")
    execute(run)
    record = figures(run)
    emit(record, _words(run), json)


def _created(problem: str, settings: dict[str, Any], solves: dict[str, Any], runs: Any, trust: bool) -> Run:
    from lsr_core.iteration.config import IterateConfig
    from lsr_core.jobs.iterating import equation_of
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.refinement.kinds import outline
    from lsr_core.storage.bundles import load_problem
    from lsr_core.validation import checked

    config, refine = checked(IterateConfig, settings), checked(RefineConfig, solves)

    def refused(folder: Path) -> None:
        outline(equation_of(load_problem(folder)), refine)

    return created(problem, refine, runs, trust, "iterate", refused, config)


def _resumed(run: Run, settings: dict[str, Any]) -> Run:
    from lsr_core.iteration.config import IterateConfig
    from lsr_core.jobs.queue import check_resumable
    from lsr_core.validation import checked

    check_resumable(run)
    manifest = run.manifest
    config = checked(IterateConfig, {**manifest.settings, **settings})
    run.write_manifest(manifest.model_copy(update={"settings": config.model_dump(mode="json")}))
    return run


def figures(run: Run) -> dict[str, Any]:
    """What `lsr iterate --json` prints."""
    from lsr_core.storage.steps import StepStore

    kept = StepStore(run.path)
    summary = kept.summary()
    assert summary is not None
    baselines: dict[str, dict[str, list[Any]]] = {}
    for point in kept.baselines():
        curve = baselines.setdefault(point.name, {"stage": [], "seconds": [], "fresh_residual": [], "relative_l2": []})
        for key, values in curve.items():
            values.append(getattr(point, key))
    return {
        "run": run.id,
        **summary.model_dump(mode="json"),
        "steps": [step.model_dump(mode="json", exclude={"spectrum"}) for step in kept.steps()],
        "baselines": baselines,
        "status": run.status().status,
        "folder": str(run.path),
    }


def _words(run: Run) -> str:
    record = figures(run)
    lines = ["residuals at fitted and at fresh points; relative L2 errors of network and refinement"]
    lines += [f"{'step':>5}{'kind':>7}{'seconds':>9}{'residual':>11}{'fresh':>11}{'network':>11}{'refined':>11}"]
    for step in record["steps"]:
        errors = step["relative_l2"]
        lines.append(
            f"{step['index']:>5}{step['kind']:>7}{step['seconds']:>9.1f}{step['residual']:>11.2e}{step['fresh_residual']:>11.2e}"
            f"{_number(errors['network']):>11}{_number(errors['refined']):>11}"
        )
    for name, curve in record["baselines"].items():
        error, residual = curve["relative_l2"][-1], curve["fresh_residual"][-1]
        found = f"residual {residual:.2e}" if error is None else f"error {error:.2e}"
        lines.append(f"{name}: {found} after {curve['seconds'][-1]:.1f} s")
    lines += [record["sentence"], *(f"note: {note}" for note in record["notes"])]
    best = record["best_relative_l2"]
    lines.append(f"{'' if best is None else f'best error {best:.2e}, '}ended by {record['stopped']}, run {run.id}")
    return printable_lines(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2e}"
