"""What the commands share: their options, where runs are, how results and errors are printed."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.places import RUNS_VARIABLE
from lsr_app.reading import runkinds
from lsr_core.errors import Cancelled, InputError

if TYPE_CHECKING:
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.refinement.progress import ProgressCallback
    from lsr_core.refinement.uses import Job
    from lsr_core.storage.runs import Run, RunStore

PROBLEM_HELP = (
    "Name of a sample, path of a bundle (folder or zip), my_problem.py or package.module:function, "
    "a typed equation as .json, or a .pt2 program."
)
FAILED, BAD_INPUT, CANCELLED = 1, 2, 130
OWNER = "command line"

RunsOption = Annotated[
    Path | None,
    typer.Option("--runs", help=f"Folder of runs; ${RUNS_VARIABLE} or ./runs by default.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; progress goes to stderr.")]
TrustOption = Annotated[
    bool,
    typer.Option("--trust", help="Execute code that comes in a file: a .pt2 program, or that of a bundle or run."),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of a run, or path of its folder.", show_default=False)
]


class Cancellation(Exception):
    """The user stopped a run, which is kept as a cancelled one."""

    def __init__(self, run: str) -> None:
        super().__init__(f"cancelled; the run is kept as {run}")
        self.run = run


def runs_root(option: Path | None) -> Path:
    """Absolute folder of runs."""
    named = option or (Path(os.environ[RUNS_VARIABLE]) if os.environ.get(RUNS_VARIABLE) else Path("runs"))
    root = named.absolute()
    if root.exists() and not root.is_dir():
        raise InputError("is not a folder; name another with --runs", file=str(named), key="runs")
    return root


def store(option: Path | None) -> RunStore:
    from lsr_core.storage.runs import RunStore

    return RunStore(runs_root(option))


def shipped_store() -> RunStore:
    """Runs that come with the samples."""
    import lsr_samples
    from lsr_core.storage.runs import RunStore

    return RunStore(lsr_samples.runs_folder())


def find_run(text: str, option: Path | None, trust: bool = False) -> Run:
    """The run with this id or path; with `trust` the code that it carries may be executed.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    from lsr_core.storage import inside
    from lsr_core.storage.runs import ID_PATTERN, Run

    path = inside.named(text)
    if ID_PATTERN.fullmatch(text):
        for place in (store(option), shipped_store()):
            if inside.there(place.root / text / "run.json"):
                return _trusted(place.open(text), trust)
    if inside.there(path / "run.json"):
        run = Run(path)
        _ = run.manifest
        return _trusted(run, trust)
    raise InputError("no run of this id or path; `lsr runs` lists those there are", file=None, key=text[:80] or "RUN")


def _trusted(run: Run, trust: bool) -> Run:
    if trust:
        trust_code(run.problem_path)
    return run


def need_complete(run: Run) -> None:
    """Refuse runs that have no refinement as their result."""
    if runkinds.of(run.manifest).experiment:
        raise InputError("this run is an experiment of the lab; name a refinement", key="RUN")
    state = run.status().status
    if state != "complete":
        raise InputError(f"this run is {state}; only a complete one has results", key="RUN")


def need_predictor(run: Run) -> None:
    """Refuse runs that have no refined predictor; an iteration has its best one so far, however it ended."""
    from lsr_core.storage import digests

    if not runkinds.of(run.manifest).keeps or not digests.there(run.delta_path):
        need_complete(run)


@contextmanager
def problem_folder(problem: str, trust: bool = False) -> Iterator[Path]:
    """The bundle that PROBLEM names: a sample, a folder or zip, or made for the moment from a Python file, an equation or a .pt2 program.

    Raises:
        InputError: there is none, it cannot be used, or it is code that was not trusted.
    """
    from lsr_core.kinds.data.programs import from_program
    from lsr_core.storage import bundles, code, code_problems, equation_files, programs

    path = Path(problem)
    if code.is_code(problem):
        made = code_problems.from_file(problem)
    elif path.suffix == equation_files.SUFFIX and path.is_file():
        made = equation_files.from_equation_file(path)
    elif path.suffix in (".pt2", ".pt", ".pth", ".pkl", ".ts") and path.is_file():
        programs.refuse_pickles(path)
        if not trust:
            raise InputError(f"was not read: {programs.WHY}", file=problem)
        made = from_program(path)
    else:
        with bundles.bundle_folder(problem) as folder:
            if trust:
                trust_code(folder)
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="lsr-code-") as scratch:
        yield bundles.save_problem(Path(scratch) / "problem", made)


