"""One pass over a split, against the errors of every rank computed one at a time."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lsr_core.linalg.reduction import Reduction
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.reduction import ErrorBlock, Passes
from lsr_core.refinement.setting import Setting, divided
from lsr_core.refinement.solve import planned
from lsr_core.refinement.subspace import ExplicitSubspace, Subspace
from lsr_core.refinement.sweep import RankErrors, RankSolutions
from tests.core import twins

ROWS, RANK = 17, 6
SIZES = (2.0, 100.0)


class Kept:
    """A pass with what it says on the way."""

    def __init__(
        self, setting: Setting, subspace: Subspace, solutions: RankSolutions, name: str = "validation"
    ) -> None:
        self.setting, self.subspace, self.solutions, self.name = setting, subspace, solutions, name
        self.blocks: list[ErrorBlock] = []
        self.fractions: list[float] = []
        found = Passes(setting, subspace, solutions, self.fractions.append)(name, self.blocks.append)
        assert found is not None
        self.found: RankErrors = found

    @property
    def refined(self) -> Tensor:
        """Errors (n, o, k) of the solved ranks, divided by the sizes, from single solutions."""
        inputs, targets = self.setting.splits[self.name]
        errors = self.setting.function.outputs(inputs) - targets
        modes = self.subspace.modes(inputs)
        moved = [modes[:, :rank] @ self.solutions.at(rank) for rank in self.solutions.ranks]
        return torch.stack([errors + step.view_as(errors) for step in moved], dim=2)


@functools.cache
def ready(outputs: int) -> Setting:
    """Of one output, or two that are divided by their sizes."""
    problem = twins.problem(twins.network(2, 8, outputs), rows=ROWS, n_outputs=outputs)
    setting = planned(problem, RefineConfig(max_rank=RANK, dtype="float64", standardise="no", strategy="row-blocks"))
    if outputs == 1:
        return setting
    sizes = torch.tensor(SIZES, dtype=torch.float64)
    splits = {key: divided(split, sizes) for key, split in setting.splits.items()}
    return replace(setting, function=setting.function.divided(sizes), splits=splits, parts=outputs)


def kept(outputs: int = 2, *, alike: int = 0, name: str = "validation", samples: int = ROWS, **plan: Any) -> Kept:
    """A pass over a split, by so many samples a block where its plan is not given.

    Args:
        alike: directions that repeat others, so that the ranks with them are solved one by one.
    """
    setting = ready(outputs)
    setting = replace(setting, plan=replace(setting.plan, **{"samples": samples, **plan}))
    span = torch.randn(setting.function.n_params, RANK, generator=twins.generator(), dtype=torch.float64)
    span[:, RANK - alike :] = span[:, :alike]
    values = torch.ones(RANK, dtype=torch.float64)
    subspace = ExplicitSubspace(setting.strategy, span, values, scale=values, sketch_error=math.nan)
    rows = torch.cat([subspace.modes(setting.train.inputs), setting.errors()[:, None]], dim=1)
    solver = TriangularSolver(torch.linalg.qr(rows, mode="r").R, rcond=1e-9)
    return Kept(setting, subspace, RankSolutions(solver, (RANK,)), name)


@pytest.mark.parametrize("name", ["train", "validation", "test"])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("samples", [ROWS, 5])
def test_errors_of_all_ranks_are_those_of_single_solutions(name: str, outputs: int, samples: int) -> None:
    one = kept(outputs, name=name, samples=samples)
    assert one.solutions.ranks == list(range(RANK + 1))
    errors = one.refined.numpy()
    physical = errors * (np.array(SIZES)[:, None] if outputs > 1 else 1.0)
    targets = one.setting.splits[name].targets.numpy() * (np.array(SIZES) if outputs > 1 else 1.0)
    np.testing.assert_allclose(one.found.mse, (physical**2).mean(axis=(0, 1)), rtol=1e-9)
    assert one.found.solved is not None
    np.testing.assert_allclose(one.found.solved, (errors**2).mean(axis=(0, 1)), rtol=1e-9)
    assert one.found.mean_square_target == pytest.approx((targets**2).mean(), rel=1e-12)
    if outputs == 1:
        assert one.found.by_output is None
    else:
        assert one.found.by_output is not None
        wanted = np.sqrt((physical**2).sum(axis=0) / (targets**2).sum(axis=0)[:, None])
        np.testing.assert_allclose(one.found.by_output, wanted.T, rtol=1e-9)


def test_there_is_nothing_to_pass_over_where_there_is_no_split() -> None:
    one = kept(1)
    without = replace(one.setting, splits={"train": one.setting.train})
    assert Passes(without, one.subspace, one.solutions, lambda done: None)("validation") is None


def test_ranks_that_are_solved_one_by_one_stand_at_their_places() -> None:
    one = kept(1, alike=3)
    assert np.flatnonzero(np.isfinite(one.found.mse)).tolist() == [0, 1, 2, 3, RANK]
    np.testing.assert_allclose(one.found.mse[one.solutions.ranks], one.refined.square().mean(dim=(0, 1)), rtol=1e-9)


def test_single_samples_are_told_apart_on_the_validation_split_alone() -> None:
    assert kept(name="train").found.gains is None
    one = kept(samples=5)
    wanted = Gains.of(one.solutions.ranks, one.refined.square().mean(dim=1))
    assert one.found.gains is not None
    assert one.found.gains.count == ROWS
    np.testing.assert_allclose(one.found.gains.sums, wanted.sums, rtol=1e-9)
    np.testing.assert_allclose(one.found.gains.squares, wanted.squares, rtol=1e-9)


def test_blocks_are_told_on_the_way_with_the_errors_of_the_outputs_as_they_are() -> None:
    one = kept(samples=5)
    assert [(block.samples.start, block.samples.stop) for block in one.blocks] == [(0, 5), (5, 10), (10, 15), (15, 17)]
    assert one.fractions == [5 / 17, 10 / 17, 15 / 17, 1.0]
    sizes = torch.tensor(SIZES, dtype=torch.float64)
    refined = one.refined * sizes[:, None]
    torch.testing.assert_close(torch.cat([block.errors for block in one.blocks]), refined[..., 0], rtol=1e-9, atol=0)
    torch.testing.assert_close(torch.cat([block.refined for block in one.blocks]), refined, rtol=1e-9, atol=1e-9)


class Second(Reduction):
    """The second of two processes, with nothing to add from the first."""

    rank, size = 1, 2

    def sum(self, values: Tensor) -> Tensor:
        return 3 * values


def test_a_process_passes_over_its_part_and_reports_the_sum() -> None:
    one = kept(1, samples=4)
    other = Kept(replace(one.setting, reduction=Second()), one.subspace, one.solutions)
    assert [block.samples.start for block in other.blocks] == [8, 12, 16]
    assert other.fractions == [4 / 9, 8 / 9, 1.0]
    np.testing.assert_allclose(other.found.mse, 3 * one.refined[8:].square().sum(dim=(0, 1)) / ROWS, rtol=1e-9)
    assert other.found.gains is not None
    assert other.found.gains.count == 3 * 9


@pytest.mark.parametrize(("alike", "columns"), [(0, RANK + 1), (3, RANK)])
def test_a_block_holds_as_many_samples_as_its_modes_and_errors_leave_room_for(alike: int, columns: int) -> None:
    """Modes of as many columns as there are directions, and errors of as many as ranks are solved."""
    bytes_of_a_sample = columns * 2 * 8
    for samples in (1, 3, 5):
        least, most = (
            kept(2, alike=alike, block_bytes=samples * bytes_of_a_sample + more, samples=100).blocks
            for more in (0, bytes_of_a_sample - 1)
        )
        assert {len(block.errors) for block in [*least[:-1], *most[:-1]]} == {samples}
    assert len(kept(2, alike=alike, block_bytes=1).blocks) == ROWS  # one at least
    assert len(kept(2, block_bytes=3 * bytes_of_a_sample, samples=2).blocks) == math.ceil(ROWS / 2)
