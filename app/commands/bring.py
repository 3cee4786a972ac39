"""`lsr bring`: the weights of a network trained elsewhere and a file of data, as a bundle that can be refined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import JsonOption, emit
from lsr_app.commands.running import printable_lines
from lsr_app.words import broughttexts
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.intake.bring import FromFiles

NAMES = "names, separated by commas, where the guess is wrong; `u[2]` is the third column of u"
ANYWAY = "Make the problem although the predictions differ."


def bring(
    weights: Annotated[Path, typer.Argument(metavar="WEIGHTS", help="A checkpoint, as the training wrote it.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A table, or arrays: .csv, .npz, .mat, .nc, …")],
    out: Annotated[Path, typer.Option(help="New folder for the bundle.")],
    inputs: Annotated[str, typer.Option(help=f"Inputs, in the network's order: {NAMES}.")] = "",
    outputs: Annotated[str, typer.Option(help=f"Outputs: {NAMES}.")] = "",
    predictions: Annotated[str, typer.Option(help=f"Predictions of the network, to compare: {NAMES}.")] = "",
    points: Annotated[str, typer.Option(help="Array with the points of a DeepONet's trunk.")] = "",
    network: Annotated[str, typer.Option(help="Which network, where the file of weights holds several.")] = "",
    activation: Annotated[str, typer.Option(help="Its activation, where predictions do not tell.")] = "",
    validation: Annotated[float, typer.Option(help="Share of the rows by which the rank is chosen.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the rows that is only reported.")] = 0.15,
    seed: Annotated[int, typer.Option(min=0, help="Of the random draw of rows.")] = 0,
    drop: Annotated[bool, typer.Option("--drop", help="Leave out rows with NaN or infinite values.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help=ANYWAY)] = False,
    title: Annotated[str, typer.Option(help="Title; the name of the file of weights by default.")] = "",
    json: JsonOption = False,
) -> None:
    """Make a problem of trained weights and a file of data; architecture, columns and activation are guessed and said."""
    from lsr_core.intake.bring import Wishes
    from lsr_core.intake.bring import bring as brought
    from lsr_core.storage.bundles import save_problem

    if out.exists():
        raise InputError("there is something already; name a new folder", file=str(out), key="out")
    columns = _listed(inputs), _listed(outputs), _listed(predictions)
    wishes = Wishes(*columns, network, activation, points, (validation, test), seed, drop)
    made = brought(weights, data, title.strip()[:100] or weights.stem, wishes)
    sentence = _sentence(made)
    if not made.agrees and not anyway:
        raise InputError(f"{sentence} --anyway makes the problem all the same.", file=str(weights), key="predictions")
    save_problem(out, made.problem, training={"source": "weights brought from elsewhere"}, seeds={"rows": seed})
    record = _record(made, out, sentence)
    emit(record, printable_lines(_words(record)), json)


def _listed(names: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in names.split(",") if part.strip())


def _sentence(made: FromFiles) -> str:
    """How far it is known to be the network that was trained."""
    found, nearest = made.found, made.nearest
    if made.allowed is None:
        return f"{broughttexts.NO_PREDICTIONS} {broughttexts.error_on_data(found.difference)}"
    if made.agrees:
        return broughttexts.agrees(found.difference, found.activation, made.allowed)
    return broughttexts.differs(found.difference, found.activation, nearest.activation, nearest.difference)


def _record(made: FromFiles, out: Path, sentence: str) -> dict[str, Any]:
    """What `lsr bring --json` prints."""
    architecture, one = made.problem.architecture, made.found.guess
    assert architecture is not None
    return {
        "out": str(out),
        "architecture": architecture.name,
        "arguments": architecture.arguments,
        "form": one.form,
        "inputs": made.pair.inputs,
        "outputs": made.pair.outputs,
        "predictions": made.predictions,
        "rows": {name: len(split.inputs) for name, split in made.mapped.splits.items()},
        "dropped": made.mapped.dropped,
        "difference": made.found.difference,
        "agrees": None if made.allowed is None else made.agrees,
        "sentence": sentence,
        "tensors": {name: one.uses.get(name, broughttexts.NOT_PLACED) for name in made.tensors},
        "notes": one.notes,
        "passed_over": [f"{info.name} ({info.unusable})" for info in made.passed_over],
    }


def _words(record: dict[str, Any]) -> list[str]:
    lines = [f"{key}: {', '.join(record[key]) or 'none'}" for key in ("inputs", "outputs", "predictions")]
    lines += [broughttexts.mapped(record["rows"], record["dropped"])]
    if record["passed_over"]:
        lines.append(broughttexts.passed_over(record["passed_over"]))
    told = {
        key: value
        for key, value in record["arguments"].items()
        if key in ("layers", "branch", "branches", "trunk", "modes", "activation")
    }
    lines.append(f"{record['architecture']}: {', '.join(f'{key} {value}' for key, value in told.items())}")
    lines += [f"{name}: {use}" for name, use in record["tensors"].items()]
    return [
        *lines,
        *record["notes"],
        record["sentence"],
        f"The problem is ready; refine it with: lsr refine {record['out']}",
    ]
