"""`lsr path` and `lsr export`: what can be made of a complete run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import JsonOption, RunArgument, RunsOption, check_out, emit, find_run, need_predictor
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run

FORMATS = ("predictor", "csv", "json")


def path(
    run: RunArgument,
    rank: Annotated[int | None, typer.Option(help="Any rank of the run; the chosen one by default.")] = None,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Print the loss along the step, linearised and true."""
    from lsr_core.diagnosis.loss_path import loss_path
    from lsr_core.jobs.rebuild import delta_at
    from lsr_core.storage.bundles import load_problem

    found = find_run(run, runs)
    need_predictor(found)
    summary = found.summary
    chosen = summary.rank if rank is None else rank
    if not 0 <= chosen <= summary.max_rank:
        raise InputError(f"is {chosen}, this run has ranks 0 to {summary.max_rank}", key="rank")
    result = loss_path(load_problem(found.refined_path), delta_at(found, chosen))
    alpha, linear, nonlinear = (list(map(float, part)) for part in (result.alpha, result.linearised, result.nonlinear))
    low, high = (float(end) for end in result.agreement)
    record = {
        "run": found.id,
        "problem": summary.problem,
        "rank": chosen,
        "alpha": alpha,
        "linearised_loss": linear,
        "nonlinear_loss": nonlinear,
        "agreement_interval": [low, high],
        "status": "complete",
    }
    rows = [f"{a:>10.3g}{b:>14.4e}{c:>14.4e}" for a, b, c in zip(alpha, linear, nonlinear, strict=True)]
    head = [f"rank {chosen}; the two agree within 10 % for alpha in [{low:.4g}, {high:.4g}]"]
    head.append(f"{'alpha':>10}{'linearised':>14}{'network':>14}")
    emit(record, "\n".join(head + rows), json)


def export(
    run: RunArgument,
    format: Annotated[str, typer.Option(help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write.", show_default=False)],
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Write predictor, predictions or figures to a file."""
    from lsr_core.storage import atomic
    from lsr_core.storage.tables import run_json

    if format not in FORMATS:
        raise InputError(f"is {format[:40]!r}; give one of {', '.join(FORMATS)}", key="format")
    found = find_run(run, runs)
    need_predictor(found)
    check_out(out)
    if format == "predictor":
        _predictor(found, out)
    else:
        atomic.write_text(out, run_json(found) if format == "json" else _csv(found))
    size = out.stat().st_size
    record = {"run": found.id, "format": format, "out": str(out), "bytes": size, "status": "complete"}
    emit(record, f"{out}: {size:,} bytes", json)


def _predictor(run: Run, out: Path) -> None:
    from lsr_core.jobs.rebuild import delta_at
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.export import save_predictor

    summary = run.summary
    metadata = {**summary.model_dump(), "run": run.id}
    save_predictor(out, load_problem(run.refined_path), delta_at(run, summary.rank), metadata)


def _csv(run: Run) -> str:
    import torch

    from lsr_core.jobs.rebuild import delta_at
    from lsr_core.refinement.predictor import RefinedPredictor
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.export import named_delta
    from lsr_core.storage.tables import predictions_csv

    problem = load_problem(run.refined_path)
    delta = delta_at(run, run.summary.rank).cpu()
    model = problem.model.to(delta.dtype)
    predictor = RefinedPredictor(model, named_delta(model, delta))
    _, split = problem.display
    with torch.no_grad():
        network = torch.cat([model(part) for part in split.inputs.to(delta.dtype).split(4096)])
    refined = predictor.predict(split.inputs.to(delta.dtype))
    return predictions_csv(split, network, refined, inputs=problem.input_quantities, outputs=problem.output_quantities)