def trust_code(folder: Path) -> None:
    """Let the code that a bundle carries be executed here and in the workers; others need no trust."""
    from lsr_core.storage import bundles, code, code_problems, inside, programs

    description = bundles.read_description(folder)
    if code_problems.is_code(description) and code.COPIES[description.network.architecture]:
        copied = folder / code.COPIES[description.network.architecture]
        data = inside.read(copied, programs.MAX_BYTES)
        original = Path.cwd() / Path(code_problems.about_code(description).file).name
        same = original.is_file() and original.stat().st_size == len(data) and original.read_bytes() == data
        path = original if same else copied.absolute()  # where it looks for files beside it
        code.trust(data, code.Named(str(path), search=str(Path.cwd())))


def refuse_settings(folder: Path, config: RefineConfig, job: Job) -> None:
    """Refuse what a problem does not allow or a job does not use, before there is a run."""
    from lsr_core.refinement.kinds import outline
    from lsr_core.refinement.uses import refuse_unused
    from lsr_core.storage.bundles import load_problem

    problem = load_problem(folder)
    refuse_unused(config, job, problem.kind)
    outline(problem, config)


def refuse_rank(folder: Path, config: RefineConfig, job: Job) -> None:
    """The same for commands that call the largest rank --rank."""
    try:
        refuse_settings(folder, config, job)
    except InputError as error:
        key = "rank" if error.key == "max_rank" else error.key
        raise InputError(error.message, file=error.file, key=key) from error


def check_out(path: Path) -> Path:
    """Refuse a file that could not be written, before the work is done; returns it in the folder that links to it lead to."""
    if path.is_dir():
        raise InputError("is a folder; name a file", file=str(path), key="out")
    if not path.absolute().parent.is_dir():
        raise InputError("its folder does not exist; make it first", file=str(path), key="out")
    return path.absolute().parent.resolve() / path.name


def emit(result: dict[str, Any], text: str, as_json: bool) -> None:
    """Print the result on stdout, as one JSON object or in words."""
    if as_json:
        from lsr_core.storage.tables import finite

        print(json.dumps(finite(result), allow_nan=False, ensure_ascii=False))
    else:
        print(text)


def fail(
    code: int,
    message: str,
    *,
    as_json: bool,
    file: str | None = None,
    key: str | None = None,
    status: str = "failed",
    run: str | None = None,
    prefix: bool = True,
) -> int:
    """Say in one line on stderr what is wrong, and in JSON on stdout if asked; returns `code`."""
    line = " ".join(message.split())
    error: dict[str, Any] = {"status": status, "error": {"file": file, "key": key, "message": line}}
    if run is not None:
        error["run"] = run
    if as_json:
        print(json.dumps(error, ensure_ascii=False))
    where = [part for part in (file, key) if part and prefix]
    print(printable(": ".join(["lsr", *where, line])), file=sys.stderr)
    return code


def printable(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


@contextmanager
def interruptible(progress: ProgressCallback) -> Iterator[ProgressCallback]:
    """Progress whose next report stops the work after Ctrl-C; a second Ctrl-C stops it at once.

    An exception raised by the signal itself could fall inside a finaliser, where Python drops it.
    """
    asked = False

    def remember(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def report(stage: str, fraction: float) -> None:
        if asked:
            raise Cancelled("interrupted")
        progress(stage, fraction)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield report
    finally:
        signal.signal(signal.SIGINT, before)


class ProgressLine:
    """Progress on stderr: one line that is rewritten on a terminal, a line a stage elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._stage = ""
        self._shown = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        if self._terminal and (stage != self._stage or now - self._shown > 0.1):
            print(f"\r{100 * fraction:3.0f} %  {stage:<40.40}", end="", file=sys.stderr, flush=True)
            self._shown = now
        elif not self._terminal and stage != self._stage:
            print(f"{100 * fraction:3.0f} %  {stage}", file=sys.stderr, flush=True)
        self._stage = stage

    def close(self) -> None:
        if self._terminal and self._stage:
            print(f"\r{'':<50}\r", end="", file=sys.stderr, flush=True)
