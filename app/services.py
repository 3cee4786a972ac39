"""The only cached functions, and the only place where the dashboard reads runs. Keys are paths and stamps, never arrays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st
from pydantic import JsonValue

import lsr_samples
from lsr_app import iterationdata, ownproblems, physicsdata, places, rundata
from lsr_app.iterationdata import Iteration
from lsr_app.physicsdata import PhysicsAbout
from lsr_app.rundata import About, RunData
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.errors import InputError
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.problems.problem import Problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, LossPlane
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.planes import read_plane
from lsr_core.storage.records import JobKind, Manifest
from lsr_core.storage.runs import ID_PATTERN, Run, RunStore
from lsr_core.storage.steps import StepStore

if TYPE_CHECKING:
    from lsr_app.lessonlab import Solution, Training
    from lsr_core.diagnosis.plane import PlaneSettings
    from lsr_core.refinement.forecast import Forecast

Experiment = TypeVar("Experiment", RaceRecord, IsolationRecord, TrainingRecord)

RECONCILE_SECONDS = 3.0
_GROWING = (
    *("steps.jsonl", "baselines.jsonl", "iteration.json"),
    *("race.json", "isolation.json", "training.json", "plane.npz"),
)
PROBLEM_VARIABLE = "LSR_PROBLEM"


@dataclass(frozen=True)
class Entry:
    """A line of the list of runs."""

    id: str
    manifest: Manifest
    state: str
    shipped: bool
    rank: int | None = None
    gain: tuple[float, float] | None = None  # error before and after, on the split that is reported


def store() -> RunStore:
    return RunStore(places.runs_root())


def shipped_store() -> RunStore | None:
    """The runs that come with the product; nobody owns them."""
    folder = getattr(lsr_samples, "runs_folder", None)
    return RunStore(folder()) if folder is not None else None


def find(run_id: str) -> tuple[Run, bool]:
    """The run with this id, and whether it came with the product.

    Raises:
        InputError: no such run.
    """
    shipped = shipped_store()
    if shipped is not None and ID_PATTERN.fullmatch(run_id) and (shipped.root / run_id / "run.json").is_file():
        return shipped.open(run_id), True
    return store().open(run_id), False


def load(run: Run) -> RunData:
    """A complete run, from memory if it was read before.

    Raises:
        InputError: the run is damaged.
    """
    return _load(str(run.path), _stamp(run.path, "summary.json", "fields.npz", "run.json"))


@st.cache_resource(max_entries=6, show_spinner=False)
def _load(path: str, stamp: str) -> RunData:
    return rundata.read(Run(Path(path)))


def iteration(run: Run) -> Iteration | None:
    """The half steps of a run as far as they have come, from memory if none was added; None before the first.

    Raises:
        InputError: the run is damaged.
    """
    return _iteration(str(run.path), growth_stamp(run))


def growth_stamp(run: Run) -> str:
    """Changes when a run that can be looked at while it is at work has more to show."""
    return _stamp(run.path, *_GROWING)


def has_grown(run: Run) -> bool:
    """Whether there is anything of a result yet."""
    return any((run.path / name).is_file() for name in _GROWING)


def owned(run: Run, owner: str) -> bool:
    """Whether this browser started the run."""
    shipped = shipped_store()
    return run.manifest.owner == owner and (shipped is None or run.path.parent != shipped.root)


@st.cache_resource(max_entries=4, show_spinner=False)
def _iteration(path: str, stamp: str) -> Iteration | None:
    folder = Path(path)
    found = iterationdata.read(StepStore(folder))
    if found is None or found.transform:
        return found
    about = physics(folder / "problem")
    return iterationdata.with_transform(found, about.periods if about else {})


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
    return _directions(str(run.path), _stamp(run.path, "directions.npz"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _directions(path: str, stamp: str) -> Directions | None:
    return Run(Path(path)).directions


def two_steps(run: Run, data: RunData, rank: int) -> Iteration | None:
    """An ordinary run as two half steps; None where its display points are no regular grid."""
    return _two_steps(str(run.path), _stamp(run.path, "summary.json", "fields.npz"), rank, data)


@st.cache_resource(max_entries=32, show_spinner=False)
def _two_steps(path: str, stamp: str, rank: int, _data: RunData) -> Iteration | None:
    about = physics(Path(path) / "problem")
    return iterationdata.of_refinement(_data, rank, about.periods if about else {})


def physics(folder: Path) -> PhysicsAbout | None:
    """The equation of a bundle; None for problems without one, and for one that cannot be read."""
    return _physics(str(folder), _stamp(folder, "problem.json"))


@st.cache_resource(max_entries=32, show_spinner=False)
def _physics(folder: str, stamp: str) -> PhysicsAbout | None:
    try:
        return physicsdata.read(Path(folder))
    except InputError:
        return None


def entries(owner: str, also: str | None = None) -> list[Entry]:
    """Runs this browser may see in its list: listed ones, its own, the shipped ones, and the one that is open."""
    found = []
    shipped = shipped_store()
    for root, is_shipped in ((shipped, True), (store(), False)):
        if root is None or not root.root.is_dir():
            continue
        for path in root.root.iterdir():
            if not ID_PATTERN.fullmatch(path.name) or path.is_symlink():
                continue
            entry = _entry(str(path), _stamp(path, "run.json", "status.json"), is_shipped)
            if entry and (is_shipped or entry.manifest.listed or entry.manifest.owner == owner or entry.id == also):
                found.append(entry)
    return sorted(found, key=lambda entry: (not entry.shipped, entry.manifest.created), reverse=True)


@st.cache_resource(max_entries=2000, show_spinner=False)
def _entry(path: str, stamp: str, shipped: bool) -> Entry | None:
    run = Run(Path(path))
    try:
        state = run.status().status
        if state != "complete":
            return Entry(run.id, run.manifest, state, shipped)
        if run.manifest.kind != "refine":
            return Entry(run.id, run.manifest, state, shipped, gain=_iterated(run))
        summary = run.summary
    except InputError:
        return None
    for base, refined in (
        (summary.base.test_relative_l2, summary.refined.test_relative_l2),
        (summary.base.test_mse, summary.refined.test_mse),
        (summary.base.train_mse, summary.refined.train_mse),
    ):
        if base is not None and refined is not None:
            return Entry(run.id, run.manifest, state, shipped, summary.rank, (base, refined))
    return Entry(run.id, run.manifest, state, shipped, summary.rank)


def _iterated(run: Run) -> tuple[float, float] | None:
    summary = StepStore(run.path).summary() if run.manifest.kind == "iterate" else None
    if summary is None or summary.base_relative_l2 is None or summary.best_relative_l2 is None:
        return None
    return summary.base_relative_l2, summary.best_relative_l2


def same_problem(one: Run, other: Run) -> bool:
    """Whether two runs are of the same weights and data, whether or not checkpoints lie beside these."""
    try:
        return identity(one.problem_path) == identity(other.problem_path)
    except InputError:
        return False


def identity(folder: Path) -> str:
    """What tells a problem from others: its description, which holds the digests of weights and data.

    Raises:
        InputError: the bundle is damaged.
    """
    return _identity(str(folder), _stamp(folder, "problem.json"))


@st.cache_data(max_entries=500, show_spinner=False)
def _identity(folder: str, stamp: str) -> str:
    from lsr_core.storage.bundles import read_description

    return read_description(Path(folder)).without_checkpoints().model_dump_json()


def checkpoints(folder: Path) -> list[int]:
    """Epochs of the checkpoints in a bundle, rising; none where it cannot be read."""
    return _checkpoints(str(folder), _stamp(folder, "problem.json"))


@st.cache_data(max_entries=500, show_spinner=False)
def _checkpoints(folder: str, stamp: str) -> list[int]:
    from lsr_core.storage.bundles import read_description

    try:
        return [entry.epoch for entry in read_description(Path(folder)).checkpoints]
    except InputError:
        return []


def with_checkpoints(run: Run) -> Path | None:
    """A bundle of the run's problem that has its checkpoints; most runs leave them behind. None if there is none at hand."""
    if checkpoints(run.problem_path):
        return run.problem_path
    for name in lsr_samples.names():
        folder = lsr_samples.folder(name)
        try:
            if checkpoints(folder) and identity(folder) == identity(run.problem_path):
                return folder
        except InputError:
            continue
    return None


