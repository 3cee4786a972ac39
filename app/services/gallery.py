"""The problems that the form offers to everybody: the samples, and the one that the server was started with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import lsr_samples
from lsr_app.reading import problemabout
from lsr_app.reading.problemabout import About
from lsr_app.services.operators import OPERATOR
from lsr_app.services.stamps import stamp_of
from lsr_app.words import parts
from lsr_core.errors import InputError

PROBLEM_VARIABLE = "LSR_PROBLEM"


@dataclass(frozen=True)
class Sample:
    """A sample problem, how many parameters its network has, and the group of the gallery it belongs to."""

    about: About
    n_params: int
    group: str


def samples() -> dict[str, Sample]:
    """Sample problems; one that cannot be read is passed over."""
    found = {}
    for name in lsr_samples.names():
        folder = lsr_samples.folder(name)
        try:
            found[name] = _sample(name, str(folder), stamp_of(folder, "problem.json"))
        except InputError:
            continue
    return found


@st.cache_resource(max_entries=32, show_spinner=False)
def _sample(name: str, folder: str, stamp: str) -> Sample:
    from lsr_core.storage.bundles import parameter_count, read_description

    described = read_description(Path(folder))
    group = "others" if described.network.architecture == OPERATOR else parts.of(described.kind).group
    return Sample(problemabout.about_bundle(Path(folder)), parameter_count(described), group)


def given_problem() -> Path | None:
    """Folder of the bundle that `lsr dashboard PROBLEM` was started with."""
    named = os.environ.get(PROBLEM_VARIABLE)
    return Path(named) if named and (Path(named) / "problem.json").is_file() else None
