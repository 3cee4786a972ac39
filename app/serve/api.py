"""Runs as JSON and CSV for scripts, with the rights of whoever asks: `/api/runs` and, of each run, the files named in `FILES`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from lsr_app import trouble
from lsr_app.making import tables
from lsr_app.owning import owner
from lsr_app.reading import rundata, runkinds, runlines
from lsr_app.serve.asgi import COMMON, App, Receive, Scope, Send
from lsr_app.serve.limits import Buckets, visitor
from lsr_app.services import runs
from lsr_core.errors import LSRError
from lsr_core.storage.runs import Run

AT_ONCE, PER_SECOND = 30, 5.0  # questions of a visitor
READERS = 2  # runs that are read at a time
HEADERS = {**COMMON, "cache-control": "no-store"}
JSON, CSV = "application/json", "text/csv; charset=utf-8"


def _line(run: Run, asks: str) -> dict[str, Any]:
    """As `lsr runs` has it, with whether it is the asker's in place of its owner's name."""
    line = runlines.line(run)
    mine = line.pop("owner") == asks
    return {**line, "mine": mine}


def _record(run: Run) -> str:
    return tables.record(_refinement(run))


def _refinement(run: Run) -> rundata.RunData:
    kind = runkinds.of(run.manifest)
    state = run.status().status
    if state != "complete" or not kind.refines:
        raise LSRError(
            f"this run is {state} and of the kind {kind.title!r}; the file is there for complete refinements"
        )
    return rundata.read(run)


FILES: dict[str, tuple[str, Callable[[Run], str | bytes]]] = {
    "run.json": (JSON, _record),
    "sweep.csv": (CSV, lambda run: tables.sweep_csv(_refinement(run))),
    "spectrum.csv": (CSV, lambda run: tables.spectrum_csv(_refinement(run))),
}


class Api:
    """Answers what lies below `/api`; everything else goes on.

    Args:
        app: what comes behind it.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._asked = Buckets(AT_ONCE, PER_SECOND)
        self._readers = asyncio.Semaphore(READERS)
        self._router = Router(
            [
                Route("/api/runs", self._list, methods=["GET"]),
                Route("/api/runs/{run}", self._status, methods=["GET"]),
                Route("/api/runs/{run}/{file}", self._file, methods=["GET"]),
            ],
            redirect_slashes=False,
            default=_nothing,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http" or not (scope["path"] == "/api" or scope["path"].startswith("/api/")):
            await self._app(scope, receive, send)
        elif not self._asked.of(visitor(scope)).take():
            await _sorry(429, f"asked too often; {PER_SECOND:g} questions a second are answered", {"retry-after": "1"})(
                scope, receive, send
            )
        else:
            await self._router(scope, receive, send)

    async def _list(self, asked: Request) -> Response:
        asks = _asks(asked)

        def work() -> list[dict[str, Any]]:
            return [_line(runs.find_for(asks, entry.id)[0], asks) for entry in runs.entries(asks)]

        return await self._answered(work, lambda found: JSONResponse({"runs": found}, headers=HEADERS))

    async def _status(self, asked: Request) -> Response:
        asks, run = _asks(asked), asked.path_params["run"]
        return await self._answered(
            lambda: _line(runs.find_for(asks, run)[0], asks), lambda found: JSONResponse(found, headers=HEADERS)
        )

    async def _file(self, asked: Request) -> Response:
        asks, run, name = _asks(asked), asked.path_params["run"], asked.path_params["file"]
        if name not in FILES:
            return _sorry(404, f"no such file of a run; there are {', '.join(FILES)}")
        kind, read = FILES[name]
        return await self._answered(
            lambda: read(runs.find_for(asks, run)[0]),
            lambda found: Response(found, media_type=kind, headers=HEADERS),
        )

    async def _answered(self, work: Callable[[], Any], reply: Callable[[Any], Response]) -> Response:
        """Read in a thread, a few at a time; what cannot be read is said in a sentence."""
        try:
            async with self._readers:
                return reply(await run_in_threadpool(work))
        except LSRError as error:
            return _sorry(404, str(error))
        except Exception as error:  # a run that nobody foresaw is no reason for a traceback
            return _sorry(500, f"this could not be read; the log has it as {trouble.note(error)}")


def _asks(asked: Request) -> str:
    """Owner string of the browser whose cookie came; a script without one is nobody's."""
    return owner.of(asked.cookies, {})


def _sorry(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": why}, status, {**HEADERS, **(headers or {})})


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await _sorry(404, "no such address; /api/runs lists the runs")(scope, receive, send)