def default_run(owner: str) -> str | None:
    """What the first page opens on: the shipped run, else the newest complete one."""
    complete = [entry for entry in entries(owner) if entry.state == "complete" and entry.manifest.kind == "refine"]
    shipped = [entry for entry in complete if entry.shipped]
    chosen = shipped or complete
    return chosen[0].id if chosen else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _sample(name: str, folder: str, stamp: str) -> tuple[About, int]:
    from lsr_core.networks import architectures
    from lsr_core.storage.bundles import read_description

    described = read_description(Path(folder))
    count = architectures.validate(described.network.architecture, described.network.arguments).parameter_count()
    return rundata.about_bundle(Path(folder)), count


def samples() -> dict[str, tuple[About, int]]:
    """Sample problems with the number of their parameters; one that cannot be read is passed over."""
    found = {}
    for name in lsr_samples.names():
        folder = lsr_samples.folder(name)
        try:
            found[name] = _sample(name, str(folder), _stamp(folder, "problem.json"))
        except InputError:
            continue
    return found


def given_problem() -> Path | None:
    """Folder of the bundle that `lsr dashboard PROBLEM` was started with."""
    named = os.environ.get(PROBLEM_VARIABLE)
    return Path(named) if named and (Path(named) / "problem.json").is_file() else None


