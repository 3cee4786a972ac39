"""The figures of the site: runs that come with the package, published as pages with a rank slider."""

from __future__ import annotations

from pathlib import Path

import lsr_samples
from lsr_app.making import site
from lsr_app.reading import runkinds
from lsr_core.storage.runs import RunStore


def publish(out: Path) -> None:
    """Write every shipped refinement below `out`; pages embed them by run id."""
    runs = [run for run in RunStore(lsr_samples.runs_folder()).list() if not runkinds.of(run.manifest).experiment]
    site.publish([run for run in runs if (run.path / "sweep.npz").exists()], out)
