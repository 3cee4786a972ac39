"""`lsr path` and `lsr export`: what can be made of a complete run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import (
    JsonOption,
    RunArgument,
    RunsOption,
    TrustOption,
    check_out,
    emit,
    find_run,
    need_predictor,
)
from lsr_app.making import made
from lsr_core.errors import InputError
from lsr_core.portable import forms
from lsr_core.portable.form import Leaving

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run

FORMATS = ("predictor", "csv", "json", *(name for name in forms.FORMS if name != "predictor"), "report")
PORTABLE = forms.standalone()
NO_BANDS = "\nThe run was smoothed and has no bands, so the file gives outputs without standard deviations."


def path(
    run: RunArgument,
    rank: Annotated[int | None, typer.Option(help="Any rank of the run; the chosen one by default.")] = None,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Print the loss along the step, linearised and true."""
    from lsr_core.diagnosis.loss_path import loss_path
    from lsr_core.jobs.rebuild import confirmed

    found = find_run(run, runs, trust)
    need_predictor(found)
    summary = found.summary
    chosen = summary.rank if rank is None else rank
    if not 0 <= chosen <= summary.max_rank:
        raise InputError(f"is {chosen}, this run has ranks 0 to {summary.max_rank}", key="rank")
    result = loss_path(*confirmed(found, chosen))
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
    head = [
        f"rank {chosen}; losses of the linearised model and of the network along alpha Δθ agree within 10 % for alpha in [{low:.4g}, {high:.4g}]"
    ]
    head.append(f"{'alpha':>10}{'linearised':>14}{'network':>14}")
    emit(record, "\n".join(head + rows), json)


def export(
    run: RunArgument,
    format: Annotated[str, typer.Option(help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File to write.", show_default=False)],
    precision: Annotated[
        str | None,
        typer.Option(
            help=f"float64 or float32, of {', '.join(PORTABLE)}; that of the step by default.", show_default=False
        ),
    ] = None,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Write predictor, predictions, figures, weights or a report to a file."""
    from lsr_core.storage import atomic
    from lsr_core.storage.tables import run_json

    if format not in FORMATS:
        raise InputError(f"is {format[:40]!r}; give one of {', '.join(FORMATS)}", key="format")
    if precision is not None and (format not in PORTABLE or precision not in ("float64", "float32")):
        raise InputError(f"is {precision[:40]!r}; it is float64 or float32, for {', '.join(PORTABLE)}", key="precision")
    found = find_run(run, runs, trust)
    need_predictor(found)
    place = check_out(out)
    note = ""
    figures: dict[str, Any] = {}
    if format in forms.FORMS:
        note, figures = _in_form(found, format, place, precision)
    elif format == "report":
        note = _report(found, place)
    else:
        atomic.write_text(place, run_json(found) if format == "json" else _csv(found))
    size = place.stat().st_size
    record = {"run": found.id, "format": format, "out": str(out), "bytes": size, **figures, "status": "complete"}
    emit(record, f"{out}: {size:,} bytes" + (f"\n{note}" if note else ""), json)


def _in_form(run: Run, format: str, out: Path, precision: Any) -> tuple[str, dict[str, Any]]:
    """The sentence about the file, and its figures."""
    from lsr_core.jobs.rebuild import confirmed, spread_at
    from lsr_core.portable import deliver
    from lsr_core.storage.tables import finite

    summary = run.summary
    known = {**summary.model_dump(), "run": run.id}
    made_of = Leaving(*confirmed(run, summary.rank), known, spread_at(run, summary.rank))
    exported = deliver.make(out, format, made_of, precision)
    bandless = summary.regularisation is not None and made_of.spread is None and format != "weights"
    return exported.sentence + (NO_BANDS if bandless else ""), finite(dict(exported.figures))


def _report(run: Run, out: Path) -> str:
    """Made in a process of its own, because it draws with the dashboard's libraries, which the command line does without."""
    missing = [name for name in ("plotly", "pandas") if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} draws the report; run: pip install 'lsr-explorer[dashboard]'", key="format")
    command = [
        sys.executable,
        "-m",
        "lsr_app.making.rebuild",
        str(run.path),
        str(run.summary.rank),
        "report",
        str(out.absolute()),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        if done.returncode:
            reason = made.why(out) or (done.stderr.strip().splitlines() or ["?"])[-1]
            raise InputError(f"the report could not be made: {reason}", key="format")
        return made.note_of(out).sentence
    finally:
        for kind in ("note", "error"):
            made.beside(out, kind).unlink(missing_ok=True)


def _csv(run: Run) -> str:
    import torch

    from lsr_core.jobs.rebuild import confirmed
    from lsr_core.networks.taking import in_precision
    from lsr_core.problems.splits import Split
    from lsr_core.refinement.predictor import RefinedPredictor
    from lsr_core.storage.export import named_delta
    from lsr_core.storage.tables import predictions_csv

    problem, delta = confirmed(run, run.summary.rank)
    delta = delta.cpu()
    model = problem.model.to(delta.dtype)
    predictor = RefinedPredictor(model, named_delta(model, delta))
    _, split = problem.display
    if not problem.has_truth:
        split = Split(split.inputs, torch.full_like(split.targets, torch.nan))  # an empty cell: nothing is known there
    with torch.no_grad():
        network = torch.cat([model(part) for part in in_precision(split.inputs, delta.dtype).split(4096)])
    refined = predictor.predict(split.inputs)
    return predictions_csv(split, network, refined, inputs=problem.input_quantities, outputs=problem.output_quantities)
