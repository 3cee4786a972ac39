"""Do the work of one run, in this process, keeping its status true whatever happens."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from lsr_core.errors import Cancelled, CodeError, InputError, LSRError, is_out_of_memory
from lsr_core.jobs import pace
from lsr_core.jobs.origin import environment
from lsr_core.jobs.pace import Pace
from lsr_core.jobs.watch import Watch
from lsr_core.refinement import serverlimits
from lsr_core.refinement.progress import ProgressCallback, silent
from lsr_core.refinement.resources import give_back, return_large_blocks
from lsr_core.refinement.uses import JOBS
from lsr_core.storage import digests
from lsr_core.storage.code import located
from lsr_core.storage.records import Failure, JobKind, State, Status
from lsr_core.storage.runs import Run, RunStore
from lsr_core.storage.workers import this_process

Work = Callable[[Run, ProgressCallback], None]

BEAT_SECONDS = 0.3
NO_ESTIMATE_BEFORE = 0.03


class StatusWriter:
    """Writes `status.json` from a thread of its own, so that a long product does not look like a dead worker."""

    def __init__(self, run: Run, callback: ProgressCallback) -> None:
        self._run = run
        self._callback = callback
        self._started = time.monotonic()  # the clock may be set
        self._lock = threading.Lock()
        self._status = Status(status="running", stage="starting", worker=this_process())
        self._pace = Pace(pace.known(run.path.parent, run.manifest.kind, run.manifest.problem))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        self._write()
        self._thread.start()

    def __call__(self, stage: str, fraction: float) -> None:
        """Progress of the work; what the caller's callback raises stops it."""
        with self._lock:
            self._pace.report(min(max(fraction, 0.0), 1.0), time.monotonic() - self._started)
            self._status = self._status.model_copy(update={"stage": stage})
        self._callback(stage, fraction)

    def finish(self, state: State, error: Failure | None = None) -> None:
        """Write the last status."""
        self._stop.set()
        self._thread.join()
        done = {"fraction": 1.0, "stage": "done"} if state == "complete" else {}
        if state == "complete":
            self._learn()
        noted = self._note_files(state)
        self._status = self._status.model_copy(
            update={"status": state, "error": error, "worker": None, "digests": noted, **done}
        )
        self._write()

    def _learn(self) -> None:
        """Keep how the time went for the next job of the kind; a disk that is full is no reason to fail."""
        manifest = self._run.manifest
        with suppress(OSError):
            course = self._pace.course(time.monotonic() - self._started)
            pace.note(self._run.path.parent, manifest.kind, manifest.problem, course)

    def _note_files(self, state: State) -> bool:
        try:
            digests.write(self._run.path)
        except (OSError, InputError):
            if state == "complete":
                raise
            return False  # its end is worth more than its digests
        return True

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self._write()
            except (OSError, InputError):
                continue  # the disk may be full or the folder gone; the work itself will say so

    def _write(self) -> None:
        with self._lock:
            elapsed = time.monotonic() - self._started
            update: dict[str, object] = {"elapsed": elapsed, "remaining": None, "heartbeat": time.time()}
            if self._status.status == "running":
                share, remaining = self._pace.at(elapsed)
                update |= {"fraction": share, "remaining": remaining if share > NO_ESTIMATE_BEFORE else None}
            self._status = self._status.model_copy(update=update)
            self._run.write_status(self._status)


def work_of(kind: JobKind) -> Work:
    """The function `work(run, report)` of a kind, loaded when it is needed: it writes results into the run and raises what goes wrong."""
    work: Work = import_module(f"lsr_core.jobs.{JOBS[kind].module}").work
    return work


def execute(run: Run, progress: ProgressCallback | None = None) -> None:
    """Run the job of a queued run here and leave it complete, cancelled or failed.

    The memory of this process is watched: a job that has to stop for it and does not come to report progress ends the process, with
    code 1 and the reason in the status and on stderr.

    Raises:
        LSRError, OSError: what made the run fail, after its status says so.
        Cancelled, KeyboardInterrupt: after the status says cancelled.
    """
    return_large_blocks()
    writer = StatusWriter(run, progress or silent)
    allowed = serverlimits.current()
    budgets = [one for one in (run.manifest.config.memory_budget, allowed.memory) if one is not None]
    watch = Watch(min(budgets, default=None), lambda sentence: _end(run, writer, sentence), allowed.seconds)

    stages = {""}

    def report(stage: str, fraction: float) -> None:
        watch.check()
        if stage not in stages:
            stages.add(stage)
            give_back()
        writer(stage, fraction)

    writer.start()
    with _reported(run, writer, watch), watch:
        digests.forget(run.path)
        RunStore(run.path.parent).tidy()
        run.write_manifest(run.manifest.model_copy(update={"environment": environment()}))
        work_of(run.manifest.kind)(run, report)
        writer.finish("complete")


def _end(run: Run, writer: StatusWriter, sentence: str) -> None:
    """End this process, whatever it is at; there is no memory for anything more."""
    _fail(run, writer, Failure(message=sentence))
    sys.stderr.write(f"lsr: {sentence}\n")
    sys.stderr.flush()
    os._exit(1)


@contextmanager
def _reported(run: Run, writer: StatusWriter, watch: Watch) -> Iterator[None]:
    try:
        yield
    except (Cancelled, KeyboardInterrupt):
        _log(run, "cancelled")
        writer.finish("cancelled")
        raise
    except InputError as error:
        if own := located(error):
            _fail_own(run, writer, own)
            raise own from error
        _fail(run, writer, Failure(message=error.message, file=error.file, key=error.key))
        raise
    except LSRError as error:
        _fail(run, writer, Failure(message=str(error)))
        raise
    except MemoryError as error:
        _fail(run, writer, Failure(message=(message := watch.sentence())))
        raise LSRError(message) from error
    except OSError as error:
        if error.errno == errno.ENOMEM:
            _fail(run, writer, Failure(message=(message := watch.sentence())))
            raise LSRError(message) from error
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        message = (
            "the disk is full; make room and start again" if full else f"a file could not be written: {error.strerror}"
        )
        _fail(run, writer, Failure(message=message))
        raise
    except RuntimeError as error:
        if own := located(error):
            _fail_own(run, writer, own)
            raise own from error
        message = watch.sentence() if is_out_of_memory(error) else f"the computation failed: {error}"
        _fail(run, writer, Failure(message=message[:2000]))
        raise LSRError(message) from error
    except Exception as error:
        if own := located(error):
            _fail_own(run, writer, own)
            raise own from error
        _fail(
            run, writer, Failure(message=f"an unexpected error stopped the job: {type(error).__name__}: {error}"[:2000])
        )
        raise


def _fail_own(run: Run, writer: StatusWriter, error: CodeError) -> None:
    """Code of the user's own failed: where and why in the status, the traceback in the log."""
    if error.trace:
        _log(run, error.trace)
    _fail(run, writer, Failure(message=error.message[:2000], file=error.file, key=error.key))


def _fail(run: Run, writer: StatusWriter, failure: Failure) -> None:
    _log(run, f"failed: {failure.message}")
    with suppress(OSError):  # nothing can be written any more; a reader finds the worker gone and says so
        writer.finish("failed", failure)


def _log(run: Run, line: str) -> None:
    """The last line of a log that may be what went wrong."""
    with suppress(OSError, InputError):
        run.append_log(line)
