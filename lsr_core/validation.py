"""Pydantic's findings as one sentence that names the file and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lsr_core.errors import InputError

_Model = TypeVar("_Model", bound=BaseModel)


def checked(model: type[_Model], values: Mapping[str, Any]) -> _Model:
    """A validated model.

    Raises:
        InputError: naming the first key at fault.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise describe(error) from error


def describe(error: ValidationError, file: str | None = None) -> InputError:
    """The first finding as an InputError; says how many more there are."""
    findings = error.errors(include_url=False, include_context=False)
    first = findings[0]
    key = ".".join(str(part) for part in first["loc"]) or None
    message = str(first["msg"]).removeprefix("Value error, ")
    given = first.get("input")
    if isinstance(given, (str, int, float)) and "got" not in message:
        message += f" (got {given!r:.80})"
    if len(findings) > 1:
        message += f"; and {len(findings) - 1} more"
    return InputError(message, file=file, key=key)
