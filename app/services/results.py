"""What runs have found, read once for all browsers and shared read only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from lsr_app.reading import iterationdata, rundata
from lsr_app.reading.iterationdata import HalfSteps
from lsr_app.reading.rundata import RunData
from lsr_app.services import problems
from lsr_app.services.stamps import growth_stamp, stamp_of, tree_stamp
from lsr_core.refinement.case_records import CaseFields
from lsr_core.refinement.results import Directions, LossPlane
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.solver.records import SolveStep, SolveSummary
from lsr_core.storage import checking
from lsr_core.storage.functions import read_fields
from lsr_core.storage.lab import Experiment, read_experiment
from lsr_core.storage.planes import read_plane
from lsr_core.storage.runs import Run
from lsr_core.storage.solves import SolveStore
from lsr_core.storage.steps import StepStore

MAX_CHECKED_BYTES = 2**28
_READ = ("run.json", "summary.json", "sweep.npz", "spectrum.npz", "fields.npz", "paths.npz", "digests.json")


def load(run: Run) -> RunData:
    """A complete run, from memory if it was read before.

    Raises:
        InputError: the run is damaged.
    """
    return _load(str(run.path), stamp_of(run.path, *_READ))


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(path: str, stamp: str) -> RunData:
    return rundata.read(Run(Path(path)))


def damage(run: Run) -> list[str]:
    """Sentences about files of a run that are not as they were written, those included that no page reads; large ones are left for a reader."""
    return _damage(str(run.path), tree_stamp(run.path))


@st.cache_data(max_entries=200, show_spinner=False)
def _damage(path: str, stamp: str) -> list[str]:
    return [str(error) for error in checking.damage(Path(path), MAX_CHECKED_BYTES)]


def iteration(run: Run) -> HalfSteps | None:
    """The half steps of a run as far as they have come, from memory if none was added; None before the first.

    Raises:
        InputError: the run is damaged.
    """
    return _iteration(str(run.path), growth_stamp(run))


@st.cache_resource(max_entries=4, show_spinner=False)
def _iteration(path: str, stamp: str) -> HalfSteps | None:
    folder = Path(path)
    found = iterationdata.read(StepStore(folder))
    if found is None or found.transform:
        return found
    about = problems.equation(folder / "problem")
    return iterationdata.with_transform(found, about.periods if about else {})


def has_spectrum(run: Run, data: RunData) -> bool:
    """Whether the errors of an ordinary run lie on a grid that has a spectrum."""
    return _has_spectrum(str(run.path), stamp_of(run.path, "fields.npz"), data)


@st.cache_data(max_entries=200, show_spinner=False)
def _has_spectrum(path: str, stamp: str, _data: RunData) -> bool:
    return iterationdata.grid_of(_data) is not None


def two_steps(run: Run, data: RunData, rank: int) -> HalfSteps | None:
    """An ordinary run as two half steps; None where its display points are no regular grid."""
    return _two_steps(str(run.path), stamp_of(run.path, "summary.json", "fields.npz"), rank, data)


@st.cache_resource(max_entries=32, show_spinner=False)
def _two_steps(path: str, stamp: str, rank: int, _data: RunData) -> HalfSteps | None:
    about = problems.equation(Path(path) / "problem")
    return iterationdata.of_refinement(_data, rank, about.periods if about else {})


def experiment(run: Run, kind: type[Experiment]) -> Experiment | None:
    """What a race or an isolation has found so far, from memory if nothing was added. Read only.

    Raises:
        InputError: the run is damaged.
    """
    found: Experiment | None = _experiment(str(run.path), growth_stamp(run), kind)
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _experiment(path: str, stamp: str, kind: Any) -> Any:
    return read_experiment(Path(path), kind)


def plane(run: Run) -> LossPlane | None:
    """A loss plane as fine as it is so far.

    Raises:
        InputError: the run is damaged.
    """
    return _plane(str(run.path), growth_stamp(run))


@st.cache_resource(max_entries=8, show_spinner=False)
def _plane(path: str, stamp: str) -> LossPlane | None:
    return read_plane(Path(path))


def directions(run: Run) -> Directions | None:
    """What the directions of a refinement correct; None for runs from before they were kept.

    Raises:
        InputError: the run is damaged.
    """
    return _directions(str(run.path), stamp_of(run.path, "directions.npz"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _directions(path: str, stamp: str) -> Directions | None:
    return Run(Path(path)).directions


def smoothing(run: Run) -> SmoothingCurves | None:
    """Criteria, fields and bands of a smoothed refinement; None where it was not smoothed.

    Raises:
        InputError: the run is damaged.
    """
    return _smoothing(str(run.path), stamp_of(run.path, "smoothing.npz"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _smoothing(path: str, stamp: str) -> SmoothingCurves | None:
    return Run(Path(path)).smoothing


def function_fields(run: Run, case: int) -> CaseFields | None:
    """What one function of a batch looks like; None where the run kept no fields.

    Raises:
        InputError: the run is damaged.
    """
    return read_fields(run.path, case)


def solve(run: Run) -> tuple[list[SolveStep], SolveSummary | None]:
    """The attempts of a solve from scratch so far, and what came of it once it has ended.

    Raises:
        InputError: a file is damaged.
    """
    kept = SolveStore(run.path)
    return kept.steps(), kept.summary()
