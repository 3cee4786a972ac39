"""Code in the README and the documentation, found and run as it is printed.

A block is run where a comment stands before it: `<!-- run -->`, `<!-- run slow -->`, or `<!-- file NAME -->`, which writes the block
into a file. `<!-- prints WORDS -->` after it names what it must have printed, `…` standing for anything. Blocks of a page follow
one another in one folder and, in Python,
in one namespace; RUN is the newest run there.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from lsr_app import cli
from lsr_core.storage.runs import RunStore

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>run|run slow|file [\w./-]+) -->\n+)?^(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)^ *```$"
    r"(?P<prints>(?:\n+ *<!-- prints [^\n]* -->)*)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with what is said of it."""

    language: str
    code: str
    mark: str
    prints: tuple[str, ...]


def pages() -> list[Path]:
    """The README and all pages of the site."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for one in _BLOCK.finditer(text):
        code = "".join(line.removeprefix(one["indent"]) for line in one["code"].splitlines(keepends=True))
        prints = tuple(re.findall(r"<!-- prints (.*?) -->", one["prints"]))
        found.append(Block(one["language"], code, one["mark"] or "", prints))
    return found


def run(page: Path, folder: Path, slow: bool = False) -> int:
    """Run the marked blocks of a page in a folder, those that are slow only if asked; returns how many there were."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    done = 0
    with contextlib.chdir(folder), mock.patch.object(sys, "path", list(sys.path)):
        for block in blocks(page):
            if not block.mark or (block.mark == "run slow" and not slow):
                continue
            if block.mark.startswith("file "):
                Path(block.mark.removeprefix("file ")).write_text(block.code, encoding="utf-8")
                continue
            printed = _python(block.code, namespace) if block.language == "python" else _shell(block.code)
            for words in block.prints:
                pattern = ".*?".join(map(re.escape, words.split("…")))
                assert re.search(pattern, printed, re.DOTALL), f"{page.name} promises {words!r}; printed was\n{printed}"
            done += 1
    return done


def _python(code: str, namespace: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "<example>", "exec"), namespace)
    return out.getvalue()


def _shell(code: str) -> str:
    return "".join(_line(line) for line in lines(code))


def lines(code: str) -> Iterator[list[str]]:
    """Commands of a block, split into words; comments and continued lines as a shell has them."""
    for line in code.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


def _line(words: Sequence[str]) -> str:
    given = [_newest() if word == "RUN" else word for word in words]
    if given[0] == "lsr":
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = cli.run(given[1:])
        assert code == 0, f"{' '.join(given)}: {out.getvalue()}"
        return out.getvalue()
    assert given[0] == "python", f"{given[0]} is no command of an example that runs"
    command = [sys.executable, *given[1:]]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


def _newest() -> str:
    runs = RunStore(Path("runs")).list()
    assert runs, "the example names RUN before there is one"
    return runs[0].id
