"""`lsr publish`: runs as a site of plain files."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from lsr_app.commands.common import JsonOption, RunsOption, TrustOption, emit, find_run, need_complete
from lsr_core.errors import InputError


def publish(
    run: Annotated[list[str], typer.Argument(metavar="RUN…", help="Ids or paths of complete refinements.")],
    out: Annotated[Path, typer.Option(help="Folder of the site; a new one, or one that publish made before.")],
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Write runs as web pages that open from disk or any static host, with a rank slider that needs no server."""
    chosen = []
    for name in run:
        found = find_run(name, runs, trust)
        need_complete(found)
        chosen.append(found)
    site = _writer()
    made = site.publish(chosen, out)
    record = {
        "site": str(out / "index.html"),
        "runs": [{"run": one.id, "page": f"{one.folder}/index.html", "bytes": one.n_bytes} for one in made],
    }
    emit(record, site.sentence(made, out), json)


def _writer() -> Any:
    """Loaded when it is needed: it draws with the dashboard's libraries, which the command line does without."""
    try:
        return importlib.import_module("lsr_app.making.site")
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} draws the pages; run: pip install 'lsr-explorer[dashboard]'") from error