def problem_title(folder: Path) -> str:
    """Title of a bundle, or the name of its folder if it cannot be read."""
    try:
        return rundata.about_bundle(folder).title
    except InputError:
        return folder.name


@st.cache_resource(max_entries=4, show_spinner=False)
def _problem(folder: str, stamp: str) -> Problem:
    from lsr_core.storage.bundles import load_problem

    return load_problem(Path(folder))


def problem(folder: Path) -> Problem:
    """The whole problem, for the forecast. Read only.

    Raises:
        InputError: the bundle is damaged.
    """
    return _problem(str(folder), _stamp(folder, "problem.json", "data.npz"))


def largest_rank(folder: Path) -> int:
    """The largest rank a problem allows: min(number of training rows, number of parameters).

    Raises:
        InputError: the bundle is damaged.
    """
    return _largest_rank(str(folder), _stamp(folder, "problem.json", "data.npz"))


@st.cache_data(max_entries=64, show_spinner=False)
def _largest_rank(folder: str, stamp: str) -> int:
    loaded = problem(Path(folder))
    n_params = sum(parameter.numel() for parameter in loaded.model.parameters() if parameter.requires_grad)
    return min(n_params, loaded.n_rows)


def layer_patterns(folder: Path) -> list[str]:
    """Patterns that choose one layer, or all weights or biases, of the network of a bundle.

    Raises:
        InputError: the bundle is damaged.
    """
    return _layer_patterns(str(folder), _stamp(folder, "problem.json", "data.npz"))


@st.cache_data(max_entries=64, show_spinner=False)
def _layer_patterns(folder: str, stamp: str) -> list[str]:
    names = [name for name, value in problem(Path(folder)).model.named_parameters() if value.requires_grad]
    layers = dict.fromkeys(f"{owner}.*" if owner else own for owner, _, own in (name.rpartition(".") for name in names))
    kinds = dict.fromkeys(f"*.{name.rpartition('.')[2]}" for name in names if "." in name)
    return [*layers, *kinds]


def forecast(folder: Path, config: RefineConfig) -> Forecast:
    """Memory, time and disk that a refinement would take.

    Raises:
        InputError: the configuration does not fit the problem.
    """
    return _forecast(str(folder), _stamp(folder, "problem.json"), config.model_dump_json())


