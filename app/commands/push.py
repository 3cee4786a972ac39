"""`lsr push` and `lsr pull`: a refined predictor to and from where people keep models and figures. The only commands that use the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import (
    JsonOption,
    RunArgument,
    RunsOption,
    TrustOption,
    emit,
    find_run,
    need_complete,
    need_predictor,
)
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.storage.runs import Run

TARGETS = {
    "hf": ("owner/name", "hub"),
    "mlflow": ("the name of an experiment", "mlflow"),
    "tensorboard": ("a folder of logs", "tensorboard"),
}


def push(
    run: RunArgument,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="hf:OWNER/NAME (Hugging Face Hub), mlflow:EXPERIMENT, or tensorboard:FOLDER.",
            show_default=False,
        ),
    ],
    public: Annotated[bool, typer.Option("--public", help="A repository that is made on the Hub is public.")] = False,
    with_data: Annotated[bool, typer.Option("--with-data", help="To the Hub: the bundle with the data too.")] = False,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Give a refined predictor, its figures and its verdict to the Hugging Face Hub, MLflow or TensorBoard."""
    kind, place = _parts(target)
    if kind != "hf" and (public or with_data):
        raise InputError(f"is of hf:OWNER/NAME; {kind} has no use for it", key="public" if public else "with-data")
    found = find_run(run, runs, trust)
    need_complete(found)
    need_predictor(found)
    calls: dict[str, Callable[[], str]] = {
        "hf": lambda: _to_hub(found, place, public, with_data),
        "mlflow": lambda: _to_mlflow(found, place),
        "tensorboard": lambda: _to_tensorboard(found, place),
    }
    try:
        where = calls[kind]()
    except ImportError as error:
        raise InputError(
            f"needs {error.name}, which is not installed; `pip install 'lsr-explorer[{TARGETS[kind][1]}]'` brings it",
            key="TARGET",
        ) from error
    emit({"run": found.id, "target": target, "place": where, "status": "complete"}, where, json)


def pull(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="hf:OWNER/NAME.", show_default=False)],
    out: Annotated[Path, typer.Option(help="A new folder.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Get a refined predictor that `lsr push` gave to the Hugging Face Hub; nothing in it is executed."""
    kind, repository = _parts(source)
    if kind != "hf":
        raise InputError(f"is of {kind}; only hf:OWNER/NAME is pulled", key="SOURCE")
    try:
        from lsr_core.integrations import hub
    except ImportError as error:
        raise InputError(
            f"needs {error.name}, which is not installed; `pip install 'lsr-explorer[hub]'` brings it", key="SOURCE"
        ) from error
    path = hub.pull(repository, out)
    emit(
        {"source": source, "out": str(out), "predictor": str(path), "status": "complete"},
        f"{path}; lsr_core.load_predictor reads it",
        json,
    )


def _parts(target: str) -> tuple[str, str]:
    kind, colon, place = target.partition(":")
    if not colon or kind not in TARGETS or not place:
        words = ", ".join(f"{name}: with {what}" for name, (what, _) in TARGETS.items())
        raise InputError(f"is {target[:60]!r}; give {words}", key="TARGET")
    return kind, place


def _to_hub(run: Run, place: str, public: bool, data: bool) -> str:
    from lsr_core.integrations import hub

    return hub.push(run, place, private=not public, data=data)


def _to_mlflow(run: Run, place: str) -> str:
    from lsr_core.integrations import mlflow

    return f"MLflow run {mlflow.log(run, place)} of the experiment {place}"


def _to_tensorboard(run: Run, place: str) -> str:
    from lsr_core.integrations import tensorboard

    return str(tensorboard.log(run, Path(place)))
