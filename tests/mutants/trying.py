"""A plugin of pytest that tries faults on the tests that it has collected, each in a fork of its own."""

from __future__ import annotations

import functools
import gc
import json
import math
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, TextIO

import pytest
from _pytest.runner import runtestprotocol

LONGEST_SECONDS = 3600.0  # of a core
TIMES_AS_LONG = 4  # as without a fault, watched: what takes longer does not end


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        words: where and what it is.
        line: of the file, where it stands.
        source: of the whole file, with the fault.
        tests: files of tests that should notice.
    """

    words: str
    path: Path
    line: int
    source: str
    tests: tuple[str, ...]

    @property
    def inside(self) -> bool:
        """Whether the line is one of a function, and not of the module itself."""
        codes = _codes(compile(self.path.read_text(), str(self.path), "exec"))
        return any(self.line in {line for *_, line in code.co_lines()} for _, code in codes)


class Trying:
    """Runs no test in this process, so that every fork begins from the same state."""

    def __init__(self, faults: Sequence[Fault], told: TextIO) -> None:
        self.faults, self.noticed = faults, set[Fault]()
        self._told = told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        reached = _reached(session.items, {str(fault.path) for fault in self.faults})
        for fault in self.faults:
            here = {name: 1.0 for name in items if name.startswith(fault.tests)}
            lines = reached[str(fault.path)]
            seconds = lines.get(str(fault.line), {} if fault.inside else here)
            chosen = [items[name] for name in sorted(seconds, key=seconds.__getitem__) if name in here]
            longest = 3 + TIMES_AS_LONG * sum(seconds.values())
            if _fails(functools.partial(_tried, fault, chosen), longest):
                self.noticed.add(fault)
            else:
                print(f"not noticed by {len(chosen)} tests: {fault.words}", file=self._told, flush=True)
        return True


class _Watch:
    """Which lines of some files run."""

    def __init__(self, paths: set[str]) -> None:
        self.lines: set[tuple[str, int]] = set()
        self._paths, self._codes = paths, dict[CodeType, bool]()

    def entered(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code not in self._codes:
            self._codes[code] = code.co_filename in self._paths
        return self._passed if self._codes[code] else None

    def _passed(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._passed


def _reached(items: Sequence[pytest.Item], paths: set[str]) -> dict[str, dict[str, dict[str, float]]]:
    """By file and line the tests that reach it, with their seconds of a core: watched in a fork, without a fault."""
    with tempfile.NamedTemporaryFile() as file:
        if _fails(lambda: _watched(items, paths, Path(file.name)), LONGEST_SECONDS):
            raise SystemExit("without any fault the tests do not pass")
        return defaultdict(dict, json.loads(Path(file.name).read_text()))


def _watched(items: Sequence[pytest.Item], paths: set[str], told: Path) -> bool:
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    passed = True
    caches = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    ours = [one for one in caches if one.__module__.startswith(("lsr_", "tests"))]
    for item in items:
        for one in ours:
            one.cache_clear()  # what one test has computed, others use as well
        watch, began = _Watch(paths), time.process_time()
        sys.settrace(watch.entered)
        passed = _passes(item, None) and passed  # what it shares with others is made and taken down for each
        sys.settrace(None)
        for path, line in watch.lines:
            found[path][str(line)][item.nodeid] = time.process_time() - began
    told.write_text(json.dumps(found))
    return passed


def _tried(fault: Fault, items: Sequence[pytest.Item]) -> bool:
    try:
        _take_on(fault)
    except ValueError:  # not the same free variables
        return True
    return all(_passes(*pair) for pair in zip(items, [*items[1:], None], strict=False))


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _take_on(fault: Fault) -> None:
    """The functions of the module that is loaded get the faulty code; a constant its value, wherever it was imported."""
    path, code = str(fault.path), compile(fault.source, str(fault.path), "exec")
    codes = dict(_codes(code))
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename == path and one.__code__.co_qualname in codes:
            one.__code__ = codes[one.__code__.co_qualname]
    if fault.inside:
        return
    module = next(one for one in list(sys.modules.values()) if getattr(one, "__file__", None) == path)
    again = ModuleType(module.__name__)
    again.__package__ = module.__package__
    exec(code, vars(again))
    for name in {name for name, value in vars(again).items() if isinstance(value, int | float | tuple)}:
        for user in [one for one in sys.modules.values() if one.__name__.startswith("lsr_core")]:
            if name in vars(user) and vars(user)[name] == vars(module)[name]:
                setattr(user, name, vars(again)[name])


def _codes(code: CodeType) -> Sequence[tuple[str, CodeType]]:
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return [(one.co_qualname, one) for one in inner] + [pair for one in inner for pair in _codes(one)]


def _fails(tested: Callable[[], bool], longest: float) -> bool:
    """Whether a fork says so, ends in any other way, or takes more seconds of a core than it may."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(longest + time.process_time()),) * 2)
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            code = 0 if tested() else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] != 0
