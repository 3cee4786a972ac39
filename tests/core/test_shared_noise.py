"""Noise that close neighbours share: found where it is, not where it is not, and its evidence that of the dense Gaussian."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from lsr_core.refinement import shared_noise
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.held_out import HeldOut
from lsr_core.refinement.neighbours import close_to
from lsr_core.refinement.penalised import family_of
from lsr_core.refinement.shared_noise import CORRELATIONS, SharedNoise
from lsr_core.refinement.smoothing import smoothed
from lsr_core.refinement.solve import LinearSolve, planned, solved_in_basis
from tests.core import twins

NOISE = 0.3


def measured(shared: bool, *, outputs: int = 1, places: int = 20, seed: int = 0) -> SupervisedProblem:
    """Two measurements next to each of some places, whose noise is one or is not; the last place has one alone."""
    draw = torch.Generator().manual_seed(seed)
    at = torch.linspace(-1, 1, places, dtype=torch.float64)[:, None]
    inputs = torch.cat([at, at[:-1] + 2e-3])
    noise = NOISE * torch.randn(len(inputs), outputs, generator=draw, dtype=torch.float64)
    if shared:
        noise[places:] = noise[: places - 1]
    targets = torch.sin(3 * inputs) + noise
    return SupervisedProblem("pairs", twins.network(1, 12, outputs, seed=seed), Split(inputs, targets))


def parts_of(problem: SupervisedProblem) -> tuple[LinearSolve, HeldOut, SharedNoise | None]:
    solve = solved_in_basis(planned(problem, RefineConfig(regularise="auto")), lambda fraction: None)
    family = family_of(solve, solve.subspace.rank, 0.25)
    held_out = HeldOut.of(solve.setting, solve.subspace, family, in_pairs=True)
    assert held_out is not None
    return solve, held_out, SharedNoise.of(family, held_out, problem.train.inputs)


@pytest.mark.parametrize("outputs", [1, 2])
def test_noise_is_shared_where_neighbours_have_the_same_and_not_where_each_has_its_own(outputs: int) -> None:
    for seed in range(3):
        *_, found = parts_of(measured(True, outputs=outputs, seed=seed))
        assert found is not None
        assert found.correlation == CORRELATIONS[-1]
        assert parts_of(measured(False, outputs=outputs, seed=seed))[-1] is None


@pytest.mark.parametrize("outputs", [1, 2])
def test_its_evidence_and_density_are_those_of_the_dense_gaussian(outputs: int) -> None:
    problem = measured(True, outputs=outputs)
    solve, held_out, found = parts_of(problem)
    assert found is not None
    inputs, errors = problem.train.inputs, held_out.errors
    rows = solve.subspace.modes(inputs).double() / solve.subspace.scale
    start = 0.25 * solve.subspace.coordinates(solve.setting.function.theta0) * solve.subspace.scale
    left = (errors.flatten() - rows @ start)[:, None]
    correlation = torch.eye(len(inputs), dtype=torch.float64)
    for one, other in enumerate(close_to(inputs).tolist()):  # type: ignore[union-attr]
        if other >= 0:
            correlation[one, other] = found.correlation
    noise = torch.kron(correlation, torch.eye(outputs, dtype=torch.float64))
    mixed = torch.linalg.inv(_root(noise)) @ left
    for strength in (1e-2, 0.3):
        prior = rows @ rows.T / (len(left) * strength**2)
        whole = noise + prior
        variance = float(left.T @ torch.linalg.solve(whole, left)) / len(left)
        dense = -0.5 * (len(left) * (math.log(2 * math.pi * variance) + 1) + float(torch.logdet(whole)))
        volume = -0.5 * float(torch.logdet(noise))
        at = torch.tensor([strength], dtype=torch.float64)
        assert float(found.family.log_evidence(at)[0]) + volume == pytest.approx(dense, rel=1e-10)
        mapped = torch.linalg.inv(_root(noise)) @ prior @ torch.linalg.inv(_root(noise))
        weights = torch.linalg.inv(torch.eye(len(left), dtype=torch.float64) + mapped)
        pair = [row for sample in found.held_out.groups[-1][0][0].tolist() for row in _rows_of(sample, outputs)]
        expected = torch.linalg.solve(weights[pair][:, pair], (weights @ mixed)[pair])[:, 0]
        assert torch.allclose(found.held_out.groups[-1][1].errors(strength)[0], expected, rtol=1e-8, atol=1e-10)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.sqrt()) @ vectors.T


def _rows_of(sample: int, outputs: int) -> range:
    return range(sample * outputs, (sample + 1) * outputs)


def test_a_smoothing_of_shared_noise_weighs_strengths_by_it_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = measured(True)
    solve, held_out, found = parts_of(problem)
    assert found is not None
    smoothing = smoothed(solve)
    assert smoothing is not None
    monkeypatch.setattr(shared_noise, "SURE", math.inf)
    alone = smoothed(solve)
    assert alone is not None
    assert smoothing.averaged != alone.averaged
    assert any("share their noise" in note for note in smoothing.notes)
    assert float(smoothing.noise[0]) > float(alone.noise[0])
    assert "better on 39 training samples" in smoothing.why
    rows = held_out.groups[-1][1].errors_and_rows()[1]  # (19, 2, k), along orthogonal directions
    sizes = smoothing.family.values.square()
    taken = (rows[:, 0] * rows[:, 1] / (sizes + torch.as_tensor(smoothing.penalty) ** 2)).sum()
    assert found.spent(held_out, smoothing.penalty) == pytest.approx(2 * found.correlation * float(taken))


def test_close_are_pairs_far_from_all_others_at_different_places() -> None:
    places = torch.tensor([[0.0], [0.1], [1.0], [1.6], [3.0]])
    assert close_to(places).tolist() == [1, 0, -1, -1, -1]  # type: ignore[union-attr]
    assert close_to(torch.tensor([[0.0], [0.0], [1.0], [3.0]])) is None
    assert close_to(places[:2]) is None
