"""Each choice of the method has the effect it says it has."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lsr_core.diagnosis.loss_path import loss_path
from lsr_core.errors import InputError
from lsr_core.kinds.data.preparing import prepare
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction, PureFunction
from lsr_core.problems.splits import Split
from lsr_core.problems.streams import split_from_batches
from lsr_core.refinement.basis import SKETCH
from lsr_core.refinement.config import RefineConfig, published_settings
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.rows import sketch_rows
from tests.core import twins
from tests.core.test_refine import features


def basis_of(result: Refinement) -> Tensor:
    eye = torch.eye(result.subspace.rank, dtype=torch.float64)
    return torch.stack([result.subspace.delta(row) for row in eye], dim=1)


def leading_energy(result: Refinement, rank: int) -> float:
    """Share of the best possible rank-r energy of J that the basis catches."""
    jacobian, _ = features(result.problem)
    caught = (jacobian @ basis_of(result)[:, :rank]).square().sum()
    return float(caught / torch.linalg.svdvals(jacobian)[:rank].square().sum())


@pytest.fixture(scope="module")
def problem() -> SupervisedProblem:
    return twins.problem(twins.network(2, 12, 12, 1), 60)


@pytest.mark.parametrize("strategy", ["row-blocks", "factored"])
def test_residual_jacobian_scales_the_spectrum_and_not_the_fit(problem: SupervisedProblem, strategy: str) -> None:
    outputs, residuals = (
        refine(problem, max_rank=8, source=source, strategy=strategy) for source in ("outputs", "residuals")
    )
    ratio = outputs.spectrum.singular_values / residuals.spectrum.singular_values
    np.testing.assert_allclose(ratio, 60**0.5, rtol=1e-12)
    torch.testing.assert_close(outputs.delta, residuals.delta)


def test_power_iterations_keep_directions_that_a_squared_spectrum_would_lose() -> None:
    values = torch.logspace(0, -10, 40, dtype=torch.float64)
    inputs = twins.prescribed(90, 60, values)
    model = nn.Linear(60, 1, bias=False).double()  # its Jacobian is its inputs
    data = Split(inputs, torch.ones(90, 1, dtype=torch.float64))
    for power in (1, 4):
        found = refine(SupervisedProblem("p", model, data), max_rank=40, power_iterations=power, oversampling=0)
        torch.testing.assert_close(found.subspace.singular_values, values, rtol=1e-4, atol=0)


def test_power_iterations_catch_more(problem: SupervisedProblem) -> None:
    plain, sharp = (refine(problem, max_rank=6, oversampling=0, power_iterations=power) for power in (0, 3))
    assert leading_energy(plain, 6) < leading_energy(sharp, 6) <= 1 + 1e-12
    assert leading_energy(sharp, 6) > 0.999


def test_oversampling_catches_more(problem: SupervisedProblem) -> None:
    none, some = (refine(problem, max_rank=6, oversampling=count, power_iterations=0) for count in (0, 20))
    assert leading_energy(none, 6) < leading_energy(some, 6)


def test_a_uniform_sketch_catches_less_than_a_gaussian_one(problem: SupervisedProblem) -> None:
    def energy(sketch: str) -> float:
        runs = [
            refine(problem, max_rank=6, oversampling=0, power_iterations=0, sketch=sketch, seed=seed)
            for seed in range(5)
        ]
        return float(np.median([leading_energy(run, 6) for run in runs]))

    assert energy("uniform") < energy("gaussian")


def test_a_basis_from_a_subset_is_another_and_still_solved_on_all_rows(problem: SupervisedProblem) -> None:
    result = refine(problem, max_rank=8, basis_points=15, strategy="row-blocks")
    jacobian, residual = features(problem)
    modes = jacobian @ basis_of(result)
    twin = residual + twins.fitted(modes, -residual)
    assert result.sweep.train_mse[8] == pytest.approx(float(twin.square().sum()), rel=1e-8)
    rows = jacobian[torch.randperm(60, generator=prepare(problem, result.setting.config).generator(3))[:15]]
    projector = torch.linalg.pinv(rows) @ rows
    torch.testing.assert_close(projector @ basis_of(result), basis_of(result), rtol=0, atol=1e-7)


def test_a_single_precision_sketch_with_a_double_precision_solve(problem: SupervisedProblem) -> None:
    single = refine(problem, max_rank=8, sketch_dtype="float32", strategy="row-blocks")
    double = refine(problem, max_rank=8, strategy="row-blocks")
    basis = basis_of(single)
    torch.testing.assert_close(basis.T @ basis, torch.eye(8, dtype=torch.float64), rtol=0, atol=1e-12)
    assert not torch.equal(single.delta, double.delta)
    assert single.summary.refined.train_mse == pytest.approx(double.summary.refined.train_mse, rel=1e-2)
    assert single.summary.residual_norm.linear == pytest.approx(single.summary.residual_norm.nonlinear, rel=1e-8)


@pytest.mark.parametrize("strategy", ["auto", "matrix-free"])
def test_a_fraction_of_the_scalars_moves_and_the_same_at_all_ranks(problem: SupervisedProblem, strategy: str) -> None:
    result = refine(problem, max_rank=10, parameter_fraction=0.25, strategy=strategy, seed=3)
    total = sum(value.numel() for value in problem.model.parameters())
    assert result.summary.n_params == total // 4
    assert result.summary.n_params_total == len(result.delta) == total
    moved = [set(result.delta_at(rank).nonzero()[:, 0].tolist()) for rank in (1, 5, 10)]
    assert moved[0] == moved[1] == moved[2]
    assert len(moved[0]) == total // 4
    jacobian, residual = features(problem)
    reached = residual + jacobian @ result.delta
    assert float(reached.square().sum()) == pytest.approx(result.summary.refined.train_mse, rel=1e-8)
    assert loss_path(problem, result.delta).linearised[0] == pytest.approx(result.summary.base.train_mse)


def test_a_random_part_cannot_be_factored(problem: SupervisedProblem) -> None:
    with pytest.raises(InputError, match="strategy: no parameter, wholly free, is used in a way"):
        refine(problem, max_rank=4, parameter_fraction=0.5, strategy="factored")


@pytest.mark.parametrize("strategy", ["row-blocks", "factored"])
def test_the_last_layer_alone_is_linear_regression_on_its_features(problem: SupervisedProblem, strategy: str) -> None:
    result = refine(problem, layers="4.*", rank=13, strategy=strategy)
    assert result.summary.n_params == 13
    inputs, targets = problem.train
    with torch.no_grad():
        hidden = torch.cat([problem.model[:4](inputs), torch.ones(60, 1)], dim=1)  # type: ignore[index]
        base = problem.model(inputs)
    expected = base[:, 0] + twins.fitted(hidden, (targets - base)[:, 0])
    torch.testing.assert_close(result.predictor(inputs)[:, 0], expected, rtol=0, atol=1e-7)
    assert not result.delta[:-13].any()


def test_a_pattern_that_matches_nothing_names_what_there_is(problem: SupervisedProblem) -> None:
    with pytest.raises(InputError, match=r"layers: no parameter name matches 'conv\*'; the names are 0\.weight"):
        refine(problem, layers="conv*")


class Wave(nn.Module):
    """A network with a complex layer."""

    def __init__(self) -> None:
        super().__init__()
        draw = twins.generator(4)
        self.lift = nn.Linear(2, 5).double()
        self.mix = nn.Parameter(torch.randn(5, 3, generator=draw, dtype=torch.complex128))

    def forward(self, inputs: Tensor) -> Tensor:
        wave = torch.tanh(self.lift(inputs)).to(self.mix.dtype) @ self.mix
        return wave.abs().square().sum(1, keepdim=True)


@pytest.mark.parametrize("strategy", ["matrix-free", "row-blocks"])
@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_complex_parameters_count_as_two_real_ones(strategy: str, fraction: float) -> None:
    torch.manual_seed(0)
    model = Wave().eval()
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    assert function.n_params == 15 + 2 * 15
    data = [twins.data(40, seed=seed) for seed in (1, 2, 3)]
    result = refine(
        SupervisedProblem("wave", model, *data), max_rank=10, strategy=strategy, parameter_fraction=fraction
    )
    assert result.sweep.train_mse[10] < 0.5 * result.sweep.train_mse[0]
    assert result.predictor.delta["mix"].is_complex()
    errors = result.summary.refined
    assert errors.train_mse == pytest.approx(result.sweep.train_mse[result.rank], rel=1e-6)


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_published_modes_are_the_recipe_written_out(mode: int) -> None:
    """Against the steps of the authors' description, with the same Ω, in double precision."""
    problem = twins.problem(twins.network(2, 8, 1), 50)
    config = RefineConfig.model_validate(
        {**published_settings(mode), "dtype": "float64", "max_rank": 6, "rank": 6, "seed": 2}
    )
    result = refine(problem, config)
    jacobian, residual = features(problem)
    if mode == 1:
        jacobian_for_basis = jacobian * 50**0.5
    else:
        jacobian_for_basis = jacobian
    width = 6 if mode == 3 else 16
    generator = prepare(problem, config).generator(SKETCH)
    omega = torch.rand(jacobian.shape[1], width, generator=generator, dtype=torch.float64)
    q = torch.linalg.qr(jacobian_for_basis @ omega).Q
    adjoint = jacobian.T @ q
    if mode in (1, 2):
        right = torch.linalg.svd(adjoint.T, full_matrices=False).Vh[:6].T
        expected = twins.fitted(jacobian @ right, -residual)
    elif mode == 3:
        expected = jacobian @ torch.linalg.lstsq(adjoint.T, -q.T @ residual, driver="gelsd").solution
    else:
        right = torch.linalg.svd(adjoint.T, full_matrices=False).Vh[:6].T
        solution = torch.linalg.lstsq(adjoint.T @ right, -q.T @ residual, driver="gelsd").solution
        expected = jacobian @ right @ solution
    torch.testing.assert_close(jacobian @ result.delta, expected, rtol=0, atol=1e-9)
    assert result.summary.residual_norm.linear == pytest.approx(float((residual + expected).norm()), rel=1e-8)


