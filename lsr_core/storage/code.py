"""Code that makes a problem: a Python file or a torch.export program, executed only after it was named on this machine.

What may be executed is said by the digest of its bytes, in the environment, so that workers started from here may execute the same
and nothing else. A run or bundle carries a copy of the code, never the permission.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from lsr_core.errors import CodeError, InputError
from lsr_core.storage import inside

VARIABLE = "LSR_CODE"
DEFAULT_FUNCTION = "problem"
MAX_BYTES = 2**20
CodeKind = Literal["python-file", "torch-program", "python-session"]
COPIES: dict[str, str] = {"python-file": "code.py", "torch-program": "program.pt2", "python-session": ""}
"""Kind, which stands where others have their architecture, and the name of the copy in a bundle; of a session there is none."""
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_executed: set[str] = set()


@dataclass(frozen=True)
class Named:
    """Code that may be executed here.

    Attributes:
        path: of the original, which its own imports and relative files are looked up from.
        module: its name in a package, or "".
        search: folder of its imports.
    """

    path: str
    module: str = ""
    search: str = ""


def is_code(text: str) -> bool:
    """Whether an argument names a Python file or a function in a module, rather than a sample or a bundle."""
    file, _, function = text.rpartition(":")
    if text.endswith(".py") or file.endswith(".py"):
        return True
    return bool(file and _MODULE.fullmatch(file) and _MODULE.fullmatch(function)) and not Path(text).exists()


def name_file(text: str) -> tuple[Named, str, bytes]:
    """What `my_problem.py`, `my_problem.py:function` or `package.module:function` stands for: the file, the function, its bytes.

    Raises:
        InputError: there is no such file or module.
    """
    file, function = (text, DEFAULT_FUNCTION) if text.endswith(".py") else text.rpartition(":")[::2]
    if file.endswith(".py"):
        path = Path(file).absolute()
        named = Named(str(path), search=str(path.parent))
    else:
        named = _module(file)
    data = read_code(Path(named.path), file)
    trust(data, named)
    return named, function, data


def _module(name: str) -> Named:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise InputError(
            f"no Python module {name!r} is found from {here}; start in the folder that holds its package", key="PROBLEM"
        )
    return Named(spec.origin, name, here)


def read_code(path: Path, shown: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a code file that the user named.

    Raises:
        InputError: it is missing, no plain file, or larger than `limit`.
    """
    try:
        with inside.opened_as_named(path, limit) as stream:
            return inside.all_of(stream, path, limit)
    except InputError as error:
        raise InputError(error.message, file=shown) from error


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def trust(data: bytes, named: Named) -> None:
    """From now on these bytes may be executed, here and in processes started from here."""
    known = {**_trusted(), digest_of(data): [named.path, named.module, named.search]}
    os.environ[VARIABLE] = json.dumps(known)


def trusted(digest: str) -> Named | None:
    """Where code came from that may be executed; None for any other."""
    found = _trusted().get(digest)
    return Named(*found) if found else None


def _trusted() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(os.environ.get(VARIABLE) or "{}")
    return found


def call(data: bytes, named: Named, function: str) -> Any:
    """Execute a file and call its function; returns whatever that returns.

    Raises:
        CodeError: naming file and line.
    """
    file = Path(named.path).name
    if named.search and named.search not in sys.path:
        sys.path.insert(0, named.search)
    name = named.module or f"lsr_problem_{digest_of(data)[:12]}"
    module = ModuleType(name)
    module.__file__ = named.path
    module.__package__ = named.module.rpartition(".")[0]
    sys.modules[name] = module  # dataclasses, pickles of workers and typing look themselves up
    _executed.add(named.path)
    text = data.decode("utf-8", "replace")
    linecache.cache[named.path] = (len(text), None, text.splitlines(keepends=True), named.path)
    _guarded(lambda: exec(compile(data, named.path, "exec"), module.__dict__), file)
    made = getattr(module, function, None)
    if not callable(made):
        others = [
            key for key, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == name
        ]
        raise CodeError(
            f"has no function {function!r} that returns a problem; "
            + (f"it defines {', '.join(others)}: name one, {file}:{others[0]}" if others else "write one"),
            file=file,
        )
    return _guarded(made, file)


def _guarded(work: Callable[[], Any], file: str) -> Any:
    try:
        return work()
    except (Exception, SystemExit) as error:
        raise located(error) or CodeError(_words(error), file=file, trace=_trace(error)) from error


def located(error: BaseException) -> CodeError | None:
    """The same error with file and line, if it came from code that was executed for a problem; None if it did not."""
    if isinstance(error, CodeError):
        return error
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename in _executed:
        lines.append((error.filename, error.lineno))
    for path, line in reversed(lines):
        if path in _executed:
            key = error.key if isinstance(error, InputError) else None
            copied = isinstance(error, FileNotFoundError) and Path(path).name in COPIES.values()
            beside = (
                "; start the command in the folder of the original, where the files are that it reads" if copied else ""
            )
            return CodeError(
                _words(error) + beside, file=f"{Path(path).name}, line {line}", key=key, trace=_trace(error)
            )
    return None


def _words(error: BaseException) -> str:
    if isinstance(error, InputError):
        return error.message
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(said.split())[:500]}"


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
