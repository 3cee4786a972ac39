"""Files to download from a run, and the processes that make those that take long."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from lsr_app import places
from lsr_app.making import made
from lsr_app.making.workshop import Task, Workshop, make_room
from lsr_app.reading.rundata import RunData
from lsr_app.screens.export import exporttexts
from lsr_app.words import formats
from lsr_core.errors import InputError, LSRError
from lsr_core.storage import bundles, code_problems, digests, inside, tables
from lsr_core.storage.runs import Run

FOLDER = "exports"

_workshop = Workshop()


def with_deviations(run: Run, rank: int) -> bool:
    """Whether files of this rank give standard deviations."""
    return rank == run.summary.rank and digests.there(run.spread_path)


def predictions(run: RunData, rank: int) -> bytes:
    """Inputs, truth, network and refined predictor at the display points."""
    fields = run.fields
    refined = fields.targets + fields.refined_error[run.rung(rank)].astype(np.float64)
    outputs = [run.output_name(place) for place in range(run.n_outputs)]
    header = [run.input_name(place) for place in range(run.dimension)]
    header += [f"{part} {name}" for part in ("target", "network", "refined") for name in outputs]
    targets = fields.targets if run.has_reference else np.full_like(fields.targets, np.nan)  # an empty cell
    values = np.column_stack([fields.inputs, targets, fields.network, refined])
    return tables.table_csv(header, values).encode("utf-8")


def record(run: Run) -> bytes:
    """The run's figures as JSON."""
    return tables.run_json(run).encode("utf-8")


def withheld(run: Run) -> str:
    """Why files that hold the network cannot be made here, or empty; a page never executes code that it was not started for."""
    return code_problems.withheld(bundles.read_description(run.refined_path))


def is_own(run: Run) -> bool:
    """Whether the network comes from code, so that its predictor file is read with the module."""
    return code_problems.is_code(bundles.read_description(run.refined_path))


def predictor_at_choice(run: Run) -> bytes:
    """The predictor at the rank the run chose, whose Δθ it holds."""
    from lsr_app.making.rebuild import make

    with tempfile.TemporaryDirectory(prefix="lsr-export-") as scratch:
        path = Path(scratch) / "predictor.safetensors"
        make(run, run.summary.rank, "predictor", path)
        return path.read_bytes()


def target(run: Run, rank: int, format: str = "predictor") -> Path:
    """Where a file is made: in the run, so that it goes with it; beside the runs for one that is not among them, as the shipped one."""
    root = places.runs_root()
    folder = run.path / FOLDER if run.path.parent == root else root / f".{FOLDER}" / run.id
    return folder / f"rank{rank}{exporttexts.FORMS[format].suffix}"


def contents(run: Run, rank: int, format: str = "predictor") -> bytes:
    """A file that is ready.

    Raises:
        InputError: it is not as it was made.
    """
    return made.contents(target(run, rank, format))


def given(run: Run, name: str, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """The data of a download button, made when it is pressed. Why a file was refused is kept for the page; a browser is told that it was, no more."""

    def data() -> bytes:
        _refused().pop((str(run.path), name), None)
        try:
            return make()
        except LSRError as error:
            _refused()[str(run.path), name] = str(error)
            raise

    return data


def refused(run: Run) -> list[str]:
    """Why files of this run were not given out when they were last asked for."""
    return [reason for (path, _), reason in list(_refused().items()) if path == str(run.path)]


@st.cache_resource(show_spinner=False)
def _refused() -> dict[tuple[str, str], str]:
    return {}


def note(run: Run, rank: int, format: str) -> str:
    """The sentence about a file that is ready."""
    return made.note_of(target(run, rank, format)).sentence


def start(run: Run, rank: int, format: str = "predictor", owner: str = "") -> None:
    """Let a file be made in a process of its own, in its turn, unless it is there or under way.

    Raises:
        InputError: the folder that it belongs in is a link, or too many files wait to be made.
        OSError: it cannot be written.
    """
    if progress(run, rank, format) in ("ready", "working"):
        return
    path = target(run, rank, format)
    path.parent.mkdir(parents=True, exist_ok=True)
    with inside.folder_of(path), inside.folder_of(path.parent):
        made.beside(path, "error").unlink(missing_ok=True)
        make_room(path.parent)
    command = [sys.executable, "-m", "lsr_app.making.rebuild", str(run.path), str(rank), format, str(path)]
    _workshop.ask(Task(path, command, owner))


def begin(run: Run, rank: int, format: str = "predictor", owner: str = "") -> None:
    """The same for a button: draw the page again, or say why not."""
    try:
        start(run, rank, format, owner)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
    except OSError as error:
        st.error(formats.markdown(exporttexts.not_begun(error.strerror or "")), icon=":material/error:")
    else:
        st.rerun()


def progress(run: Run, rank: int, format: str = "predictor") -> str:
    """'', 'working', 'ready', or the sentence that says what went wrong."""
    path = target(run, rank, format)
    state = _workshop.state(path)
    if state == "working":
        return state
    try:
        if inside.there(path):
            made.note_of(path)
            inside.opened(path, made.MAX_BYTES).close()
            return "ready"
        return "" if not state else made.why(path) or exporttexts.EXPORT_STOPPED
    except InputError as error:
        return str(error)


def before(run: Run, rank: int, format: str = "predictor") -> int:
    """How many files are made before this one."""
    return _workshop.before(target(run, rank, format))