def test_published_settings_run_as_they_are() -> None:
    result = refine(twins.problem(twins.network(2, 8, 1), 50), max_rank=6, **published_settings())
    assert result.summary.dtype == "float32"
    assert result.summary.strategy == "matrix-free"
    assert result.summary.refined.train_mse < result.summary.base.train_mse  # type: ignore[operator]


def test_the_random_rows_do_not_depend_on_the_blocks() -> None:
    like = torch.zeros(1, dtype=torch.float64)
    whole = sketch_rows(slice(0, 3000), 4, 7, like)
    parts = [sketch_rows(slice(start, min(start + 700, 3000)), 4, 7, like) for start in range(0, 3000, 700)]
    assert torch.equal(torch.cat(parts), whole)
    assert abs(float(whole.mean())) < 0.05
    assert float(sketch_rows(slice(0, 100), 4, 7, like, uniform=True).min()) >= 0


def test_a_memory_mapped_split_is_refined_like_one_in_memory(problem: SupervisedProblem, tmp_path: Path) -> None:
    mapped = []
    for name, values in (("x", problem.train.inputs), ("y", problem.train.targets)):
        path = tmp_path / f"{name}.npy"
        np.save(path, values.numpy())
        mapped.append(torch.from_numpy(np.load(path, mmap_mode="c")))
    other = SupervisedProblem("mapped", problem.model, Split(*mapped), problem.validation, problem.test)
    torch.testing.assert_close(refine(other, max_rank=5).delta, refine(problem, max_rank=5).delta, rtol=0, atol=0)


