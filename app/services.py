"""The only cached functions, and the only place where the dashboard reads runs. Keys are paths and stamps, never arrays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from pydantic import JsonValue

import lsr_samples
from lsr_app import brought, iterationdata, ownproblems, physicsdata, places, rundata, visits
from lsr_app.iterationdata import Iteration
from lsr_app.physicsdata import PhysicsAbout
from lsr_app.rundata import About, RunData
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.errors import InputError
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.problems.problem import Problem
from lsr_core.refinement.case_records import CaseFields, CasesRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, LossPlane
from lsr_core.storage.functions import read_fields
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.planes import read_plane
from lsr_core.storage.records import JobKind, Manifest
from lsr_core.storage.runs import ID_PATTERN, Run, RunStore
from lsr_core.storage.steps import StepStore
from lsr_core.validation import checked

if TYPE_CHECKING:
    from lsr_app.lessonlab import Solution, Training
    from lsr_core.diagnosis.plane import PlaneSettings
    from lsr_core.problems.physics.input_functions import InputArguments
    from lsr_core.refinement.forecast import Forecast

Experiment = TypeVar("Experiment", RaceRecord, IsolationRecord, TrainingRecord, CasesRecord)

RECONCILE_SECONDS = 3.0
_GROWING = (
    *("steps.jsonl", "baselines.jsonl", "iteration.json"),
    *("race.json", "isolation.json", "training.json", "plane.npz", "cases.json"),
)
PROBLEM_VARIABLE = "LSR_PROBLEM"
_GROUPS = {"supervised": "data", "physics": "equations"}
OPERATOR = "deeponet-field"  # the architecture whose networks see an input function
INPUT_POINTS = 201  # that a curve is drawn through


@dataclass(frozen=True)
class Entry:
    """A line of the list of runs."""

    id: str
    manifest: Manifest
    state: str
    shipped: bool
    rank: int | None = None
    gain: tuple[float, float] | None = None  # error before and after, on the split that is reported


@dataclass(frozen=True)
class Sample:
    """A sample problem, how many parameters its network has, and the group of the gallery it belongs to."""

    about: About
    n_params: int
    group: str


def store() -> RunStore:
    return RunStore(places.runs_root())


def shipped_store() -> RunStore | None:
    """The runs that come with the product; nobody owns them."""
    folder = getattr(lsr_samples, "runs_folder", None)
    return RunStore(folder()) if folder is not None else None


def find_for(owner: str, run_id: str) -> tuple[Run, bool]:
    """As `find`, for this browser; a run of a session only is there for that session alone."""
    run, shipped = find(run_id)
    if run.manifest.session_only and run.manifest.owner != owner:
        raise InputError("no run of this id", key="run")
    return run, shipped


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


def function_fields(run: Run, case: int) -> CaseFields | None:
    """What one function of a batch looks like; None where the run kept no fields.

    Raises:
        InputError: the run is damaged.
    """
    return read_fields(run.path, case)


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
            if entry and (is_shipped or _may_see(entry, owner, also)):
                found.append(entry)
    return sorted(found, key=lambda entry: (not entry.shipped, entry.manifest.created), reverse=True)


def _may_see(entry: Entry, owner: str, also: str | None) -> bool:
    manifest = entry.manifest
    return manifest.owner == owner or (not manifest.session_only and (manifest.listed or entry.id == also))


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
def _sample(name: str, folder: str, stamp: str) -> Sample:
    from lsr_core.storage.bundles import parameter_count, read_description

    described = read_description(Path(folder))
    group = "others" if described.network.architecture == OPERATOR else _GROUPS.get(described.kind, "others")
    return Sample(rundata.about_bundle(Path(folder)), parameter_count(described), group)


def samples() -> dict[str, Sample]:
    """Sample problems; one that cannot be read is passed over."""
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
    made_of: Path | None = None,
) -> str:
    """Queue a refinement, or a job of another kind, and return the id of its run.

    Args:
        made_of: the problem that `folder` was made of, where it is another; its privacy counts.

    Raises:
        InputError: the problem or the configuration cannot be used.
    """
    from lsr_core.jobs import queue

    passing = is_passing(made_of or folder)
    run = queue.create(store(), folder, config, owner=owner, title=title, kind=kind, settings=settings)
    _mark(run, listed=listed and not passing, session_only=passing)
    queue.start(run)
    return run.id


def is_passing(folder: Path) -> bool:
    """Whether a problem, on its own or in a run, goes with the browser that brought it."""
    if ownproblems.is_passing(folder):
        return True
    try:
        return folder.name == "problem" and Run(folder.parent).manifest.session_only
    except InputError:
        return False


def _mark(run: Run, *, listed: bool, session_only: bool) -> None:
    if not listed or session_only:
        run.write_manifest(run.manifest.model_copy(update={"listed": listed, "session_only": session_only}))


def input_arguments(folder: Path) -> InputArguments | None:
    """Which input function a bundle's network and equation are given; None for problems without one.

    Raises:
        InputError: the bundle is damaged.
    """
    from lsr_core.problems.physics.input_functions import InputArguments
    from lsr_core.storage.bundles import read_description

    described = read_description(folder)
    if described.physics is None or described.network.architecture != OPERATOR:
        return None
    given = described.physics.arguments.get("input")
    return None if given is None else checked(InputArguments, given)


def input_curve(folder: Path, changes: Mapping[str, object]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places on [0, 1] and the values of the input function of a bundle there, with some of its arguments changed.

    Raises:
        InputError: arguments that cannot be used.
    """
    from lsr_core.problems.physics.input_functions import InputArguments, sensor_values

    before = input_arguments(folder)
    assert before is not None
    values = sensor_values(checked(InputArguments, {**before.model_dump(), **changes}).function(), INPUT_POINTS)
    return np.linspace(0, 1, INPUT_POINTS), values.numpy()


