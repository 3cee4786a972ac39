"""The run that the dashboard opens on: sine2d refined with the default settings, seed 0.

    python -m lsr_samples.make_runs [--out DIR]

A test makes it again and compares. The id is fixed so that links to it keep working.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import copy_bundle
from lsr_core.storage.records import Manifest, Status
from lsr_core.storage.runs import Run
from lsr_samples import folder, runs_folder

SHIPPED_ID = "5f0c1a7e9b3d4c268a1be0d7f4932c61"
OWNER = "shipped"
CREATED = 1_795_000_000.0


def make(out: Path) -> Run:
    """Write the run below `out`, in place of an older one."""
    final = out / SHIPPED_ID
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    run = Run(final)
    run.write_manifest(
        Manifest(
            id=SHIPPED_ID,
            title="sine2d, as shipped",
            created=CREATED,
            owner=OWNER,
            problem="sine2d",
            config=RefineConfig(),
        )
    )
    run.write_status(Status())
    copy_bundle(folder("sine2d"), run.problem_path)
    execute(run, lambda stage, fraction: print(f"{fraction:4.0%} {stage}", file=sys.stderr))
    return Run(final)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=runs_folder())
    made = make(parser.parse_args().out)
    print(f"{made.path.name}: {made.size():,} bytes, test error {made.summary.refined.test_mse}")
