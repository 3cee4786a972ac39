"""The job "plane": both losses around θ0 for the step of a run, coarse first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from lsr_core.errors import InputError
from lsr_core.refinement.progress import ProgressCallback
from lsr_core.storage.runs import Run, RunStore

if TYPE_CHECKING:
    from lsr_core.diagnosis.plane import PlaneSettings


def create_plane(store: RunStore, source: Run, settings: PlaneSettings, *, owner: str) -> Run:
    """A queued run of the kind "plane" with the problem and the step of a complete refinement.

    Raises:
        InputError: the source has no step.
    """
    from lsr_core.jobs.queue import create
    from lsr_core.refinement.uses import only_used
    from lsr_core.storage import atomic, digests
    from lsr_core.storage.bundles import read_description
    from lsr_core.storage.weights import MAX_BYTES

    if not digests.there(source.delta_path):
        raise InputError("this run has no step; choose a complete refinement", key="RUN")
    manifest = source.manifest
    config = only_used(manifest.config, "plane", read_description(source.problem_path).kind)
    asked: Mapping[str, JsonValue] = {**settings.model_dump(mode="json"), "run": source.id}
    run = create(store, source.problem_path, config, owner=owner, title=manifest.title, kind="plane", settings=asked)
    try:
        atomic.write_bytes(run.delta_path, digests.read(source.delta_path, MAX_BYTES))
    except BaseException:
        store.delete(run)
        raise
    return run


def work(run: Run, report: ProgressCallback) -> None:
    """Compute and write; cancelled, the run keeps the levels that are through."""
    from lsr_core.diagnosis.plane import PlaneSettings, loss_plane
    from lsr_core.jobs.rebuild import delta_of
    from lsr_core.refinement.kinds import prepare
    from lsr_core.storage.bundles import load_problem
    from lsr_core.storage.planes import write_plane
    from lsr_core.validation import checked

    settings = checked(PlaneSettings, {key: value for key, value in run.manifest.settings.items() if key != "run"})
    run.append_log(f"plane: {settings.model_dump_json()}")
    report("preparing", 0.0)
    everything = {
        "layers": None,
        "parameter_fraction": 1.0,
        "max_rank": 0,
        "rank": 0,
    }  # the plane lies among all parameters
    setting = prepare(load_problem(run.problem_path), run.manifest.config.model_copy(update=everything))
    delta = delta_of(run.delta_path, setting.function.n_total).to(setting.function.theta0)
    loss_plane(setting, delta, settings, progress=report, on_level=lambda plane: write_plane(run.path, plane))