def test_a_kept_row_and_a_recomputed_row_give_the_same(problem: SupervisedProblem) -> None:
    kept = refine(problem, max_rank=6, strategy="row-blocks")
    tight = refine(problem, max_rank=6, strategy="row-blocks", memory_budget=kept.setting.plan.peak_bytes)
    assert kept.setting.plan.keep_rows
    torch.testing.assert_close(kept.delta, tight.delta, rtol=0, atol=1e-12)


def test_a_budget_that_cannot_be_met_is_refused(problem: SupervisedProblem) -> None:
    with pytest.raises(InputError, match=r"memory_budget: Needs about \d+ MB .* No rank fits; allow more memory"):
        refine(problem, memory_budget="10MB")


def test_a_pure_function_of_a_derivative_is_refined() -> None:
    """Leave a door to physics: a residual that differentiates the network inside."""
    from torch.func import functional_call, grad, jvp

    network = twins.network(1, 8, 1)
    parameters = {name.replace(".", "_"): value for name, value in network.named_parameters()}
    names = {name.replace(".", "_"): name for name, _ in network.named_parameters()}

    def second_derivative(named: dict[str, Tensor], inputs: Tensor) -> Tensor:
        own = {names[name]: value for name, value in named.items()}

        def field(point: Tensor) -> Tensor:
            return functional_call(network, own, (point[None],)).squeeze()

        def at(point: Tensor) -> Tensor:
            return jvp(grad(field), (point,), (torch.ones_like(point),))[1]

        return torch.vmap(at)(inputs)

    model = PureFunction(second_derivative, parameters)
    points = torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    problem = SupervisedProblem("u'' = f", model, Split(points, -torch.sin(2 * points)))
    fits = {
        strategy: refine(problem, rank=10, strategy=strategy).summary.refined.train_mse
        for strategy in ("row-blocks", "matrix-free")
    }
    assert fits["row-blocks"] < 1e-3  # type: ignore[operator]
    assert fits["row-blocks"] == pytest.approx(fits["matrix-free"], rel=1e-4)


