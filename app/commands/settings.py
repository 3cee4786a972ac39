"""Options of a command that are settings of a refinement: made from the model that checks them, so that none is missing."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer
from pydantic.fields import FieldInfo

from lsr_core.refinement.config import RefineConfig

NOT_OPTIONS = {"published"}  # a preset, with the settings that belong to it


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each setting in place of its argument `settings`, which holds those that were given, by name."""
    own = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    options = {name: _option(field) for name, field in RefineConfig.model_fields.items() if name not in NOT_OPTIONS}

    @functools.wraps(command)
    def called(**given: Any) -> None:
        settings = {name: value for name in options if (value := given.pop(name)) is not None}
        command(**given, settings=settings)

    parameters = []
    for name, parameter in own.parameters.items():
        if name == "settings":
            parameters += [
                inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
                for option, annotation in options.items()
            ]
        else:
            parameters.append(
                parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints.get(name, parameter.annotation))
            )
    called.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def _option(field: FieldInfo) -> Any:
    """What typer reads: the type, and the help with choices and default."""
    types = set(get_args(field.annotation)) - {type(None)} or {field.annotation}
    number = next((kind for kind in (int, float) if types == {kind}), str)
    words = field.description or ""
    notes = []
    if get_origin(field.annotation) is Literal:
        notes.append(", ".join(str(choice) for choice in get_args(field.annotation)))
    if field.default is not None:
        notes.append(f"default {field.default:g}" if number is float else f"default {field.default}")
    ending = f" ({'; '.join(notes)})." if notes else "."
    return Annotated[number | None, typer.Option(help=words[:1].upper() + words[1:] + ending)]
