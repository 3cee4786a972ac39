"""What is known about a problem from its bundle, and what refining it would take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import lsr_samples
from lsr_app.reading import observed, physicsdata, problemabout
from lsr_app.reading.observed import Observations
from lsr_app.reading.physicsdata import PhysicsAbout
from lsr_app.services.stamps import by, stamp_of
from lsr_core.errors import InputError
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run

if TYPE_CHECKING:
    from lsr_core.refinement.forecast import Forecast


def title(folder: Path) -> str:
    """Title of a bundle, or the name of its folder if it cannot be read."""
    try:
        return problemabout.about_bundle(folder).title
    except InputError:
        return folder.name


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=by("problem.json"))
def equation(folder: Path) -> PhysicsAbout | None:
    """The equation of a bundle; None for problems without one, and for one that cannot be read."""
    try:
        return physicsdata.read(folder)
    except InputError:
        return None


def same_problem(one: Run, other: Run) -> bool:
    """Whether two runs are of the same weights and data, whether or not checkpoints lie beside these."""
    try:
        return problemabout.named(one.problem_path) == problemabout.named(other.problem_path)
    except InputError:
        return False


def observations(run: Run) -> Observations | None:
    """The training data of a run's problem, where there are so few that each can be drawn; None otherwise, or where they cannot be read."""
    folder = run.problem_path
    return _observations(str(folder), stamp_of(folder, "problem.json", "data.npz"))


@st.cache_resource(max_entries=16, show_spinner=False)
def _observations(folder: str, stamp: str) -> Observations | None:
    try:
        return observed.read(Path(folder))
    except InputError:
        return None


@st.cache_data(max_entries=500, show_spinner=False, hash_funcs=by("problem.json"))
def checkpoints(folder: Path) -> list[int]:
    """Epochs of the checkpoints in a bundle, rising; none where it cannot be read."""
    from lsr_core.storage.bundles import read_description

    try:
        return [entry.epoch for entry in read_description(folder).checkpoints]
    except InputError:
        return []


def with_checkpoints(run: Run) -> Path | None:
    """A bundle of the run's problem that has its checkpoints; most runs leave them behind. None if there is none at hand."""
    if checkpoints(run.problem_path):
        return run.problem_path
    for name in lsr_samples.names():
        folder = lsr_samples.folder(name)
        try:
            if checkpoints(folder) and problemabout.named(folder) == problemabout.named(run.problem_path):
                return folder
        except InputError:
            continue
    return None


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=by("problem.json", "data.npz"))
def load(folder: Path) -> Problem:
    """The whole problem, for the forecast. Read only.

    Raises:
        InputError: the bundle is damaged.
    """
    from lsr_core.storage.bundles import load_problem

    return load_problem(folder)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=by("problem.json", "data.npz"))
def largest_rank(folder: Path) -> int:
    """The largest rank a problem allows: min(number of training rows, number of parameters).

    Raises:
        InputError: the bundle is damaged.
    """
    loaded = load(folder)
    n_params = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    return min(n_params, loaded.n_rows)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs=by("problem.json", "data.npz"))
def layer_patterns(folder: Path) -> list[str]:
    """Patterns that choose one layer, or all weights or biases, of the network of a bundle.

    Raises:
        InputError: the bundle is damaged.
    """
    names = [name for name, value in load(folder).model.named_parameters() if value.requires_grad]
    layers = dict.fromkeys(f"{owner}.*" if owner else own for owner, _, own in (name.rpartition(".") for name in names))
    kinds = dict.fromkeys(f"*.{name.rpartition('.')[2]}" for name in names if "." in name)
    return [*layers, *kinds]


def forecast(folder: Path, config: RefineConfig) -> Forecast:
    """Memory, time and disk that a refinement would take.

    Raises:
        InputError: the configuration does not fit the problem.
    """
    return _forecast(str(folder), stamp_of(folder, "problem.json"), config.model_dump_json())


@st.cache_data(max_entries=256, ttl=20, show_spinner=False)
def _forecast(folder: str, stamp: str, config: str) -> Forecast:
    from lsr_core.refinement.forecast import forecast as foresee

    return foresee(load(Path(folder)), RefineConfig.model_validate_json(config))
