"""Which refinement and which experiments of the lab belong to what is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lsr_app.reading import runkinds
from lsr_app.services import problems, runs
from lsr_app.shell.controls import Now
from lsr_core.errors import InputError
from lsr_core.refinement.config import DEFAULT_MAX_RANK, RefineConfig
from lsr_core.refinement.uses import Job, only_used
from lsr_core.storage.bundles import read_description
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import Run


@dataclass(frozen=True)
class Bench:
    """What is on the bench.

    Attributes:
        anchor: the run that is open: a complete refinement, or an experiment.
        base: the refinement whose step spans planes and whose directions are shown; None if the problem has no complete one.
        runs: the experiment of each kind that is shown: the open one, else the newest of the same problem (of the same step, for planes).
    """

    anchor: Run
    base: Run | None
    runs: dict[JobKind, Run]

    @property
    def largest(self) -> int:
        """The largest dimension that may be asked for."""
        if self.base is not None:
            return self.base.summary.max_rank
        asked = self.anchor.manifest.config.max_rank
        return DEFAULT_MAX_RANK if asked is None else asked

    @property
    def config(self) -> RefineConfig:
        """Of the refinement that experiments stand beside, on this machine."""
        return (self.base or self.anchor).manifest.config.model_copy(
            update={"rank": "auto", "gauss_newton": 0, "device": "cpu"}
        )

    def config_for(self, job: Job, rank: int) -> RefineConfig:
        """What an experiment of `rank` directions uses of that."""
        config = self.config.model_copy(update={"max_rank": rank})
        return only_used(config, job, read_description(self.anchor.problem_path).kind)

    def opens(self, kind: JobKind) -> bool:
        """Whether a new experiment of this kind takes the place of the open one."""
        return self.anchor.manifest.kind == kind


def find(now: Now) -> Bench:
    """Lay out what belongs to the open run, a complete refinement or an experiment."""
    assert now.run is not None
    anchor = now.run
    base = anchor if runkinds.of(anchor.manifest).refines else _refinement(now, anchor)
    shown: dict[JobKind, Run] = {}
    for kind, about in runkinds.KINDS.items():
        if not about.experiment:
            continue
        if anchor.manifest.kind == kind:
            shown[kind] = anchor
            continue
        for run in _alike(now, anchor, kind):
            if not about.of_step or (base is not None and run.manifest.settings.get("run") == base.id):
                shown[kind] = run
                break
    return Bench(anchor, base, shown)


def _refinement(now: Now, anchor: Run) -> Run | None:
    """The run whose step a plane holds, else the newest complete refinement of the problem."""
    source = anchor.manifest.settings.get("run")
    try:
        if isinstance(source, str):
            run = runs.find(source)[0]
            return run if run.status().status == "complete" else None
    except InputError:
        return None
    return next(_alike(now, anchor, "refine", "complete"), None)


def _alike(now: Now, anchor: Run, kind: JobKind, state: str | None = None) -> Iterator[Run]:
    """Runs of a kind with the problem of another, newest first."""
    for entry in now.entries:
        if entry.manifest.kind != kind or entry.manifest.problem != anchor.manifest.problem:
            continue
        if state is not None and entry.state != state:
            continue
        try:
            run = runs.find(entry.id)[0]
        except InputError:
            continue
        if problems.same_problem(anchor, run):
            yield run