def with_input(folder: Path, changes: Mapping[str, object], out: Path) -> Path:
    """The bundle for another input function, written to a new folder.

    Raises:
        InputError: arguments that cannot be used.
    """
    from lsr_core.problems.physics.input_functions import InputArguments
    from lsr_core.refinement.cases import case_of, input_of
    from lsr_core.storage.bundles import load_problem, save_problem

    loaded, before = input_of(load_problem(folder))
    return save_problem(out, case_of(loaded, checked(InputArguments, {**before.model_dump(), **changes})))


def submit_plane(source: Run, settings: PlaneSettings, owner: str) -> str:
    """Queue a loss plane for the step of a refinement and return the id of its run.

    Raises:
        InputError: the refinement has no step.
    """
    from lsr_core.jobs import planing, queue

    run = planing.create_plane(store(), source, settings, owner=owner)
    _mark(run, listed=not source.manifest.session_only, session_only=source.manifest.session_only)
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


def visit(owner: str) -> None:
    """This browser is here; when its last session ends, what it brought and did not keep goes."""
    _clean()
    _visit(owner)
    brought.sign(owner)


@st.cache_resource(scope="session", on_release=visits.leave, show_spinner=False)
def _visit(owner: str) -> str:
    visits.arrive(owner)
    return owner


@st.cache_resource(max_entries=1, show_spinner=False)
def _clean() -> None:
    """Once in the life of a server."""
    brought.forget_left_over()


def make_ready() -> None:
    """Have a worker process wait for the next job, in a server that keeps one."""
    if places.keeps_a_worker_ready():
        from lsr_core.jobs import standby

        standby.prepare()


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


def keep(run: Run, owner: str) -> None:
    """Let a run stay when its browser is gone; it then opens by its link, for whoever has that."""
    _require_owner(run, owner)
    run.write_manifest(run.manifest.model_copy(update={"session_only": False}))


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
