"""The runs that come with the product: one of every kind, so that no page is empty on the first day.

    python -m lsr_samples.make_runs [--out DIR] [--only NAME ...]

The first is sine2d refined with the default settings, seed 0, which the dashboard opens on; a test makes it again and compares.
The ids are fixed so that links to them keep working.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from lsr_core.jobs import pace
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.uses import only_used
from lsr_core.storage.bundles import copy_bundle, read_description
from lsr_core.storage.records import JobKind, Manifest, Status
from lsr_core.storage.runs import Run
from lsr_samples import folder, runs_folder

SHIPPED_ID = "5f0c1a7e9b3d4c268a1be0d7f4932c61"
OWNER = "shipped"
CREATED = 1_795_000_000.0  # of the first; the others are older, so that the dashboard opens on it
APART_SECONDS = 600.0


@dataclass(frozen=True)
class Shipped:
    """A run to be made.

    Attributes:
        ends: last four digits of its id; the first run has an id of its own.
        of_step: it belongs to the step of the first run.
    """

    name: str
    problem: str
    ends: str
    title: str
    kind: JobKind = "refine"
    config: RefineConfig = field(default_factory=RefineConfig)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    of_step: bool = False

    @property
    def id(self) -> str:
        return SHIPPED_ID if self.name == "sine2d" else SHIPPED_ID[:-4] + self.ends


RUNS = (
    Shipped("sine2d", "sine2d", "2c61", "sine2d, as shipped"),
    Shipped("race", "sine2d", "0001", "Sine in two dimensions: a race of optimisers", "race", RefineConfig(max_rank=300), {"iterations": 3000}),
    Shipped("plane", "sine2d", "0002", "Sine in two dimensions: the loss plane", "plane", of_step=True),
    Shipped("isolate", "sine2d", "0003", "Sine in two dimensions: an isolation", "isolate", RefineConfig(max_rank=300), {"iterations": 40}),
    Shipped("training", "sine2d", "0004", "Sine in two dimensions: along the training", "training", RefineConfig(max_rank=300)),
    Shipped(  # seconds for three rounds and more on any machine of today
        "iterate", "poisson", "0005", "Poisson: iterative LSR", "iterate", RefineConfig(max_rank=200), {"steps": 4, "seconds": 60.0}
    ),
    Shipped("cases", "antiderivative", "0006", "Antiderivative: 60 unseen functions", "cases", RefineConfig(max_rank=200), {"cases": 60}),
    Shipped("noisy1d", "noisy1d", "0007", "Noisy observations in one dimension"),
    Shipped("digits", "digits", "0008", "Handwritten digits: a classifier", config=RefineConfig(max_rank=400)),
    Shipped("burgers", "burgers", "0009", "Burgers: six Gauss-Newton steps", config=RefineConfig(max_rank=300, gauss_newton=6)),
    Shipped("sequence", "sequence", "000a", "Damping of an oscillator: a transformer", config=RefineConfig(max_rank=300)),
    Shipped("share", "sine2d", "000b", "Sine in two dimensions: 3 % of the weights", config=RefineConfig(parameter_fraction=0.03)),
)  # fmt: skip


def make(out: Path, wanted: Shipped = RUNS[0]) -> Run:
    """Write a run below `out`, in place of an older one; a plane needs the first run there."""
    final = out / wanted.id
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    run = Run(final)
    source = out / SHIPPED_ID
    settings = {**wanted.settings, "run": SHIPPED_ID} if wanted.of_step else dict(wanted.settings)
    config = wanted.config
    if wanted.kind != "refine":
        config = only_used(config, wanted.kind, read_description(folder(wanted.problem)).kind)
    run.write_manifest(
        Manifest(
            id=wanted.id, kind=wanted.kind, title=wanted.title, created=CREATED - APART_SECONDS * RUNS.index(wanted),
            owner=OWNER, problem=wanted.problem, config=config, settings=settings,
        )
    )  # fmt: skip
    run.write_status(Status())
    copy_bundle(folder(wanted.problem), run.problem_path, checkpoints=wanted.kind == "training")
    if wanted.of_step:
        shutil.copy2(source / run.delta_path.name, run.delta_path)
    execute(run, lambda stage, fraction: print(f"{fraction:4.0%} {stage}", file=sys.stderr))
    return Run(final)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=runs_folder())
    parser.add_argument("--only", nargs="*", choices=[entry.name for entry in RUNS], default=None)
    asked = parser.parse_args()
    for entry in RUNS:
        if asked.only is None or entry.name in asked.only:
            made = make(asked.out, entry)
            print(f"{entry.name} {made.path.name}: {made.size():,} bytes, {made.status().elapsed:.1f} s")
    (asked.out / pace.FILE).unlink(missing_ok=True)  # of the machine that made them
