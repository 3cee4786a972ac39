"""Iterative LSR on disk: a line for each half step, its error fields beside it; readable while it is being written.

In the folder of a run: `steps.jsonl`, `baselines.jsonl`, `fields/grid.npz` (axes and truth), `fields/NNNN.npz` (errors after a half step).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from lsr_core.errors import InputError
from lsr_core.iteration.records import BaselinePoint, IterationStep, IterationSummary
from lsr_core.storage import atomic, digests
from lsr_core.storage.arrays import read_arrays
from lsr_core.storage.lines import append, lines, rewrite
from lsr_core.storage.result_arrays import check_numbers

MAX_FIELD_BYTES = 2**30
MAX_SUMMARY_BYTES = 4 * 2**20
SUMMARY = "iteration.json"
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FieldGrid:
    """Where the error fields of the steps are shown.

    Attributes:
        axes: coordinates by variable, equally spaced.
        truth: the reference (n_1, n_2, …).
    """

    axes: dict[str, Floats]
    truth: Floats


@dataclass(frozen=True, eq=False)
class StepFields:
    """Errors (n_1, n_2, …) after a half step, on the grid; without a solve there is no refined one."""

    network: Floats
    refined: Floats | None


class StepStore:
    """The half steps of one run."""

    def __init__(self, run: Path) -> None:
        self.path = run
        self._fields = run / "fields"

    def add(self, step: IterationStep, fields: StepFields | None = None) -> None:
        """Fields first, so that whoever sees the line finds them."""
        if fields is not None:
            self._fields.mkdir(exist_ok=True)
            arrays = {"network": fields.network} | ({} if fields.refined is None else {"refined": fields.refined})
            atomic.write_arrays(self._fields / f"{step.index:04d}.npz", arrays)
        append(self.path / "steps.jsonl", step)

    def add_baseline(self, point: BaselinePoint) -> None:
        append(self.path / "baselines.jsonl", point)

    def write_grid(self, grid: FieldGrid) -> None:
        self._fields.mkdir(exist_ok=True)
        arrays = {f"axis_{name}": axis for name, axis in grid.axes.items()}
        atomic.write_arrays(self._fields / "grid.npz", {**arrays, "truth": grid.truth})

    def cut(self, last: int, baselines: Sequence[str]) -> None:
        """Forget half steps after `last` (-1 = all) and looks at other trainings than these, which a killed process may have left."""
        rewrite(self.path / "steps.jsonl", [step for step in self.steps() if step.index <= last])
        rewrite(self.path / "baselines.jsonl", [point for point in self.baselines() if point.name in baselines])
        (self.path / SUMMARY).unlink(missing_ok=True)

    def write_summary(self, summary: IterationSummary) -> None:
        atomic.write_text(self.path / SUMMARY, summary.model_dump_json(indent=1))

    def steps(self) -> list[IterationStep]:
        """All half steps so far, in order; a line that is still being written is left for the next time."""
        return list(lines(self.path / "steps.jsonl", IterationStep))

    def baselines(self) -> list[BaselinePoint]:
        return list(lines(self.path / "baselines.jsonl", BaselinePoint))

    def grid(self) -> FieldGrid | None:
        """None for problems without a reference on a grid.

        Raises:
            InputError: the file is damaged.
        """
        path = self._fields / "grid.npz"
        if not digests.there(path):
            return None
        arrays = read_arrays(path, required=["truth"], max_bytes=MAX_FIELD_BYTES)
        check_numbers(arrays, path.name)
        axes = {key.removeprefix("axis_"): value for key, value in arrays.items() if key.startswith("axis_")}
        truth = arrays["truth"]
        if truth.shape != tuple(len(axis) for axis in axes.values()):
            raise InputError("axes and truth do not fit together; the run is damaged", file="grid.npz", key="truth")
        return FieldGrid(axes, truth)

    def fields(self, index: int) -> StepFields | None:
        """Errors after a half step, if they were kept.

        Raises:
            InputError: the file is damaged.
        """
        path = self._fields / f"{index:04d}.npz"
        if not digests.there(path):
            return None
        arrays = read_arrays(path, required=["network"], optional=["refined"], max_bytes=MAX_FIELD_BYTES)
        check_numbers(arrays, path.name)
        return StepFields(arrays["network"], arrays.get("refined"))

    def summary(self) -> IterationSummary | None:
        """None while it is running.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / SUMMARY
        if not digests.there(path):
            return None
        try:
            return IterationSummary.model_validate_json(digests.read(path, MAX_SUMMARY_BYTES))
        except ValidationError as error:
            raise InputError("not what this program writes; the run is damaged", file=path.name) from error
