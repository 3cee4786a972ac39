"""`lsr solve`: an equation from scratch, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, RunsOption, TrustOption, emit
from lsr_app.commands.running import created, execute, number, printable_lines
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run


def solve(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    windows: Annotated[
        str, typer.Option(help="Windows of time: auto, none, or how many equal ones to begin with.")
    ] = "auto",
    tolerance: Annotated[
        float | None, typer.Option(help="Relative residual from which a window counts as solved; 1e-9 by default.")
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Directions of a window's tangent space.")] = None,
    steps: Annotated[int | None, typer.Option(help="Gauss-Newton steps in one window, at most.")] = None,
    search: Annotated[
        bool, typer.Option("--search/--no-search", help="Try activations and first-layer scales.")
    ] = True,
    along: Annotated[
        str | None,
        typer.Option(
            help="A number of the equation (viscosity, re, …) that is followed from --begin to its own value."
        ),
    ] = None,
    begin: Annotated[
        float | None, typer.Option(help="Value that this number begins with, where the equation is easier.")
    ] = None,
    second: Annotated[
        bool,
        typer.Option("--second/--no-second", help="Solve once more from another seed, for an estimate of the error."),
    ] = False,
    seconds: Annotated[float | None, typer.Option(help="Time after which no further step is taken.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, points and sketches.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Solve an equation with untrained networks, window after window of time where one is not enough."""
    given = {"tolerance": tolerance, "rank": rank, "steps": steps, "seconds": seconds, "along": along, "begin": begin}
    settings: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    settings |= {"windows": _windows(windows), "search": search, "second": second, "seed": seed}
    run = _created(problem, settings, runs, trust)
    execute(run)
    record = figures(run)
    emit(record, _words(record), json)


def _windows(text: str) -> str | int:
    if text in ("auto", "none"):
        return text
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"is {text!r:.40}; give auto, none or a number of windows", key="windows")
    return int(text)


def _created(problem: str, settings: dict[str, Any], runs: Any, trust: bool) -> Run:
    from lsr_core.jobs.iterating import equation_of
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.solver.config import SolveConfig
    from lsr_core.storage.bundles import load_problem
    from lsr_core.validation import checked

    config = checked(SolveConfig, settings)
    refine = RefineConfig(seed=config.seed)
    return created(
        problem, refine, runs, trust, "solve", lambda folder: equation_of(load_problem(folder), "solve"), config
    )


def figures(run: Run) -> dict[str, Any]:
    """What `lsr solve --json` prints."""
    from lsr_core.storage.solves import SolveStore

    kept = SolveStore(run.path)
    summary = kept.summary()
    assert summary is not None
    return {
        "run": run.id,
        **summary.model_dump(mode="json"),
        "steps": [step.model_dump(mode="json") for step in kept.steps()],
        "status": run.status().status,
        "folder": str(run.path),
    }


def _where(step: dict[str, Any]) -> str:
    if step["value"] is not None:
        return f"at {step['value']:.7g}"
    return str(step["kind"]) if step["start"] is None else f"{step['start']:.7g} to {step['end']:.7g}"


def _words(record: dict[str, Any]) -> str:
    lines = [f"{'window':<28}{'steps':>6}{'residual':>11}{'relative':>11}{'seconds':>9}  "]
    for step in record["steps"]:
        where = _where(step)
        lines.append(
            f"{where:<28}{step['newton_steps']:>6}{number(step['residual']):>11}{number(step['relative_residual']):>11}"
            f"{step['seconds']:>9.1f}  {'kept' if step['kept'] else 'left'}"
        )
    if record["relative_l2"] is not None:
        lines.append(f"relative L2 error {record['relative_l2']:.3e}")
    lines += [record["sentence"], f"{record['seconds']:.1f} s, run {record['run']}"]
    return printable_lines(lines)
