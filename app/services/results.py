"""What runs have found, read once for all browsers and shared read only."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lsr_app.reading import iterationdata, rundata
from lsr_app.reading.iterationdata import HalfSteps
from lsr_app.reading.rundata import RunData
from lsr_app.services import problems
from lsr_app.services.stamps import GROWING, by
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


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=by(*_READ))
def load(run: Run) -> RunData:
    """A complete run, from memory if it was read before.

    Raises:
        InputError: the run is damaged.
    """
    return rundata.read(run)


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs=by())
def damage(run: Run) -> list[str]:
    """Sentences about files of a run that are not as they were written, those included that no page reads; large ones are left for a reader."""
    return [str(error) for error in checking.damage(run.path, MAX_CHECKED_BYTES)]


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=by(*GROWING))
def iteration(run: Run) -> HalfSteps | None:
    """The half steps of a run as far as they have come, from memory if none was added; None before the first.

    Raises:
        InputError: the run is damaged.
    """
    found = iterationdata.read(StepStore(run.path))
    if found is None or found.transform:
        return found
    about = problems.equation(run.problem_path)
    return iterationdata.with_transform(found, about.periods if about else {})


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs=by("fields.npz"))
def has_spectrum(run: Run, _data: RunData) -> bool:
    """Whether the errors of an ordinary run lie on a grid that has a spectrum."""
    return iterationdata.grid_of(_data) is not None


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=by("summary.json", "fields.npz"))
def two_steps(run: Run, _data: RunData, rank: int) -> HalfSteps | None:
    """An ordinary run as two half steps; None where its display points are no regular grid."""
    about = problems.equation(run.problem_path)
    return iterationdata.of_refinement(_data, rank, about.periods if about else {})


def experiment(run: Run, kind: type[Experiment]) -> Experiment | None:
    """What a race or an isolation has found so far, from memory if nothing was added. Read only.

    Raises:
        InputError: the run is damaged.
    """
    found: Experiment | None = _experiment(run, kind)
    return found


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=by(*GROWING))
def _experiment(run: Run, kind: Any) -> Any:
    return read_experiment(run.path, kind)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=by(*GROWING))
def plane(run: Run) -> LossPlane | None:
    """A loss plane as fine as it is so far.

    Raises:
        InputError: the run is damaged.
    """
    return read_plane(run.path)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=by("directions.npz"))
def directions(run: Run) -> Directions | None:
    """What the directions of a refinement correct; None for runs from before they were kept.

    Raises:
        InputError: the run is damaged.
    """
    return run.directions


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=by("smoothing.npz"))
def smoothing(run: Run) -> SmoothingCurves | None:
    """Criteria, fields and bands of a smoothed refinement; None where it was not smoothed.

    Raises:
        InputError: the run is damaged.
    """
    return run.smoothing


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
