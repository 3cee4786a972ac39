"""Ridge for every λ from one factor: each closed form against the long way, and what a refinement makes of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.signal import find_peaks
from torch import Tensor
from torch.func import jacrev

from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.errors import InputError, NumericalError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.linalg.left_out_rows import LeftOutRows
from lsr_core.linalg.smoothing import RidgeFamily, minima
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.linalg.triangular import TriangularSolver
from lsr_core.portable.deliver import deliver
from lsr_core.portable.graph import explicit
from lsr_core.problems.splits import Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.curves import smoothing_curves
from lsr_core.refinement.held_out import pure_error
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.storage.export import load_predictor, save_predictor
from lsr_core.storage.runs import Run
from lsr_core.storage.spreads import read_spread
from tests.core import twins

STRENGTHS = [1e-3, 0.05, 0.7]
SHAPES = [(30, 8), (12, 20), (9, 9)]  # more rows than columns, fewer, as many


def made(rows: int, columns: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """A matrix with its weight 1/√N, errors without it, and lengths of the columns."""
    draw = torch.Generator().manual_seed(seed)
    decay = torch.logspace(0, -3, columns, dtype=torch.float64)
    matrix = torch.randn(rows, columns, generator=draw, dtype=torch.float64) * decay / math.sqrt(rows)
    return (
        matrix,
        torch.randn(rows, generator=draw, dtype=torch.float64),
        0.5 + torch.rand(columns, generator=draw, dtype=torch.float64),
    )


def family_of(matrix: Tensor, errors: Tensor, lengths: Tensor, rank: int | None = None) -> RidgeFamily:
    whole = torch.cat([matrix, errors[:, None] / math.sqrt(len(matrix))], dim=1)
    return RidgeFamily(torch.linalg.qr(whole, mode="r").R, len(matrix), lengths=lengths, rank=rank)


def solved(matrix: Tensor, errors: Tensor, lengths: Tensor, strength: float) -> Tensor:
    """argmin ‖A c + b‖² + λ²‖D c‖² by the normal equations."""
    normal = matrix.T @ matrix + strength**2 * torch.diag(lengths.square())
    return -torch.linalg.solve(normal, matrix.T @ errors / math.sqrt(len(matrix)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_solution_residual_and_degrees_of_freedom_are_those_of_the_normal_equations(
    shape: tuple[int, int], strength: float
) -> None:
    matrix, errors, lengths = made(*shape)
    family, at = family_of(matrix, errors, lengths), torch.tensor([strength], dtype=torch.float64)
    found = family.coefficients(strength)
    assert torch.allclose(found, solved(matrix, errors, lengths, strength), rtol=1e-9, atol=1e-12)
    left = matrix @ found + errors / math.sqrt(len(matrix))
    assert float(family.mean_square(at)[0]) == pytest.approx(float(left.square().sum()), rel=1e-10)
    hat = matrix @ torch.linalg.solve(matrix.T @ matrix + strength**2 * torch.diag(lengths.square()), matrix.T)
    trace = float(hat.trace())
    assert float(family.degrees_of_freedom(at)[0]) == pytest.approx(trace, rel=1e-10)
    assert float(family.unspent(at)[0]) == pytest.approx(shape[0] - trace, rel=1e-9)
    gcv = float(left.square().sum()) / (1 - trace / shape[0]) ** 2
    assert float(family.gcv(at)[0]) == pytest.approx(gcv, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_penalty_that_counts_from_elsewhere_is_that_of_more_rows(shape: tuple[int, int], strength: float) -> None:
    """min ‖A c + b‖² + λ²‖D (c + z)‖²: by the normal equations, at every rank, with each sample left out, and its evidence."""
    matrix, errors, lengths = made(*shape)
    n, weight = len(matrix), 1 / math.sqrt(len(matrix))
    apart = torch.randn(shape[1], generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    factor = torch.linalg.qr(torch.cat([matrix, errors[:, None] * weight], dim=1), mode="r").R

    def direct(rows: Tensor, rank: int) -> Tensor:
        at, away = matrix[rows, :rank], strength**2 * torch.diag(lengths[:rank].square())
        return -torch.linalg.solve(at.T @ at + away, at.T @ errors[rows] * weight + away @ apart[:rank])

    rows = torch.arange(n)
    whole = RidgeFamily(factor, n, lengths=lengths, apart=apart)
    assert whole.base == pytest.approx(float(errors.square().mean()), rel=1e-10)
    for rank in (1, shape[1]):
        family = whole.leading(rank)
        assert torch.allclose(family.coefficients(strength), direct(rows, rank), rtol=1e-8, atol=1e-10)
        largest = float(torch.linalg.matrix_norm(matrix / lengths, 2))
        solver = TriangularSolver(factor, rcond=0.0, damping=strength / largest, lengths=lengths, apart=apart)
        assert torch.allclose(solver.solve(rank), direct(rows, rank), rtol=1e-7, atol=1e-9)
    found = LeftOutRows(whole, matrix[:, None], errors[:, None], weight)
    hat = matrix @ torch.linalg.solve(matrix.T @ matrix + strength**2 * torch.diag(lengths.square()), matrix.T)
    for row in range(n):
        left = errors[row] + matrix[row] @ direct(rows[rows != row], shape[1]) / weight
        assert float(found.errors(strength)[row]) == pytest.approx(float(left), rel=1e-7, abs=1e-9)
        assert float(found.network(strength)[row]) == pytest.approx(float(errors[row] / (1 - hat[row, row])), rel=1e-7)
    centred = errors - matrix @ apart / weight
    alone = RidgeFamily(
        torch.linalg.qr(torch.cat([matrix, centred[:, None] * weight], dim=1), mode="r").R, n, lengths=lengths
    )
    at = torch.tensor([strength], dtype=torch.float64)
    assert float(whole.log_evidence(at)[0]) == pytest.approx(float(alone.log_evidence(at)[0]), rel=1e-9)


@pytest.mark.parametrize("rank", [0, 1, 5, 8])
def test_a_rank_is_the_problem_with_the_first_columns_alone(rank: int) -> None:
    matrix, errors, lengths = made(30, 8)
    part = family_of(matrix, errors, lengths, rank)
    alone = family_of(matrix[:, :rank], errors, lengths[:rank])
    at = torch.tensor(STRENGTHS, dtype=torch.float64)
    for name in ("mean_square", "degrees_of_freedom", "gcv", "log_evidence", "noise_by_residual"):
        assert torch.allclose(getattr(part, name)(at), getattr(alone, name)(at), rtol=1e-10), name
    assert torch.allclose(part.coefficients(0.1), alone.coefficients(0.1), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("strength", STRENGTHS)
def test_errors_left_out_are_those_of_as_many_refits(shape: tuple[int, int], size: int, strength: float) -> None:
    matrix, errors, lengths = made(*shape)
    family = family_of(matrix, errors, lengths)
    n, weight = len(matrix), 1 / math.sqrt(len(matrix))
    groups = torch.randperm(n, generator=torch.Generator().manual_seed(4))[: n - n % size].view(-1, size)
    found = LeftOutRows(family, matrix[groups], errors[groups], weight).errors(strength)
    for row, group in zip(found, groups, strict=True):
        kept = torch.ones(n, dtype=torch.bool)
        kept[group] = False
        normal = matrix[kept].T @ matrix[kept] + strength**2 * torch.diag(lengths.square())
        refit = -torch.linalg.solve(normal, matrix[kept].T @ errors[kept] * weight)
        assert torch.allclose(row, errors[group] + matrix[group] @ refit / weight, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_the_density_left_out_is_that_of_as_many_refits(strength: float) -> None:
    matrix, errors, lengths = made(12, 20)
    family, n, noise = family_of(matrix, errors, lengths), 12, 0.3
    squares, shares = LeftOutRows(family, matrix[:, None], errors[:, None], 1 / math.sqrt(n)).density(strength)
    total = 0.0
    for row in range(n):
        kept = torch.arange(n) != row
        precision = (matrix[kept].T @ matrix[kept] + strength**2 * torch.diag(lengths.square())) * n / noise
        mean = -torch.linalg.solve(precision, matrix[kept].T @ errors[kept] * math.sqrt(n) / noise)
        spread = noise + n * float(matrix[row] @ torch.linalg.solve(precision, matrix[row]))
        error = float(errors[row] + math.sqrt(n) * matrix[row] @ mean)
        total += -0.5 * (math.log(2 * math.pi * spread) + error**2 / spread)
    found = -0.5 * (n * math.log(2 * math.pi * noise) - shares + squares / noise)
    assert found == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("size", [1, 3])
def test_densities_at_several_strengths_are_those_at_each(size: int) -> None:
    matrix, errors, lengths = made(12, 20)
    family, at = family_of(matrix, errors, lengths), torch.tensor([0.0, *STRENGTHS], dtype=torch.float64)
    groups = torch.arange(12).view(-1, size)
    rows = LeftOutRows(family, matrix[groups], errors[groups], 1 / math.sqrt(12))
    for together, apart in zip(
        rows.densities(at), zip(*(rows.density(float(one)) for one in at), strict=True), strict=True
    ):
        assert torch.allclose(together, torch.tensor(apart, dtype=torch.float64), rtol=1e-10)
    one_by_one = torch.stack([rows.errors(float(one)).square().sum() for one in at])
    assert torch.allclose(rows.squares(at), one_by_one, rtol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_evidence_is_that_of_the_dense_gaussian_at_its_best_noise(shape: tuple[int, int], strength: float) -> None:
    matrix, errors, lengths = made(*shape)
    family, at, n = family_of(matrix, errors, lengths), torch.tensor([strength], dtype=torch.float64), shape[0]
    design = matrix / lengths * math.sqrt(n)
    shape_of = torch.eye(n, dtype=torch.float64) + design @ design.T / (n * strength**2)

    def dense(noise: float) -> float:
        zero = torch.zeros(n, dtype=torch.float64)
        return float(torch.distributions.MultivariateNormal(zero, noise * shape_of).log_prob(errors))

    noise = float(family.noise_by_evidence(at)[0])
    assert float(family.log_evidence(at)[0]) == pytest.approx(dense(noise), rel=1e-10, abs=1e-9)
    assert dense(noise) > max(dense(noise * 1.1), dense(noise / 1.1))


def test_streamed_rows_give_the_same_as_all_at_once() -> None:
    matrix, errors, lengths = made(60, 8)
    whole = torch.cat([matrix, errors[:, None] / math.sqrt(60)], dim=1)
    stream = StreamingQR(9, dtype=torch.float64, device=torch.device("cpu"), gather=7)
    for part in whole.split(5):
        stream.update(part)
    streamed, direct = RidgeFamily(stream.factor, 60, lengths=lengths), family_of(matrix, errors, lengths)
    grid = direct.grid()
    for name in ("mean_square", "gcv", "log_evidence"):
        assert torch.allclose(getattr(streamed, name)(grid), getattr(direct, name)(grid), rtol=1e-10, atol=1e-13), name


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_discrepancy_leaves_what_was_asked_for_and_says_where_nothing_does(share: float) -> None:
    family = family_of(*made(30, 8))
    between = family.beyond + share * (family.base - family.beyond)
    found = torch.tensor([family.discrepant(between)], dtype=torch.float64)
    assert float(family.mean_square(found)[0]) == pytest.approx(between, rel=1e-9)
    assert family.discrepant(2 * family.base) == math.inf
    assert family.discrepant(family.beyond / 2) == 0


def test_all_optima_are_found_and_the_best_is_first() -> None:
    grid = torch.logspace(-4, 4, 65, dtype=torch.float64)
    found = minima(lambda at: torch.minimum((at.log10() + 2).square(), (at.log10() - 1.03).square() - 0.1), grid)
    assert [pair[0] for pair in found] == [pytest.approx(10**1.03, rel=1e-2), pytest.approx(1e-2, rel=1e-2)]


@given(heights=st.lists(st.integers(-4, 4).map(float) | st.just(math.inf), min_size=1, max_size=12))
def test_valleys_are_those_of_the_library(heights: list[float]) -> None:
    above = 100.0  # beyond both ends, and where nothing is known
    walled = np.array([above, *(min(height, above) for height in heights), above])
    expected = [int(place) - 1 for place in find_peaks(-walled)[0] if walled[place] < above]
    grid = torch.arange(1, len(heights) + 1, dtype=torch.float64)
    places = grid.new_tensor(heights)

    def curve(at: Tensor) -> Tensor:
        return places[
            (at.round().long() - 1).clamp(0, len(heights) - 1)
        ]  # a step for each point: none between is lower

    assert sorted(round(at) - 1 for at, _ in minima(curve, grid)) == expected


def noisy(noise: float = 0.2, n: int = 40, outputs: int = 1, **parts: Any) -> SupervisedProblem:
    """A network that is not trained, and noisy samples of another."""
    draw = torch.Generator().manual_seed(3)
    truth = twins.network(2, 6, outputs, seed=9)
    splits = {}
    for name, count, spread in (("train", n, noise), ("validation", 20, noise), ("test", 200, 0.0)):
        inputs = 2 * torch.rand(count, 2, generator=draw, dtype=torch.float64) - 1
        clean = truth(inputs).detach()
        splits[name] = Split(inputs, clean + spread * torch.randn(clean.shape, generator=draw, dtype=torch.float64))
    return SupervisedProblem("noisy", twins.network(2, 8, 8, outputs), **{**splits, **parts})


@pytest.fixture(scope="module")
def smoothed() -> Refinement:
    return refine(noisy(), regularise="evidence")


def test_the_spread_is_that_of_the_dense_posterior_and_of_samples_from_it(smoothed: Refinement) -> None:
    setting, bars = smoothed.setting, smoothed.error_bars
    assert bars is not None
    assert bars.spread is not None

    def rows(inputs: Tensor) -> Tensor:
        found: Tensor = jacrev(lambda theta: setting.function(theta, inputs).reshape(-1))(setting.function.theta0)
        return found

    train, test = rows(setting.train.inputs), rows(setting.splits["test"].inputs[:20])
    n, strength, noise = len(train), bars.smoothing.strength, float(bars.smoothing.noise[0])
    precision = (train.T @ train / n + strength**2 * torch.eye(train.shape[1], dtype=torch.float64)) * n / noise**2
    covariance = torch.linalg.inv(precision)
    dense = (test @ covariance * test).sum(dim=1).sqrt()
    found = bars.model(setting.splits["test"].inputs[:20])[:, 0]
    assert torch.allclose(found, dense, rtol=1e-6)
    draw = torch.Generator().manual_seed(0)
    root = torch.linalg.cholesky(covariance)
    samples = test @ root @ torch.randn(len(root), 20_000, generator=draw, dtype=torch.float64)
    assert torch.allclose(found, samples.std(dim=1), rtol=0.03)
    within = bars.spread.at(setting.function, setting.splits["test"].inputs[:20], outside=False)[:, 0]
    assert bool((within <= found).all())


def test_curves_go_through_what_was_chosen_and_come_back_from_a_run(smoothed: Refinement, tmp_path: Path) -> None:
    fields, bars = with_parameter_steps(smoothed), smoothed.error_bars
    found = smoothing_curves(smoothed, fields)
    assert found is not None
    assert bars is not None
    place = int(np.flatnonzero(found.shown == found.chosen)[0])
    rung = fields.ranks.tolist().index(smoothed.rank)
    assert np.allclose(found.error[place], fields.refined_error[rung][fields.stepped_points], rtol=1e-4, atol=1e-6)
    inputs = smoothed.setting.splits["test"].inputs[smoothed.display_points[fields.stepped_points]]
    assert np.allclose(found.deviation[place], bars.model(inputs), rtol=1e-4)
    assert found.spread[place] == pytest.approx(smoothed.summary.noise_std, rel=1e-6)
    assert found.observed[found.level.tolist().index(0.95)] == pytest.approx(smoothed.summary.coverage)
    chosen = int(np.argmin(np.abs(np.log(found.strength / found.chosen))))
    assert found.log_evidence[chosen] == pytest.approx(found.log_evidence.max(), abs=0.05)
    run = Run(tmp_path)
    run.write_result(found)
    again = run.smoothing
    assert again is not None
    assert np.array_equal(again.deviation, found.deviation)
    assert smoothing_curves(refine(noisy(), max_rank=3), fields) is None


@pytest.mark.parametrize("settings", [{}, {"layers": "2.*"}, {"parameter_fraction": 0.5}])
def test_a_predictor_gives_the_same_deviations_in_memory_in_a_file_and_as_a_graph(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    found = refine(noisy(), regularise="evidence", **settings)
    bars, inputs = found.error_bars, noisy().train.inputs[:9]
    assert bars is not None
    assert bars.spread is not None
    mean, std = found.predictor.predict(inputs, std=True)
    assert torch.equal(mean, found.predictor.predict(inputs))
    assert torch.allclose(std, bars.model(inputs).hypot(bars.smoothing.noise), rtol=1e-9)
    model, noise = found.predictor.deviations(inputs)
    assert torch.allclose(std, model.hypot(noise))
    whole = bars.spread.by(found.setting.function.expand)
    path = save_predictor(tmp_path / "p.safetensors", found.problem, found.delta, {"rank": found.rank}, whole)
    again = load_predictor(path, noisy().model)
    assert torch.allclose(again.predict(inputs, std=True)[1], std, rtol=1e-9)
    graph = explicit(again, inputs[:2])
    outputs, deviations = graph(inputs)
    assert torch.allclose(outputs, mean, rtol=1e-9)
    assert torch.allclose(deviations, std, rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pt2", "onnx", "python"])
def test_files_that_run_without_this_package_give_deviations_too(
    form: str, smoothed: Refinement, tmp_path: Path
) -> None:
    assert smoothed.error_bars is not None
    assert smoothed.error_bars.spread is not None
    spread = smoothed.error_bars.spread.by(smoothed.setting.function.expand)
    deliver(
        tmp_path / "file", smoothed.problem, smoothed.delta, form, spread=spread
    )  # compares them in a fresh process


@pytest.mark.parametrize("validation", [True, False])
def test_conformal_bands_hold_so_many_samples_left_out_as_they_should(validation: bool) -> None:
    parts: dict[str, Any] = {} if validation else {"validation": None, "test": None}
    plain, found = (refine(noisy(**parts), regularise="evidence", bands=bands) for bands in ("model", "conformal"))
    assert plain.error_bars is not None
    assert found.error_bars is not None
    assert found.summary.regularisation is not None
    stretch = found.summary.regularisation.stretch
    misses, deviations = plain.error_bars.left_out()
    scores = (misses / deviations).flatten().sort().values
    n = len(scores)
    assert stretch == pytest.approx(float(scores[math.ceil(0.95 * (n + 1)) - 1]) / 1.959964, rel=1e-6)
    inside = float((misses <= 1.959964 * stretch * deviations * (1 + 1e-9)).double().mean())
    assert inside >= math.ceil(0.95 * (n + 1)) / n
    inputs = noisy().train.inputs[:7]
    for before, after in zip(plain.predictor.deviations(inputs), found.predictor.deviations(inputs), strict=True):
        assert torch.allclose(after, stretch * before, rtol=1e-6)
    assert torch.allclose(found.predictor(inputs), plain.predictor(inputs), rtol=1e-9)
    assert found.summary.noise_std == pytest.approx(plain.summary.noise_std, rel=1e-9)
    assert (found.summary.coverage is None) != validation  # counted on test samples alone


def test_conformal_bands_need_samples_that_can_be_left_out() -> None:
    with pytest.raises(InputError, match=r"are 12, too few for bands of 95 %") as refused:
        refine(noisy(n=12, validation=None), regularise="evidence", bands="conformal")
    assert refused.value.key == "bands"


def test_bands_of_a_single_input_are_drawn_between_and_beyond_its_samples() -> None:
    x = torch.rand(30, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = refine(
        SupervisedProblem("line", twins.network(1, 8, 8, 1), Split(x, torch.sin(5 * x))), regularise="evidence"
    )
    curves = smoothing_curves(found, with_parameter_steps(found))
    assert curves is not None
    assert curves.line[0] < float(x.min())
    assert curves.line[-1] > float(x.max())
    at, place = torch.from_numpy(curves.line)[:, None], int(np.argmin(np.abs(curves.shown - curves.chosen)))
    assert np.allclose(curves.line_mean[place], found.predictor(at), rtol=1e-5, atol=1e-6)
    for drawn, outside in ((curves.line_deviation, True), (curves.line_inside, False)):
        assert np.allclose(drawn[place], found.predictor.deviations(at, outside=outside)[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("settings", [{}, {"layers": "2.*"}, {"strategy": "factored"}])
def test_weights_are_kept_small_instead_of_the_step(settings: dict[str, Any]) -> None:
    """Δθ in the subspace makes mean square + λ²‖θ0 + Δθ‖² smallest: its slope along every direction is zero."""
    problem = noisy(n=60, validation=None)
    found = refine(problem, regularise="0.1", prior="weights", **settings)
    setting, bars = found.setting, found.error_bars
    assert found.rank > 0
    assert bars is not None
    function, strength = setting.function, bars.smoothing.strength
    step = found.subspace.delta(found.solutions.at(found.rank))
    modes = found.subspace.modes(setting.train.inputs)[:, : found.rank] * setting.weight
    left = setting.errors() * setting.weight + modes @ found.solutions.at(found.rank)
    directions = torch.stack([found.subspace.delta(one) for one in torch.eye(found.rank, dtype=torch.float64)], dim=1)
    slope = modes.T @ left + strength**2 * directions.T @ (function.theta0 + step)
    assert float(slope.norm()) < 1e-9 * float((modes.T @ setting.errors() * setting.weight).norm())
    plain = refine(problem, regularise="0.1", **settings)
    assert float((function.theta0 + step).norm()) < float(
        (function.theta0 + plain.subspace.delta(plain.solutions.at(plain.rank))).norm()
    )


@pytest.mark.parametrize("rule", ["auto", "gcv", "evidence"])
def test_a_fit_through_samples_without_noise_is_taken(rule: str) -> None:
    """Where the penalty falls to none, no sample leaves anything to the others by which the gain could be seen."""
    x = torch.rand(30, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    at = torch.linspace(0, 1, 50, dtype=torch.float64)[:, None]
    train, test = (Split(part, torch.sin(5 * part)) for part in (x, at))
    found = refine(SupervisedProblem("line", twins.network(1, 8, 8, 1), train, test=test), regularise=rule).summary
    assert found.rank > 0
    assert found.refined.test_mse is not None
    assert found.refined.test_mse < 1e-10


def test_a_predictor_without_smoothing_says_that_it_has_no_deviations(tmp_path: Path) -> None:
    found = refine(noisy(), max_rank=4)
    with pytest.raises(InputError, match="holds no standard deviations"):
        found.predictor.predict(noisy().train.inputs, std=True)


@pytest.mark.parametrize("damage", ["missing", "shape", "nan"])
def test_damaged_deviations_are_refused(damage: str) -> None:
    tensors = {
        "directions": torch.zeros(6, 2), "along": torch.ones(2), "outside": torch.ones(1), "free": torch.ones(6), "noise": torch.ones(1),
    }  # fmt: skip
    read_spread(tensors, 6, "file")
    broken = {
        "missing": {name: tensors[name] for name in list(tensors)[1:]},
        "shape": {**tensors, "free": torch.ones(5)},
        "nan": {**tensors, "along": torch.full((2,), math.nan)},
    }[damage]
    with pytest.raises(InputError):
        read_spread(broken, 6, "file")


@pytest.mark.parametrize("rule", ["auto", "gcv", "loo", "evidence", "discrepancy:0.2", "0.01"])
def test_every_rule_smooths_with_training_data_alone_and_says_what_it_found(rule: str) -> None:
    found = refine(noisy(n=40, validation=None), regularise=rule)
    summary = found.summary
    assert summary.rank == summary.max_rank
    assert summary.refined.test_mse is not None
    assert summary.base.test_mse is not None
    assert summary.refined.test_mse < summary.base.test_mse
    assert summary.regularisation is not None
    assert summary.regularisation.rule == rule
    assert summary.regularisation.value > 0
    assert summary.noise_std == pytest.approx(0.2, rel=0.5)
    assert 0 < (summary.degrees_of_freedom or 0) < 40
    assert 0.5 < (summary.coverage or 0) <= 1
    if rule == "auto":  # an average over strengths, which no single one repeats
        assert sum(weight for _, weight in summary.regularisation.averaged) == pytest.approx(1)
        return
    again = refine(noisy(n=40, validation=None), regularise=f"{summary.regularisation.value:.17g}")
    assert torch.allclose(again.delta, found.delta, rtol=1e-6, atol=1e-9)


def test_validation_samples_are_fitted_too_and_that_is_said() -> None:
    found = refine(noisy(), regularise="gcv")
    assert found.summary.n_residuals == 60
    assert found.summary.refined.val_mse is None
    assert "Training and validation samples are fitted together" in found.summary.notes[0]


def test_pure_noise_is_not_refined() -> None:
    network = twins.network(2, 8, 8, 1)
    refused = 0
    for seed in range(10):
        draw = torch.Generator().manual_seed(seed)
        inputs = 2 * torch.rand(40, 2, generator=draw, dtype=torch.float64) - 1
        noise = torch.randn(40, 1, generator=draw, dtype=torch.float64)
        problem = SupervisedProblem("noise", network, Split(inputs, network(inputs).detach() + noise))
        summary = refine(problem, regularise="auto").summary
        refused += summary.rank == 0
        assert (summary.rank == 0) == ("do not refine" in summary.rank_choice)
        assert summary.rank > 0 or summary.degrees_of_freedom == 0
        assert (summary.noise_std is None) == (summary.rank == 0)
    assert refused >= 7


def test_noise_is_told_for_each_output_and_by_repeated_measurements() -> None:
    draw = torch.Generator().manual_seed(5)
    inputs = (2 * torch.rand(60, 2, generator=draw, dtype=torch.float64) - 1).repeat(2, 1)
    clean = twins.network(2, 6, 2, seed=9)(inputs).detach()
    targets = clean + torch.tensor([0.1, 0.4]) * torch.randn(clean.shape, generator=draw, dtype=torch.float64)
    network = twins.network(2, 8, 8, 2)
    apart = refine(SupervisedProblem("twice", network, Split(inputs[:60], targets[:60])), regularise="evidence").summary
    assert apart.noise_std_by_output == [pytest.approx(0.1, rel=0.5), pytest.approx(0.4, rel=0.3)]
    twice = refine(SupervisedProblem("twice", network, Split(inputs, targets)), regularise="loo").summary
    variance, spare = pure_error(inputs, targets)
    assert spare == 60
    assert twice.noise_std_by_output == pytest.approx(variance.sqrt().tolist())
    assert any("60 training samples repeat" in note for note in twice.notes)


@pytest.mark.parametrize("rule", ["auto", "gcv", "loo", "evidence", "discrepancy:0.1"])
def test_residuals_that_leave_nothing_to_choose_are_answered(rule: str) -> None:
    network, inputs = twins.network(2, 8, 8, 1), twins.data(30).inputs
    exact = refine(SupervisedProblem("exact", network, Split(inputs, network(inputs).detach())), regularise=rule)
    assert exact.summary.rank == 0
    assert exact.summary.noise_std == pytest.approx(0, abs=1e-15)
    assert "there is no residual" in exact.summary.rank_choice
    shifted = refine(
        SupervisedProblem("shifted", network, Split(inputs, network(inputs).detach() + 1)), regularise=rule
    )
    assert shifted.summary.refined.train_mse is not None
    assert shifted.summary.refined.train_mse <= 1.0


def test_what_a_single_sample_or_a_given_noise_leaves_is_said() -> None:
    network, inputs = twins.network(2, 8, 8, 1), twins.data(30).inputs
    targets = torch.sin(3 * inputs[:, :1])
    one = refine(SupervisedProblem("one", network, Split(inputs[:1], targets[:1])), regularise="auto").summary
    assert one.rank_choice == "auto: do not refine, a single training sample cannot show a gain"
    assert one.regularisation is not None
    assert one.regularisation.optima == []
    loud = refine(SupervisedProblem("loud", network, Split(inputs, targets)), regularise="discrepancy:100").summary
    assert "leaves no more than the noise that was given (by discrepancy:100)" in loud.rank_choice
    huge = SupervisedProblem("huge", network, Split(inputs, 1e200 * targets))
    with pytest.raises(NumericalError, match="divide targets and outputs by their size"):
        refine(huge, regularise="auto")


def test_fewer_samples_than_outputs_are_smoothed() -> None:
    draw = torch.Generator().manual_seed(5)
    inputs = torch.rand(5, 2, generator=draw, dtype=torch.float64)
    targets = torch.randn(5, 12, generator=draw, dtype=torch.float64)
    found = refine(SupervisedProblem("few", twins.network(2, 8, 12), Split(inputs, targets)), regularise="loo").summary
    assert len(found.noise_std_by_output or []) == 12


@pytest.mark.parametrize(
    "value",
    ["1e300", "gvc", "discrepancy:0", "discrepancy:-1", "discrepancy:inf", "discrepancy:x", "-1", "inf", "nan", ""],
)
def test_no_rule_and_no_strength_is_refused_in_words(value: str) -> None:
    with pytest.raises(ValidationError, match="give auto, none, gcv, loo, evidence, discrepancy:SIGMA"):
        RefineConfig.model_validate({"regularise": value})


@pytest.mark.parametrize("other", [{"damping": 0.1}, {"published": 1}, {"rank": "knee"}])
def test_what_smoothing_does_not_use_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        refine(noisy(), regularise="gcv", **other)


def test_a_fixed_rank_is_smoothed_at_that_rank() -> None:
    found = refine(noisy(), regularise="evidence", rank=7)
    assert found.rank == 7
    assert found.summary.degrees_of_freedom is not None
    assert found.summary.degrees_of_freedom < 7
    assert found.summary.rank_choice.startswith("fixed; smoothed by evidence")


def test_a_rank_that_was_asked_for_is_taken_though_no_gain_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a kind of bands without effect is told."""
    monkeypatch.setattr("lsr_core.refinement.smoothing._shows", lambda *of: False)
    left = refine(noisy(), regularise="loo", bands="conformal")
    assert left.rank == 0
    assert any("bands=conformal has no effect" in note for note in left.summary.notes)
    asked = refine(noisy(), regularise="loo", rank=7)
    assert asked.rank == 7
    assert asked.summary.rank_choice.startswith("fixed; left to itself: do not refine")
