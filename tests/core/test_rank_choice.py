"""A refinement is chosen where the samples that were held out show its gain, and the network as it is where they do not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement import plan, ranks
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.left_out import left_out
from lsr_core.refinement.ranks import FEW, SMALLEST, _shown
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.core import twins


def noisy(seed: int, rows: int = 60, held: int = 12, noise: float = 0.5, steps: int = 150) -> SupervisedProblem:
    """A network of 1-16-16-1 that took some steps towards noisy samples; test samples without noise."""
    draw = twins.generator(seed)
    inputs = 2 * torch.rand(rows + held, 1, generator=draw, dtype=torch.float64) - 1
    targets = torch.sin(3 * inputs) + noise * torch.randn(rows + held, 1, generator=draw, dtype=torch.float64)
    model = twins.network(1, 16, 16, 1, seed=seed)
    train, validation = Split(inputs[held:], targets[held:]), Split(inputs[:held], targets[:held])
    trained(model, train, steps)
    clean = torch.linspace(-1, 1, 300, dtype=torch.float64)[:, None]
    return SupervisedProblem("noisy", model, train, validation, Split(clean, torch.sin(3 * clean)))


def trained(model: nn.Module, split: Split, steps: int) -> None:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        (model(split.inputs) - split.targets).square().mean().backward()
        optimiser.step()


def losses(found: Refinement, name: str) -> Tensor:
    """Mean squares of single samples (n, R + 1), one rank after another."""
    inputs, targets = found.setting.splits[name]
    network = found.setting.function.outputs(inputs)
    columns = []
    for rank in range(found.sweep.max_rank + 1):
        moved = found.subspace.modes(inputs)[:, :rank] @ found.solutions.at(rank)
        columns.append((network + moved.view_as(network) - targets).square().mean(dim=1))
    return torch.stack(columns, dim=1)


def passed_over(problem: Problem, **settings: Any) -> Gains:
    """Gains of the validation samples, as the pass over them gathers them."""
    kept: list[Gains] = []

    def noted(best: int, clear: bool, held: Gains, left_out: object) -> tuple[int, str]:
        kept.append(held)
        return 0, "not asked"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_shown", noted)
        refine(problem, **settings)
    return kept[0]


class TestGains:
    def test_are_paired_differences(self) -> None:
        values = torch.rand(30, 4, generator=twins.generator(), dtype=torch.float64)
        gains = Gains.of([0, 2, 5, 9], values)
        differences = (values[:, 0] - values[:, 2]).numpy()
        standard_error = differences.std(ddof=1) / math.sqrt(30)
        assert gains.errors(5) == pytest.approx(differences.mean() / standard_error, rel=1e-10)
        assert gains.best == [0, 2, 5, 9][int(values.sum(0).argmin())]
        assert gains.errors(0) == 0

    def test_add_up_over_blocks_and_at_ranks_that_both_have(self) -> None:
        values = torch.rand(30, 4, generator=twins.generator(), dtype=torch.float64)
        whole, parts = Gains.of([0, 2, 5, 9], values), Gains.of([0, 2, 5, 9], values[:11])
        rest = Gains.of([0, 5, 9, 20], torch.cat([values[11:, [0, 2, 3]], torch.ones(19, 1).double()], dim=1))
        both = parts + rest
        assert both.ranks.tolist() == [0, 5, 9]
        assert both.count == 30
        for rank in (5, 9):
            assert both.errors(rank) == pytest.approx(whole.errors(rank), rel=1e-10)

    @pytest.mark.parametrize("count", [5, 20, 300])
    def test_a_gain_by_chance_is_shown_as_often_as_stated(self, count: int) -> None:
        draw = twins.generator(3)
        shown = 0
        for _ in range(1000):
            values = 5 + torch.randn(count, 2, generator=draw, dtype=torch.float64)
            shown += Gains.of([0, 1], values).shows(1, 0.05)
        assert 25 <= shown <= 80

    def test_extremes(self) -> None:
        ones = torch.ones(6, 3, dtype=torch.float64)
        same = Gains.of([0, 1, 2], ones * torch.tensor([1.0, 0.5, torch.inf]))
        assert same.shows(1, 0.001)  # every sample gains the same
        assert not same.shows(2, 0.5)  # is infinite
        assert same.best == 1
        assert not Gains.of([0, 1], ones[:1, :2] * torch.tensor([1.0, 0.0])).shows(1, 0.5)  # one sample shows nothing


class TestThePass:
    @pytest.mark.parametrize("block", [None, 2**12])
    def test_over_validation_rows_gathers_them(self, block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
        problem = twins.problem(twins.network(2, 8, 8, 3), n_outputs=3)
        if block is not None:
            monkeypatch.setattr(plan, "MAX_BLOCK", block)
        found = passed_over(problem, max_rank=12)
        monkeypatch.undo()
        whole = Gains.of(list(range(13)), losses(refine(problem, max_rank=12), "validation"))
        assert found.count == 40
        np.testing.assert_allclose(found.sums, whole.sums, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.squares, whole.squares, rtol=1e-9, atol=1e-12)

    def test_classes_are_told_apart_by_their_probabilities(self) -> None:
        splits = []
        for seed in (1, 2, 3):
            inputs = twins.data(50, seed=seed).inputs
            splits.append(Split(inputs, one_hot((3 * (inputs[:, 0] + 1) / 2).long().clamp(max=2), 3)))
        problem = ClassificationProblem("bands", twins.network(2, 9, 3), *splits)
        found = passed_over(problem, max_rank=8)
        sweep = refine(problem, max_rank=8).sweep
        np.testing.assert_allclose(found.sums / 50, sweep.val_mse[0] - sweep.val_mse, rtol=1e-9, atol=1e-12)


class TestLeftOut:
    @pytest.mark.parametrize(
        "settings", [{}, {"damping": 0.03}, {"scaling": "singular-values"}, {"strategy": "factored"}]
    )
    @pytest.mark.parametrize("outputs", [1, 2])
    def test_is_solving_again_without_each_sample(self, settings: dict[str, Any], outputs: int) -> None:
        problem = twins.problem(twins.network(2, 8, outputs), rows=20, n_outputs=outputs)
        found = refine(problem, max_rank=9, rank=9, **settings)
        gains = left_out(found.setting, found.subspace, found.solutions, 4)
        assert gains is not None
        setting = found.setting
        inputs, targets = setting.train
        modes = (found.subspace.modes(inputs) / found.subspace.scale).unflatten(0, targets.shape)
        errors = setting.function.outputs(inputs) - targets
        penalty = settings.get("damping", 0.0) * float(torch.linalg.svdvals(modes.flatten(0, 1))[0])
        for place, rank in enumerate(gains.ranks.tolist()):
            total = 0.0
            for sample in range(20):
                kept = torch.arange(20) != sample
                rows = torch.cat([modes[kept][..., :rank].flatten(0, 1), penalty * torch.eye(rank).double()])
                rhs = torch.cat([errors[kept].flatten(), torch.zeros(rank).double()])
                step = -torch.linalg.lstsq(rows, rhs[:, None], driver="gelsd").solution[:, 0]
                left = errors[sample] + modes[sample][:, :rank] @ step
                total += float(errors[sample].square().mean() - left.square().mean())
            assert gains.sums[place] == pytest.approx(total, rel=1e-6, abs=1e-9)

    def test_a_rank_at_which_a_sample_is_met_by_its_own_direction_is_none(self) -> None:
        problem = twins.problem(twins.network(2, 30, 1), rows=20)
        found = refine(problem, max_rank=20)
        gains = left_out(found.setting, found.subspace, found.solutions, 4)
        assert gains is not None
        assert gains.sums[-1] == -math.inf
        assert gains.best < 20

    def test_is_not_asked_of_many_or_of_what_it_cannot_tell(self) -> None:
        problem = twins.problem(twins.network(2, 8, 1))
        published = refine(problem, max_rank=5, published=3, dtype="float64")
        assert left_out(published.setting, published.subspace, published.solutions, 4) is None
        found = refine(problem, max_rank=5)
        mixing = replace(found.setting, sample_wise=False)
        assert left_out(mixing, found.subspace, found.solutions, 4) is None


class TestChoice:
    def test_left_out_samples_bring_no_rank_back_that_may_not_be_taken(self) -> None:
        """As where a rank makes one of several outputs worse: few validation samples ask others, and these know nothing of that."""
        found = refine(twins.problem(twins.network(2, 8, 1)), max_rank=12)
        held = Gains.of(list(range(13)), losses(found, "validation")[:15])
        assert held.count < FEW
        for most in (12, 3):
            sweep = replace(found.sweep, solved=found.sweep.solved & (np.arange(13) <= most))
            rank, how = ranks.choose(sweep, "auto", held, lambda rank: held)
            assert "left out" in how
            assert (rank > 3) == (most == 12)

    def test_noise_is_not_taken_for_a_gain(self) -> None:
        """Where the smallest validation error alone makes the network worse in many seeds."""
        worse, before = 0, 0
        for seed in range(12):
            found = refine(noisy(seed))
            errors = found.sweep.test_mse
            worse += errors[found.rank] > 1.04 * errors[0]
            before += (
                errors[int(np.nanargmin(np.where(found.sweep.solved, found.sweep.val_mse, np.inf)))] > 1.04 * errors[0]
            )
            if found.rank == 0:
                assert "do not refine" in found.summary.rank_choice
        assert before >= 3
        assert worse == 0

    def test_a_gain_is_not_missed(self) -> None:
        """An untrained network and little noise."""
        for seed in range(6):
            found = refine(noisy(seed, noise=0.02, steps=20))
            assert found.rank > 0
            assert found.sweep.test_mse[found.rank] < 0.1 * found.sweep.test_mse[0]

    @pytest.mark.parametrize("held", [12, 150])
    def test_without_noise_it_is_the_smallest_validation_error_as_ever(self, held: int) -> None:
        for seed in range(4):
            found = refine(noisy(seed, held=held, noise=0.0))
            solved = np.where(found.sweep.solved, found.sweep.val_mse, np.inf)
            assert found.rank == int(np.argmin(solved))
            assert found.summary.rank_choice == SMALLEST

    def test_the_reason_says_by_what(self) -> None:
        ones, chance = torch.ones(FEW, 2, dtype=torch.float64), twins.generator(1)
        values = ones + 0.1 * torch.randn(FEW, 2, generator=chance, dtype=torch.float64)
        values[:, 1] -= values[:, 1].mean() - values[:, 0].mean() + 0.005
        rank, why = _shown(1, False, Gains.of([0, 1], values), lambda rank: pytest.fail("enough samples"))
        assert rank == 0
        assert f"standard errors by {FEW} validation samples" in why
        few = Gains.of([0, 1], values[:10])
        gain = Gains.of([0, 1], ones[:40] * torch.tensor([1.0, 0.2]))
        rank, why = _shown(1, False, few, lambda rank: gain)
        assert rank == 1
        assert "10 validation samples and 40 training samples left out one at a time" in why
