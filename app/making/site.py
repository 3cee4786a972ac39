"""Runs as a site of plain files: each opens from disk or any static host, without a server, with its rank slider alive."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plotly.offline import get_plotlyjs

from lsr_app.making import sitedata, sitetemplate, tables
from lsr_app.reading import rundata
from lsr_app.reading.rundata import RunData
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.storage import atomic
from lsr_core.storage.runs import Run

LIBRARY = "plotly.min.js"
MAX_RUN_BYTES = 2 * 10**6
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Published:
    """A run that was written: its folder below the site and the bytes it takes beside the plot library."""

    id: str
    title: str
    folder: str
    n_bytes: int


def publish(runs: Sequence[Run], out: Path) -> list[Published]:
    """Write `out/index.html`, the plot library once, and for each run a page, its sweep as CSV and its record as JSON.

    The page holds what the run stored: no code, no weights, no name of its owner. Colours follow light or dark of the reader.

    Args:
        runs: complete refinements; each is written once.
        out: a new folder, or one that `publish` made before, whose pages are replaced.

    Raises:
        InputError: there is no run, one is no complete refinement or damaged, or `out` holds other files.
        OSError: the folder cannot be written.
    """
    chosen = list({run.id: run for run in runs}.values())
    if not chosen:
        raise InputError("name at least one run", key="RUN")
    read = [rundata.read(run) for run in chosen]
    _make_room(out)
    found = [_run(data, out) for data in read]
    atomic.write_text(out / LIBRARY, get_plotlyjs())
    atomic.write_text(out / "index.html", sitetemplate.index(sitedata.rows(read), [one.folder for one in found]))
    return found


def one_page(run: Run) -> str:
    """The same page as a text of its own, which needs no file beside it; with the plot library it has 5 MB.

    Raises:
        InputError: the run is no complete refinement, or damaged.
    """
    data = rundata.read(run)
    content = sitedata.of_run(data)
    scripts = f"<script>{get_plotlyjs()}</script><script>window.LSR = {_script(content)};</script>"
    return sitetemplate.page(data, content, scripts, alone=True)


def _make_room(out: Path) -> None:
    """Refuse a folder with files of somebody else's."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder", key="out")
    if out.is_dir():
        foreign = [
            path.name
            for path in out.iterdir()
            if not (path.name in (LIBRARY, "index.html") or _NAME.fullmatch(path.name))
        ]
        if foreign:
            raise InputError(
                f"{out} holds {formats.one_line(foreign[0], 60)!r}, which is no part of a site; name a new folder",
                key="out",
            )
    out.mkdir(parents=True, exist_ok=True)


def _run(data: RunData, out: Path) -> Published:
    folder = out / data.id
    folder.mkdir(exist_ok=True)
    content = sitedata.of_run(data)
    script = "window.LSR = " + _script(content) + ";\n"
    page = sitetemplate.page(data, content, f"<script src='../{LIBRARY}'></script><script src='data.js'></script>")
    sweep, record = tables.sweep_csv(data), tables.record(data)
    size = len(script.encode()) + len(page.encode()) + len(sweep) + len(record.encode())
    if size > MAX_RUN_BYTES:
        raise InputError(
            f"run {data.id[:6]} would take {formats.size(size)}; a page may take {formats.size(MAX_RUN_BYTES)}",
            key="RUN",
        )
    atomic.write_text(folder / "data.js", script)
    atomic.write_text(folder / "index.html", page)
    atomic.write_bytes(folder / "sweep.csv", sweep)
    atomic.write_text(folder / "run.json", record)
    return Published(data.id, data.manifest.title, data.id, size)


def _script(content: object) -> str:
    """JSON that is a JavaScript literal and cannot end the element that it stands in."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def sentence(found: Sequence[Published], out: Path) -> str:
    """What was written, and how it is shown elsewhere."""
    lines = [f"{out / 'index.html'}: {len(found)} run{'s' if len(found) != 1 else ''}, beside the plot library"]
    lines += [f"  {one.title}: {formats.size(one.n_bytes)}, {one.folder}/index.html" for one in found]
    lines.append(f"embed one with {sitetemplate.embed(found[0].folder)}")
    return "\n".join(lines)
