"""What the frequency page needs: half steps with their spectra, read as they come from a run at work, or made of a single refinement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lsr_app.reading.rundata import RunData
from lsr_app.words import formats
from lsr_core.diagnosis.frequencies import Axis, ErrorSpectrum, axes_for, error_spectrum, zero_ends
from lsr_core.errors import InputError
from lsr_core.iteration.records import (
    BandPair,
    Bands,
    BaselinePoint,
    IterationStep,
    IterationSummary,
    Pair,
    SpectrumPair,
)
from lsr_core.iteration.sentence import sentence
from lsr_core.problems.grids import Grid, regular_grid
from lsr_core.storage.steps import FieldGrid, StepFields, StepStore

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HalfSteps:
    """Half steps in memory; everything read-only.

    Attributes:
        steps: as far as they have come; never empty.
        baselines: looks at the trainings beside it, by name.
        summary: once it has ended.
        grid: where error fields are shown, if there is a reference on a grid.
        transform: how spectra were made, in words; empty without a grid.
        sentence: what solves and alignments removed, by band.
        kept: error fields by step that are in memory; all others are read from the run.
        store: the run on disk; None for a single refinement.
        single: two steps of one refinement and not a run of many.
    """

    steps: tuple[IterationStep, ...]
    baselines: Mapping[str, tuple[BaselinePoint, ...]] = field(default_factory=dict)
    summary: IterationSummary | None = None
    grid: FieldGrid | None = None
    transform: str = ""
    sentence: str = ""
    kept: Mapping[int, StepFields] = field(default_factory=dict)
    store: StepStore | None = None
    single: bool = False

    @property
    def last(self) -> IterationStep:
        return self.steps[-1]

    @cached_property
    def best(self) -> IterationStep | None:
        """The half step whose refined field is the result: smallest residual at the fresh points, as the engine chooses it."""
        solved = [step for step in self.steps if step.kind == "lsr"]
        if self.summary is not None:
            return next((step for step in solved if step.index == self.summary.best_index), None)
        return min(solved, key=lambda step: step.fresh_residual, default=None)

    @cached_property
    def has_spectra(self) -> bool:
        return any(step.spectrum.network for step in self.steps)

    def at(self, index: int) -> IterationStep:
        """The step of that index; the last one where there is none."""
        return next((step for step in self.steps if step.index == index), self.last)

    def fields(self, index: int) -> StepFields | None:
        """Error fields after a step, if they were kept.

        Raises:
            InputError: the file is damaged, or does not fit the grid.
        """
        found = self.kept.get(index) or (self.store.fields(index) if self.store else None)
        if found is None or self.grid is None:
            return None
        for name, values in (("network", found.network), ("refined", found.refined)):
            if values is not None and values.shape != self.grid.truth.shape:
                raise InputError(
                    f"shape {values.shape} does not fit the grid {self.grid.truth.shape}; the run is damaged",
                    file=f"{index:04d}.npz",
                    key=name,
                )
        return found

    @cached_property
    def typical_errors(self) -> list[float]:
        """Root mean square errors of all steps, network and refined: what colours shared by all steps have to reach."""
        if self.grid is None:
            return []
        size = float(np.sqrt(np.mean(self.grid.truth**2)))
        pairs = [value for step in self.steps for value in (step.relative_l2.network, step.relative_l2.refined)]
        return [size * value for value in pairs if value]


def read(store: StepStore) -> HalfSteps | None:
    """The half steps of a run so far; None before the first.

    Raises:
        InputError: a file is damaged.
    """
    steps = tuple(store.steps())
    if not steps:
        return None
    baselines: dict[str, list[BaselinePoint]] = {}
    for point in store.baselines():
        baselines.setdefault(point.name, []).append(point)
    summary = store.summary()
    return HalfSteps(
        steps=steps,
        baselines={name: tuple(points) for name, points in baselines.items()},
        summary=summary,
        grid=store.grid(),
        transform=formats.numbers(summary.transform) if summary else "",
        sentence=formats.numbers(summary.sentence if summary else sentence(steps)),
        store=store,
    )


def grid_of(run: RunData) -> Grid | None:
    """The grid of one or two inputs at which a run stores its errors; None where they lie otherwise."""
    return regular_grid(run.fields.inputs) if run.dimension <= 2 else None


def of_refinement(run: RunData, rank: int, periods: Mapping[str, float]) -> HalfSteps | None:
    """Network and refined predictor of an ordinary run as two half steps; None where the display points are no regular grid.

    Args:
        rank: of the ladder.
        periods: of the solution, by variable.
    """
    names = [run.input_name(place) for place in range(run.dimension)]
    grid = grid_of(run)
    if grid is None:
        return None
    truth, network, refined = (
        grid(values) for values in (run.fields.targets[:, 0], run.network_error(0), run.refined_error(rank, 0))
    )
    how = _transforms(dict(zip(run.variables, grid.axes, strict=True)), periods, network)
    before, after = error_spectrum(network, how), error_spectrum(refined, how)
    size = float(np.sqrt(np.mean(truth**2)))
    norms = run.summary.residual_norm
    start = IterationStep(
        index=0,
        round=0,
        kind="start",
        seconds=0.0,
        residual=_known(norms.base),
        fresh_residual=_known(norms.fresh_base, norms.base),
        relative_l2=Pair(network=_relative(network, size)),
        bands=BandPair(network=_bands(before)),
        spectrum=SpectrumPair(network=before.energies.tolist()),
    )
    solved = start.model_copy(
        update={
            "index": 1,
            "round": 1,
            "kind": "lsr",
            "seconds": run.summary.seconds,
            "residual": _known(norms.linear),
            "fresh_residual": _known(norms.fresh_nonlinear, norms.linear),
            "relative_l2": Pair(network=_relative(network, size), refined=_relative(refined, size)),
            "bands": BandPair(network=_bands(before), refined=_bands(after)),
            "spectrum": SpectrumPair(network=before.energies.tolist(), refined=after.energies.tolist()),
        }
    )
    fields = StepFields(network, refined)
    return HalfSteps(
        steps=(start, solved),
        grid=FieldGrid(dict(zip(names, grid.axes, strict=True)), truth),
        transform=_words(how),
        kept={0: replace(fields, refined=None), 1: fields},
        single=True,
    )


def with_transform(iteration: HalfSteps, periods: Mapping[str, float]) -> HalfSteps:
    """A run at work with the words on its spectra, which the engine writes at the end only.

    Raises:
        InputError: the first error field is damaged.
    """
    fields = iteration.fields(iteration.steps[0].index)
    if fields is None or iteration.grid is None:
        return iteration
    words = _words(_transforms(iteration.grid.axes, periods, fields.network))
    return replace(iteration, transform=words)


def _transforms(axes: Mapping[str, Floats], periods: Mapping[str, float], error: Floats) -> list[Axis]:
    domain = {name: (float(axis[0]), float(axis[-1])) for name, axis in axes.items()}
    return axes_for(domain, periods, zero_ends(error, list(axes)))


def _words(how: list[Axis]) -> str:
    return formats.numbers("; ".join(axis.sentence for axis in how))


def _bands(spectrum: ErrorSpectrum) -> Bands:
    return Bands.model_validate(spectrum.bands)


def _relative(error: Floats, size: float) -> float | None:
    return float(np.sqrt(np.mean(error**2))) / size if size > 0 else None


def _known(*values: float | None) -> float:
    """The first that is known; 0 is."""
    return next((value for value in values if value is not None), 0.0)