@st.cache_data(max_entries=256, ttl=20, show_spinner=False)
def _forecast(folder: str, stamp: str, config: str) -> Forecast:
    from lsr_core.refinement.forecast import forecast as foresee

    return foresee(problem(Path(folder)), RefineConfig.model_validate_json(config))


def submit(
    folder: Path,
    config: RefineConfig,
    owner: str,
    title: str,
    listed: bool = True,
    kind: JobKind = "refine",
    settings: Mapping[str, JsonValue] | None = None,
) -> str:
    """Queue a refinement, or a job of another kind, and return the id of its run.

    Raises:
        InputError: the problem or the configuration cannot be used.
    """
    from lsr_core.jobs import queue

    private = expires(folder)
    run = queue.submit(
        store(), folder, config, owner=owner, title=title, kind=kind, settings=settings,
        listed=listed and not private, expires=private,
    )  # fmt: skip
    return run.id


def expires(folder: Path) -> bool:
    """Whether a bundle was brought by a browser, or belongs to a run of such a one that is not kept."""
    if ownproblems.holds(folder):
        return True
    try:
        return folder.parent.parent == places.runs_root() and Run(folder.parent).manifest.expires
    except InputError:
        return False


def submit_plane(source: Run, settings: PlaneSettings, owner: str) -> str:
    """Queue a loss plane for the step of a refinement and return the id of its run.

    Raises:
        InputError: the refinement has no step.
    """
    from lsr_core.jobs import planing, queue

    run = planing.create_plane(store(), source, settings, owner=owner)
    queue.start(run)
    return run.id


@st.cache_resource(max_entries=1, show_spinner=False)
def _lesson_training() -> Training:
    from lsr_app import lessonlab

    return lessonlab.train()


@st.cache_resource(max_entries=1, show_spinner=False)
def _lesson_solution() -> Solution:
    from lsr_app import lessonlab

    return lessonlab.solve(_lesson_training().problem)


@st.cache_resource(max_entries=8, show_spinner=False)
def lesson(step: int) -> Any:
    """What the experiment of a step of the lesson has found, 1 to 6; what it builds on is made first, and each but once."""
    from lsr_app import lessonlab

    experiments: tuple[Callable[[], object], ...] = (
        _lesson_training,
        _lesson_solution,
        lambda: lessonlab.put_into_weights(_lesson_solution()),
        lambda: lessonlab.slow_directions(_lesson_solution()),
        lambda: lessonlab.other_coordinates(_lesson_training().problem),
        lessonlab.noisy,
    )
    return experiments[step - 1]()


def cancel(run: Run, owner: str) -> None:
    _require_owner(run, owner)
    from lsr_core.jobs import queue

    queue.cancel(run)


def rename(run: Run, owner: str, title: str) -> None:
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"title": title.strip()[:200] or run.manifest.problem}))


def set_listed(run: Run, owner: str, listed: bool) -> None:
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"listed": listed}))


def set_kept(run: Run, owner: str, kept: bool) -> None:
    """Keep a run of an upload after the session, or give it up again; kept or not, it is found by its link only."""
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"expires": not kept}))


def delete(run: Run, owner: str) -> None:
    """Remove a run that is not at work."""
    _require_owner(run, owner)
    if run.status().status in ("queued", "running"):
        raise InputError("cancel the run before deleting it", key="run")
    store().delete(run)


def reconcile() -> None:
    """Let the queue notice workers that died, at most every few seconds for the whole server."""
    _reconcile(int(time.time() / RECONCILE_SECONDS))


@st.cache_resource(max_entries=1, show_spinner=False)
def _reconcile(period: int) -> None:
    from lsr_core.jobs import queue

    queue.reconcile(store())


def _require_owner(run: Run, owner: str) -> None:
    if run.manifest.owner != owner:
        raise InputError("only the browser that started a run may change it", key="run")


def _stamp(folder: Path, *names: str) -> str:
    """Changes when one of the files is replaced."""
    parts = []
    for name in names:
        try:
            found = (folder / name).stat()
            parts.append(f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}")
        except OSError:
            parts.append("-")
    return "|".join(parts)
