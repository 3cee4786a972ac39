"""What the figures need of one run, read once and checked: a run may come from anybody."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lsr_app.reading import problemabout
from lsr_app.reading.displaygrid import DisplayGrid, find_grid, find_lattice
from lsr_app.reading.problemabout import About
from lsr_app.words import texts
from lsr_app.words.parts import Parts
from lsr_core.errors import InputError
from lsr_core.problems.splits import Quantity
from lsr_core.refinement.results import Fields, LossPaths, Spectrum, Sweep
from lsr_core.refinement.summary import OneShot
from lsr_core.storage.records import Manifest, Summary
from lsr_core.storage.runs import Run


@dataclass(frozen=True, eq=False)
class RunData:
    """A complete run in memory; everything read-only."""

    id: str
    manifest: Manifest
    summary: Summary
    about: About
    sweep: Sweep
    spectrum: Spectrum
    fields: Fields
    paths: LossPaths
    n_rows: int
    _grids: dict[str, DisplayGrid | None] = field(default_factory=dict)

    @property
    def ladder(self) -> list[int]:
        return [int(rank) for rank in self.fields.ranks]

    @property
    def dimension(self) -> int:
        return int(self.fields.inputs.shape[1])

    @property
    def n_outputs(self) -> int:
        return int(self.fields.targets.shape[1])

    @property
    def epsilon(self) -> float:
        return float(np.finfo(np.float32 if self.summary.dtype == "float32" else np.float64).eps)

    @cached_property
    def auto_rank(self) -> int:
        """Rank of the ladder that the validation data choose; the chosen rank where there is no validation."""
        return self._chosen(self.summary)

    @cached_property
    def solve_rank(self) -> int:
        """The same of the one solve from which Gauss-Newton steps start, whose errors the sweep holds."""
        return self._chosen(self.summary.one_shot or self.summary)

    def _chosen(self, result: Summary | OneShot) -> int:
        if result.rank_choice.startswith("auto"):
            return self.snap(result.rank)
        ladder = np.asarray(self.ladder)
        errors = np.where(self.sweep.solved[ladder] & self.has_validation, self.sweep.compared[ladder], np.nan)
        if not np.isfinite(errors).any():
            return self.snap(result.rank)
        return int(ladder[int(np.nanargmin(errors))])

    def snap(self, rank: int) -> int:
        """The nearest rank of the ladder."""
        return min(self.ladder, key=lambda other: (abs(other - rank), other))

    def rung(self, rank: int) -> int:
        """Index of a ladder rank."""
        return self.ladder.index(rank)

    @property
    def variables(self) -> list[str]:
        """Names of the inputs without units, as equations call them."""
        named = [quantity.name for quantity in self.about.inputs]
        return named if len(named) == self.dimension else [f"x{place + 1}" for place in range(self.dimension)]

    def input_name(self, index: int) -> str:
        return _quantity(self.about.inputs, index, f"x{index + 1}" if self.dimension > 1 else "x")

    def output_name(self, index: int) -> str:
        return _quantity(self.about.outputs, index, f"q{index + 1}" if self.n_outputs > 1 else "q")

    def told_name(self, place: int, told: int) -> str:
        """Of an output among those that are told one by one, which may have several columns each."""
        return _quantity(
            self.about.outputs, place, f"q{place + 1}" if told == self.n_outputs else f"channel {place + 1}"
        )

    def truth(self, output: int) -> NDArray[np.float64]:
        """Targets at the display points; NaN where none is known."""
        values = self.fields.targets[:, output]
        return values if self.has_reference else np.full_like(values, np.nan)

    @property
    def truth_name(self) -> str:
        """What the targets at the display points are called: those that a network was fitted to may be measurements."""
        return texts.TARGETS if self.shown_split == "train" else texts.PANELS["truth"]

    def network_error(self, output: int) -> NDArray[np.float64]:
        return self.fields.network[:, output] - self.fields.targets[:, output]

    def refined_error(self, rank: int, output: int) -> NDArray[np.float64]:
        return self.fields.refined_error[self.rung(rank), :, output].astype(np.float64)

    def refined(self, rank: int, output: int) -> NDArray[np.float64]:
        return self.fields.targets[:, output] + self.refined_error(rank, output)

    def stepped(self, rank: int, output: int) -> NDArray[np.float64]:
        """Network at theta0 + Δθ at the coarser points `fields.stepped_points`."""
        return self.fields.stepped[self.rung(rank), :, output].astype(np.float64)

    @property
    def grid(self) -> DisplayGrid | None:
        """The display points as a grid, if they are one."""
        if "all" not in self._grids:
            self._grids["all"] = find_grid(self.fields.inputs)
        return self._grids["all"]

    @property
    def map_grid(self) -> DisplayGrid | None:
        """The same, or the points of an even grid that lie in a domain with holes or corners."""
        if "map" not in self._grids:
            self._grids["map"] = self.grid or find_lattice(self.fields.inputs)
        return self._grids["map"]

    @property
    def stepped_grid(self) -> DisplayGrid | None:
        if "stepped" not in self._grids:
            self._grids["stepped"] = find_grid(self.fields.inputs[self.fields.stepped_points])
        return self._grids["stepped"]

    def reported(self, name: str, rank: int) -> float:
        """An entry of the sweep at a rank. At rank 0 and the chosen rank it is that of the predictor that can be exported."""
        errors = {0: self.summary.base, self.summary.rank: self.summary.refined}.get(rank)
        value = getattr(errors, name, getattr(self.summary, name, None) if rank == self.summary.rank else None)
        return float(getattr(self.sweep, name)[rank]) if value is None else float(value)

    def headline(self, rank: int) -> tuple[str, str, float, float]:
        """What is reported first: its name, the same inside a sentence, and its size at rank 0 and at a rank."""
        if not self.has_reference:
            before, after = (math.sqrt(self.reported("val_mse", at)) for at in (0, rank))
            return texts.FRESH_RESIDUAL, texts.FRESH_RESIDUAL_SENTENCE, before, after
        split, word = self.headline_split
        before, after = (self.reported(f"{split}_relative_l2", at) for at in (0, rank))
        return self.parts.headline.format(word=word), self.parts.sentence.format(word=word.lower()), before, after

    @property
    def mean_square_words(self) -> str:
        """What the mean square of the headline is called."""
        return self.parts.mean_square.format(word=self.headline_split[1]) if self.has_reference else texts.FRESH_LOSS

    @property
    def parts(self) -> Parts:
        """What the errors of this kind of problem are called."""
        parts = self.about.parts
        if self.summary.output_sizes is None:
            return parts
        return replace(
            parts,
            chosen=f"{parts.chosen}, outputs divided by their sizes",
            choosing=f"{parts.choosing} of the outputs divided by their sizes",
        )

    @property
    def shown_split(self) -> str:
        """What the display points are called."""
        return "grid" if self.parts.residual else self.fields.split

    @property
    def errors_words(self) -> str:
        """What the figure of errors against rank is called in the texts."""
        return self.parts.errors if self.has_reference else "errors_unreferenced"

    @cached_property
    def has_reference(self) -> bool:
        """Whether the truth is known at the display points; of an equation without a known solution it is not."""
        return not self.parts.residual or bool(np.isfinite(self.sweep.test_mse[0]))

    @cached_property
    def headline_split(self) -> tuple[str, str]:
        """Split that is reported, and the word for it: test, else validation, else train; fresh points where no truth is known."""
        if not self.has_reference:
            return "val", self.parts.val
        for key in ("test", "val"):
            if np.isfinite(getattr(self.sweep, f"{key}_relative_l2")[0]):
                return key, getattr(self.parts, key)
        return "train", self.parts.train

    @cached_property
    def validation_rise(self) -> float:
        """Validation error at the largest rank over the smallest one; 1 without validation."""
        values = self.sweep.compared[self.sweep.solved & self.has_validation]
        values = values[np.isfinite(values)]
        return float(values[-1] / values.min()) if len(values) and values.min() > 0 else 1.0

    @cached_property
    def has_validation(self) -> bool:
        return bool(np.isfinite(self.sweep.val_mse).any())


def read(run: Run) -> RunData:
    """Read a complete run.

    Raises:
        InputError: a file is missing or damaged, or its arrays do not fit together.
    """
    sweep, spectrum, fields, paths = run.sweep, run.spectrum, run.fields, run.paths
    _check(sweep, fields, paths, run.summary)
    return RunData(
        id=run.id, manifest=run.manifest, summary=run.summary, about=about(run), sweep=sweep, spectrum=spectrum,
        fields=fields, paths=paths, n_rows=run.summary.n_residuals,
    )  # fmt: skip


def about(run: Run) -> About:
    """Names of the run's problem; a run without a readable problem still opens."""
    try:
        return problemabout.about_bundle(run.problem_path)
    except InputError:
        return About(run.manifest.problem, run.manifest.problem)


