"""The runs there are, and which of them a browser may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import lsr_samples
from lsr_app import places, trouble
from lsr_app.reading import problemabout, runkinds
from lsr_app.reading.problemabout import Identified
from lsr_app.services.stamps import stamp_of
from lsr_core.errors import InputError
from lsr_core.refinement.summary import Summary
from lsr_core.storage import inside
from lsr_core.storage.records import FINAL_STATES, Manifest
from lsr_core.storage.runs import ID_PATTERN, Run, RunStore
from lsr_core.storage.steps import StepStore

MOST_LINES = 20_000
_LINES: dict[tuple[str, bool], tuple[str, RunEntry | None]] = {}  # what was read of each run, for all browsers


@dataclass(frozen=True)
class RunEntry:
    """A line of the list of runs."""

    id: str
    manifest: Manifest
    state: str
    shipped: bool
    problem: Identified
    rank: int | None = None
    gain: tuple[float, float] | None = None  # error before and after, on the split that is reported
    condition: float | None = None  # κ(G V) at the rank
    seconds: float | None = None

    @property
    def times(self) -> float | None:
        """How many times lower the error is after refinement."""
        base, refined = self.gain or (None, None)
        return base / refined if base and refined else None

    @property
    def refined(self) -> bool:
        """Whether it is a complete refinement."""
        return self.state == "complete" and runkinds.of(self.manifest).refines


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
    if shipped is not None and ID_PATTERN.fullmatch(run_id) and inside.there(shipped.root / run_id / "run.json"):
        return shipped.open(run_id), True
    return store().open(run_id), False


def find_for(owner: str, run_id: str) -> tuple[Run, bool]:
    """As `find`, for this browser; a run of a session only is there for that session alone."""
    run, shipped = find(run_id)
    if run.manifest.session_only and run.manifest.owner != owner:
        raise InputError("no run of this id", key="run")
    return run, shipped


def entries(owner: str, also: str | None = None) -> list[RunEntry]:
    """Runs this browser may see in its list: listed ones, its own, the shipped ones, and the one that is open."""
    found = []
    shipped = shipped_store()
    for root, is_shipped in ((shipped, True), (store(), False)):
        if root is None or not root.root.is_dir():
            continue
        for path in root.root.iterdir():
            if not ID_PATTERN.fullmatch(path.name) or path.is_symlink():
                continue
            entry = _remembered(path, is_shipped)
            if entry and (is_shipped or _may_see(entry, owner, also)):
                found.append(_as_it_stands(entry, path))
    return sorted(found, key=lambda entry: (not entry.shipped, entry.manifest.created), reverse=True)


def default_run(owner: str, known: Sequence[RunEntry] | None = None) -> str | None:
    """What the first page opens on: the shipped run, else the newest complete one; `known` are the entries, if they were read already."""
    complete = [entry for entry in (entries(owner) if known is None else known) if entry.refined]
    shipped = [entry for entry in complete if entry.shipped]
    chosen = shipped or complete
    return chosen[0].id if chosen else None


def _as_it_stands(entry: RunEntry, path: Path) -> RunEntry:
    """A worker that dies changes no file."""
    if entry.state in FINAL_STATES:
        return entry
    try:
        return replace(entry, state=Run(path).status().status)
    except InputError:
        return entry


def _may_see(entry: RunEntry, owner: str, also: str | None) -> bool:
    manifest = entry.manifest
    return manifest.owner == owner or (not manifest.session_only and (manifest.listed or entry.id == also))


def _remembered(path: Path, shipped: bool) -> RunEntry | None:
    """The line of a run, read again once its files have changed. Streamlit's caches take as long to ask as a thousand runs may take."""
    stamp = stamp_of(path, "run.json", "status.json")
    known = _LINES.get((str(path), shipped))
    if known is not None and known[0] == stamp:
        return known[1]
    entry = _entry(path, shipped)
    if len(_LINES) >= MOST_LINES:
        _LINES.clear()
    _LINES[str(path), shipped] = stamp, entry
    return entry


def _entry(path: Path, shipped: bool) -> RunEntry | None:
    run = Run(path)
    try:
        state = run.status().status
        line = RunEntry(run.id, run.manifest, state, shipped, _problem(run))
        if state != "complete":
            return line
        if not runkinds.of(run.manifest).refines:
            return replace(line, gain=_iterated(run))
    except InputError:
        return None
    except Exception as error:
        trouble.note(error)  # one run that nobody foresaw does not hide the others
        return None
    try:
        summary = run.summary
    except InputError:
        return line  # says what is damaged when it is opened
    return replace(
        line, rank=summary.rank, gain=_gain(summary), condition=summary.condition_number, seconds=summary.seconds
    )


def _problem(run: Run) -> Identified:
    try:
        return problemabout.named(run.problem_path)
    except InputError:
        return Identified(run.manifest.problem, run.id)


def _gain(summary: Summary) -> tuple[float, float] | None:
    """The error that is reported: the first of these that a problem has."""
    norms = summary.residual_norm
    for base, refined in (
        (summary.base.test_relative_l2, summary.refined.test_relative_l2),
        (norms.fresh_base, norms.fresh_nonlinear),
        (summary.base.test_mse, summary.refined.test_mse),
        (summary.base.train_mse, summary.refined.train_mse),
    ):
        if base is not None and refined is not None:
            return base, refined
    return None


def _iterated(run: Run) -> tuple[float, float] | None:
    """Errors of an iterative run, or its residuals at fresh points where no solution is known."""
    store = StepStore(run.path)
    summary = store.summary() if runkinds.of(run.manifest).rounds else None
    if summary is None:
        return None
    if summary.base_relative_l2 is not None and summary.best_relative_l2 is not None:
        return summary.base_relative_l2, summary.best_relative_l2
    residuals = {step.index: step.fresh_residual for step in store.steps()}
    start, best = residuals.get(0), residuals.get(summary.best_index)
    return None if start is None or best is None else (start, best)
