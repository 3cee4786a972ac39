"""The exceptions that cross the public boundary."""

from __future__ import annotations

_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "cannot allocate memory")


class LSRError(Exception):
    """Base of every error this library raises on purpose."""


class InputError(LSRError, ValueError):
    """Something handed in cannot be used; the message says what was expected, what came, what to do.

    Attributes:
        file: the file that is at fault, relative to what the caller named, if one is.
        key: the key, array or option that is at fault, if one is.
    """

    def __init__(self, message: str, *, file: str | None = None, key: str | None = None) -> None:
        self.message = message
        self.file = file
        self.key = key
        where = ": ".join(part for part in (file, key) if part)
        super().__init__(f"{where}: {message}" if where else message)


class CodeError(InputError):
    """Code of the user's own failed; `file` says where.

    Attributes:
        trace: the whole traceback, for the log.
    """

    def __init__(self, message: str, *, file: str | None = None, key: str | None = None, trace: str = "") -> None:
        super().__init__(message, file=file, key=key)
        self.trace = trace


class NumericalError(LSRError, ArithmeticError):
    """A computation left the finite numbers, or a result cannot be trusted."""


class Cancelled(LSRError):
    """The user asked the work to stop."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that an allocation failed."""
    return isinstance(error, MemoryError) or any(phrase in str(error).lower() for phrase in _PHRASES)
