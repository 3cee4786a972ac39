"""A run of the engine whose training error goes on to rounding: where nothing is cut off, ranks that mean nothing fit every sample."""

from __future__ import annotations

from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run, RunStore
from lsr_samples import folder


def noisy(store: RunStore) -> Run:
    """The sample noisy1d at every rank without a cut-off."""
    run = create(store, folder("noisy1d"), RefineConfig(rcond=0.0), owner="cli")
    execute(run, lambda *_: None)
    return run