class Counted(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """Knows how many of its rows were ever alive at once."""

    def __init__(self, split: Split) -> None:
        self.split, self.alive, self.most = split, 0, 0

    def __len__(self) -> int:
        return len(self.split.inputs)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        row = self.split.inputs[index].clone()
        self.alive += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(row, self._gone)
        return row, self.split.targets[index].clone()

    def _gone(self) -> None:
        self.alive -= 1


@pytest.mark.parametrize("strategy", ["row-blocks", "factored"])
def test_rows_from_a_data_loader_are_refined_like_rows_in_memory(problem: SupervisedProblem, strategy: str) -> None:
    rows = Counted(problem.train)
    streamed = split_from_batches(torch.utils.data.DataLoader(rows, batch_size=7))
    assert torch.equal(streamed.inputs, problem.train.inputs)
    assert rows.most <= 2 * 7
    other = replace(problem, train=streamed)
    fitted = [
        refine(at, max_rank=5, strategy=strategy).predictor.predict(problem.train.inputs) for at in (problem, other)
    ]
    torch.testing.assert_close(*fitted, rtol=1e-10, atol=0)


def test_a_shuffling_loader_shows_every_pass_the_same_rows(problem: SupervisedProblem) -> None:
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*problem.train), batch_size=9, shuffle=True, generator=torch.Generator()
    )
    streamed = split_from_batches(loader)
    assert not torch.equal(streamed.inputs, problem.train.inputs)
    mse = [refine(replace(problem, train=at), max_rank=5).summary.refined.train_mse for at in (problem.train, streamed)]
    assert mse[0] == pytest.approx(mse[1], rel=0.5)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "at least one batch"),
        ([torch.ones(3)], "batch 0 is not a pair"),
        ([(torch.ones(3, 2), torch.ones(2, 1))], "the first sizes must agree"),
        (
            [(torch.ones(3, 2), torch.ones(3, 1)), (torch.ones(3, 4), torch.ones(3, 1))],
            r"batch 1 has rows of shape \(4,\)",
        ),
    ],
)
def test_batches_that_are_no_rows_are_refused(batches: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_from_batches(batches)  # type: ignore[arg-type]


def test_quantiles_are_those_of_the_errors_of_single_samples(problem: SupervisedProblem) -> None:
    result = refine(problem, max_rank=5)
    assert problem.test is not None
    found = result.summary.refined_quantiles
    errors = (result.predictor.predict(problem.test.inputs) - problem.test.targets).norm(dim=1).numpy()
    assert found is not None
    np.testing.assert_allclose([found.median, found.p99, found.max], np.quantile(errors, [0.5, 0.99, 1.0]), rtol=1e-9)
