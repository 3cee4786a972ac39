"""The dashboard from a notebook: on a run, or on the result of a refinement, which then becomes one."""

from __future__ import annotations

import atexit
import html
import os
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_app.commands.common import OWNER, find_run, runs_root
from lsr_app.places import RUNS_VARIABLE
from lsr_app.serve.order import Order, start
from lsr_core.errors import LSRError

if TYPE_CHECKING:
    from lsr_core.refinement.refined import Refinement
    from lsr_core.storage.runs import Run

PATIENCE_SECONDS = 60.0
_servers: dict[str, tuple[subprocess.Popen[bytes], str]] = {}


def explore(what: str | Path | Run | Refinement, *, runs: str | Path | None = None) -> str:
    """Open the dashboard in the background and print where it is and how to stop it.

    Args:
        what: a run, its id or path; or what `lsr_core.refine` returned, which is stored as a run first.
        runs: folder of runs; $LSR_RUNS or ./runs by default.

    Returns:
        The address of the page. A second call uses the server that is there.

    Raises:
        InputError: no such run, or a result that cannot be stored.
        LSRError: the server did not start.
    """
    from lsr_core.refinement.refined import Refinement
    from lsr_core.storage.runs import Run

    root = None if runs is None else Path(runs)
    if isinstance(what, Refinement):
        run = keep(what, root)
    else:
        run = what if isinstance(what, Run) else find_run(str(what), root)
    base = _server(run.path.resolve().parent)
    url = f"{base}/?run={run.id}"
    print(f"LSR Explorer: {url}  (lsr_app.stop() stops it)")
    return url


@dataclass(frozen=True)
class Framed:
    """A page in a frame of a notebook; it works without a kernel and without the network, also in a notebook that was saved."""

    page: str
    height: int

    def _repr_html_(self) -> str:
        whole = html.escape(self.page, quote=True)
        return f'<iframe srcdoc="{whole}" style="width:100%;height:{self.height}px;border:0" title="A run with its rank slider"></iframe>'


def slider(what: str | Path | Run | Refinement, *, runs: str | Path | None = None, height: int = 1_000) -> Framed:
    """A run with its rank slider in the notebook itself: the figures of a published page.

    Args:
        what: a run, its id or path; or what `lsr_core.refine` returned.
        runs: folder of runs in which an id is looked up; $LSR_RUNS or ./runs by default.
        height: of the frame, in pixels.

    Raises:
        InputError: no such run, or one that is no complete refinement.
    """
    from lsr_app.making import site
    from lsr_core.refinement.refined import Refinement
    from lsr_core.storage.runs import Run

    if isinstance(what, Refinement):
        with tempfile.TemporaryDirectory(prefix="lsr-slider-") as scratch:
            return Framed(site.one_page(keep(what, Path(scratch))), height)
    run = what if isinstance(what, Run) else find_run(str(what), None if runs is None else Path(runs))
    return Framed(site.one_page(run), height)


def stop() -> None:
    """End the servers that `explore` started in this process."""
    for process, _ in _servers.values():
        process.terminate()
    for process, _ in _servers.values():
        process.wait(timeout=10)
        if process.stdin is not None:
            process.stdin.close()
    _servers.clear()


def keep(refinement: Refinement, runs: Path | None = None) -> Run:
    """The result of a refinement as a complete run.

    A network of a registered architecture, or from a Python file, is stored so that the run can be made again; of others the figures are.

    Raises:
        InputError: the problem cannot be stored.
    """
    from lsr_core.jobs.keeping import keep_result

    return keep_result(refinement, runs_root(runs), OWNER)


def _server(root: Path) -> str:
    """Address of a server on this folder of runs."""
    known = _servers.get(str(root))
    if known is not None and known[0].poll() is None:
        return known[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, RUNS_VARIABLE: str(root)}
    quiet = subprocess.DEVNULL
    process = start(Order("127.0.0.1", port), environment, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    else:
        process.kill()
        raise LSRError("the dashboard did not start; `lsr dashboard` says why")
    if not _servers:
        atexit.register(stop)
    _servers[str(root)] = (process, f"http://127.0.0.1:{port}")
    return _servers[str(root)][1]