def _check(sweep: Sweep, fields: Fields, paths: LossPaths, summary: Summary) -> None:
    """What holds between the files; types and shapes inside each were checked when it was read."""
    ranks = fields.ranks
    if not 1 <= len(ranks) <= 512 or np.any(np.diff(ranks) <= 0) or ranks[0] < 0:
        raise InputError("the ladder of ranks must be ascending", file="fields.npz", key="ranks")
    if ranks[-1] > sweep.max_rank or not 0 <= summary.rank <= sweep.max_rank:
        raise InputError("a rank lies beyond the end of the sweep", file="fields.npz", key="ranks")
    if not fields.inputs.size or not fields.targets.size:
        raise InputError("there is no point, input or output", file="fields.npz", key="inputs")
    chosen = fields.stepped_points
    if len(chosen) and not 0 <= int(chosen.min()) <= int(chosen.max()) < len(fields.targets):
        raise InputError("points at an index that does not exist", file="fields.npz", key="stepped_points")
    if fields.split not in ("grid", "test", "validation", "train"):
        raise InputError(f"is {fields.split[:40]!r}, no split", file="fields.npz", key="split")
    if not np.array_equal(paths.ranks, ranks):
        raise InputError("its ranks are not those of fields.npz", file="paths.npz", key="ranks")


def _quantity(quantities: tuple[Quantity, ...], index: int, fallback: str) -> str:
    if index >= len(quantities) or not quantities[index].name:
        return fallback
    unit = quantities[index].unit
    return f"{quantities[index].name} ({unit})" if unit else quantities[index].name
