"""Files to download from a run, and the processes that make those that take long."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import streamlit as st

from lsr_app import places
from lsr_app.rundata import RunData
from lsr_core.storage import tables
from lsr_core.storage.runs import Run

FOLDER = ".exports"


def predictions(run: RunData, rank: int) -> bytes:
    """Inputs, truth, network and refined predictor at the display points."""
    fields = run.fields
    refined = fields.targets + fields.refined_error[run.rung(rank)].astype(np.float64)
    outputs = [run.output_name(place) for place in range(run.n_outputs)]
    header = [run.input_name(place) for place in range(run.dimension)]
    header += [f"{part} {name}" for part in ("target", "network", "refined") for name in outputs]
    values = np.column_stack([fields.inputs, fields.targets, fields.network, refined])
    return tables.table_csv(header, values).encode("utf-8")


def record(run: Run) -> bytes:
    """The run's figures as JSON."""
    return tables.run_json(run).encode("utf-8")


def predictor_at_choice(run: Run) -> bytes:
    """The predictor at the rank the run chose, whose Δθ it holds."""
    from lsr_app.rebuild import predictor

    with tempfile.TemporaryDirectory(prefix="lsr-export-") as scratch:
        return predictor(run, run.summary.rank, Path(scratch) / "predictor.safetensors").read_bytes()


def target(run: Run, rank: int) -> Path:
    return places.runs_root() / FOLDER / f"{run.id}-{rank}.safetensors"


def start(run: Run, rank: int) -> None:
    """Begin to rebuild the predictor at another rank in a process of its own, unless it is under way."""
    if progress(run, rank) in ("ready", "working"):
        return
    path = target(run, rank)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".error").unlink(missing_ok=True)
    command = [sys.executable, "-m", "lsr_app.rebuild", str(run.path), str(rank), str(path)]
    _processes()[str(path)] = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def progress(run: Run, rank: int) -> str:
    """'', 'working', 'ready', or the sentence that says what went wrong."""
    path = target(run, rank)
    if path.is_file():
        return "ready"
    process = _processes().get(str(path))
    if process is None:
        return ""
    if process.poll() is None:
        return "working"
    reason = path.with_suffix(".error")
    return (
        reason.read_text(encoding="utf-8")
        if reason.is_file()
        else "The process that rebuilds it stopped without a word."
    )


@st.cache_resource(show_spinner=False)
def _processes() -> dict[str, subprocess.Popen[bytes]]:
    return {}
