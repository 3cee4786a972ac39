"""`lsr refine`: the job of the dashboard, in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import (
    OWNER,
    PROBLEM_HELP,
    JsonOption,
    RunsOption,
    TrustOption,
    emit,
    problem_folder,
    store,
)
from lsr_app.commands.running import execute, hand_over, number, printable_lines, refuse, shared_by
from lsr_app.commands.settings import with_settings
from lsr_app.words import verdicttexts
from lsr_app.words.smoothingtexts import smoothing_lines
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.storage.runs import Run


WAITS = {
    "local": "waits for a dashboard over this folder of runs",
    "nobody": "waits for `python -m lsr_core.jobs` or torchrun",
}
QUANTILES = {"median": "median", "p90": "90 %", "p99": "99 %", "max": "largest"}


@with_settings
def refine(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    settings: dict[str, Any],
    cases: Annotated[
        int | None,
        typer.Option(help="Of an operator learnt from an equation: refine this many unseen input functions."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="published, or published-1 to -4: the settings of the authors' code, for comparison."),
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out samples with a target that is NaN, and say how many.")
    ] = False,
    processes: Annotated[
        int, typer.Option(help="Share the rows among this many processes of this machine.", show_default=True)
    ] = 1,
    executor: Annotated[
        str | None,
        typer.Option(
            help="Hand the run over and return: local (the queue), nobody, submitit, or slurm:partition=NAME,time=MINUTES."
        ),
    ] = None,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Refine a trained network and keep the result as a run."""
    from lsr_core.jobs.executors import executor_of
    from lsr_core.jobs.queue import create
    from lsr_core.storage.missing import in_words

    config = _config(_preset(preset) | settings)
    _refuse_beside_cases(cases, drop_missing=drop_missing, executor=executor, processes=processes)
    if cases is not None:
        from lsr_app.commands.cases import refine_cases

        refine_cases(problem, config, cases, runs, trust=trust, json=json)
        return
    with problem_folder(problem, trust) as given, complete(given, asked=drop_missing) as (folder, dropped):
        refuse(folder, config, processes, here=executor is None)
        taker = None if executor is None else executor_of(executor)
        run = create(store(runs), folder, config, owner=OWNER, settings=shared_by(processes))
    said = in_words(dropped) + "\n" if dropped else ""
    if taker is not None:
        hand_over(run, taker)
        words = WAITS.get(executor or "", f"was handed to {executor}")
        found = {"run": run.id, "status": run.status().status, "executor": executor, "folder": str(run.path)}
        emit(found, f"{said}run {run.id} {words}; `lsr runs` shows how it stands", json)
        return
    execute(run)
    summary = run.summary.model_dump(mode="json")
    extra = {"dropped": dropped} if drop_missing else {}
    emit(
        {"run": run.id, **summary, **extra, "status": run.status().status, "folder": str(run.path)},
        said + _words(run),
        json,
    )


def _refuse_beside_cases(cases: int | None, **given: object) -> None:
    """Refuse options that many input functions have no use for; raises InputError."""
    unused = {
        "drop_missing": (False, "input functions are drawn, and none of them misses a target"),
        "executor": (None, "input functions are refined in this process"),
        "processes": (1, "input functions are refined one after the other in one process"),
    }
    for key, (usual, why) in unused.items():
        if cases is not None and given[key] != usual:
            raise InputError(f"{why}; leave it out", key=key)


@contextmanager
def complete(folder: Path, *, asked: bool) -> Iterator[tuple[Path, dict[str, int]]]:
    """The bundle without samples whose targets are missing, and how many those were, if that is asked for."""
    if not asked:
        yield folder, {}
        return
    from lsr_core.storage.missing import without_missing

    with tempfile.TemporaryDirectory(prefix="lsr-missing-") as scratch:
        counts = without_missing(folder, Path(scratch) / "problem")
        yield (Path(scratch) / "problem" if counts else folder), counts


def _preset(name: str | None) -> dict[str, object]:
    from lsr_core.refinement.config import published_settings

    if name is None:
        return {}
    presets = {"published": 1, **{f"published-{mode}": mode for mode in (1, 2, 3, 4)}}
    if name not in presets:
        raise InputError(f"is {name[:40]!r}; give one of {', '.join(presets)}", key="preset")
    return published_settings(presets[name])


def _config(given: dict[str, Any]) -> RefineConfig:
    from pydantic import ValidationError

    from lsr_core.refinement.config import RefineConfig
    from lsr_core.validation import describe

    try:
        return RefineConfig.model_validate(given)
    except ValidationError as error:
        found = describe(error)
        raise InputError(found.message, key=(found.key or "").split(".")[0] or None) from error


def _words(run: Run) -> str:
    from lsr_core.storage import digests

    summary = run.summary
    lines = [
        f"{summary.problem}: {summary.n_params:,} parameters, {summary.n_residuals:,} residuals, {summary.dtype}",
        f"rank {summary.rank} of {summary.max_rank} ({summary.rank_choice})",
        f"{'':22}{'network':>12}{'refined':>12}",
    ]
    for key in (name for name in type(summary.base).model_fields if name != "by_output"):
        before, after = getattr(summary.base, key), getattr(summary.refined, key)
        if before is None and after is None:
            continue
        lines.append(f"{key.replace('_', ' '):<22}{number(before):>12}{number(after):>12}")
    single = list(zip(summary.base.by_output or [], summary.refined.by_output or [], strict=False))
    worst = max((after for _, after in single if after is not None), default=None)
    for place, (before, after) in enumerate(single, 1):
        mark = "  worst" if after is not None and after == worst else ""
        lines.append(f"{f'relative l2, output {place}':<22}{number(before):>12}{number(after):>12}{mark}")
    if summary.base_quantiles is not None and summary.refined_quantiles is not None:
        for (key, before), (_, after) in zip(summary.base_quantiles, summary.refined_quantiles, strict=True):
            lines.append(f"{f'test |error| {QUANTILES[key]}':<22}{number(before):>12}{number(after):>12}")
    if summary.processes is not None:
        lines.append(
            f"{summary.processes.count} processes, which sent {summary.processes.sent_bytes:,} bytes to each other"
        )
    lines += smoothing_lines(summary, banded=digests.there(run.spread_path))
    for step in summary.gauss_newton:
        lines.append(
            f"Gauss-Newton {step.step:>3}: rank {step.rank:>5}, true residual {number(step.fitted_residual)} fitted, "
            f"{number(step.fresh_residual)} fresh, relative l2 {number(step.relative_l2)}{'' if step.accepted else ', refused'}"
        )
    if summary.verdict is not None:
        lines.append(f"verdict: {summary.verdict.sentence} ({verdicttexts.confidence(summary.verdict)})")
        lines += [f"  {item.sentence}" for item in summary.verdict.evidence]
        lines += [f"  {words}" for words in (summary.verdict.advice, verdicttexts.untested(summary.verdict)) if words]
    lines += [f"left: {left.route}, because {left.reason}" for left in summary.routes_left]
    lines += [f"note: {note}" for note in summary.notes]
    lines.append(f"{summary.seconds:.1f} s, run {run.id}")
    return printable_lines(lines)
