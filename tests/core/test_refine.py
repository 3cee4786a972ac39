"""One-shot refinement against what linear algebra says it must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lsr_core.errors import Cancelled, InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import PureFunction
from lsr_core.problems.splits import Split
from lsr_core.refinement import factored, plan
from lsr_core.refinement.ranks import choose, knee, ladder
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.core import twins

STRATEGIES = ("matrix-free", "row-blocks", "factored")


def features(problem: SupervisedProblem) -> tuple[torch.Tensor, torch.Tensor]:
    """Dense Jacobian and residual of the training rows, scaled by 1/√N."""
    inputs, targets = problem.train
    scale = targets.numel() ** -0.5
    with torch.no_grad():
        residual = (problem.model(inputs) - targets).reshape(-1)
    return twins.jacobian(problem.model, inputs) * scale, residual * scale


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("layers", "rows"),
    [((2, 5, 1), 60), ((2, 6, 6, 1), 20), ((2, 4, 3), 15)],
    ids=["n > m", "n < m", "three outputs"],
)
def test_full_rank_lands_on_the_least_squares_optimum(strategy: str, layers: tuple[int, ...], rows: int) -> None:
    problem = twins.problem(twins.network(*layers), rows, n_outputs=layers[-1])
    jacobian, residual = features(problem)
    result = refine(problem, strategy=strategy, rank=min(jacobian.shape), seed=3)
    optimum = residual - jacobian @ torch.linalg.pinv(jacobian) @ residual
    reached = residual + jacobian @ result.delta
    assert float((reached - optimum).norm()) <= 1e-8 * float(residual.norm())


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("scaling", ["orthonormal", "singular-values"])
def test_each_rank_of_the_sweep_is_its_separate_solve(strategy: str, scaling: str) -> None:
    problem = twins.problem(twins.network(2, 6, 1), 40)
    jacobian, residual = features(problem)
    result = refine(problem, strategy=strategy, scaling=scaling, max_rank=12, seed=1)
    basis = torch.stack([result.subspace.delta(row) for row in torch.eye(12, dtype=torch.float64)], dim=1)
    modes = jacobian @ basis
    for rank in range(13):
        twin = residual + twins.fitted(modes[:, :rank], -residual) if rank else residual
        reached = residual + jacobian @ result.delta_at(rank)
        assert float((reached - twin).norm()) <= 1e-10 * float(residual.norm())
        assert result.sweep.train_mse[rank] == pytest.approx(float(twin.square().sum()), rel=1e-8)
        if rank:
            values = torch.linalg.svdvals(modes[:, :rank] / result.subspace.scale[:rank])
            assert result.sweep.condition_number[rank] == pytest.approx(float(values[0] / values[-1]), rel=1e-6)
            assert result.sweep.delta_norm[rank] == pytest.approx(float(result.delta_at(rank).norm()), rel=1e-8)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_basis_is_orthonormal_or_divided_by_its_singular_values(strategy: str) -> None:
    problem = twins.problem(twins.network(2, 6, 1), 40)
    for scaling in ("orthonormal", "singular-values"):
        subspace = refine(problem, strategy=strategy, scaling=scaling, max_rank=8).subspace
        basis = torch.stack([subspace.delta(row) for row in torch.eye(8, dtype=torch.float64)], dim=1)
        unit = basis / subspace.scale
        torch.testing.assert_close(unit.T @ unit, torch.eye(8, dtype=torch.float64), rtol=0, atol=1e-9)


def test_row_blocks_find_the_leading_right_singular_subspace() -> None:
    problem = twins.problem(twins.network(2, 8, 1), 50)
    jacobian, _ = features(problem)
    subspace = refine(problem, strategy="row-blocks", max_rank=6, power_iterations=3).subspace
    basis = torch.stack([subspace.delta(row) for row in torch.eye(6, dtype=torch.float64)], dim=1)
    right = torch.linalg.svd(jacobian).Vh[:6].T
    torch.testing.assert_close(basis @ basis.T, right @ right.T, rtol=0, atol=1e-10)
    values = torch.linalg.svdvals(jacobian)[:6] * problem.train.targets.numel() ** 0.5
    torch.testing.assert_close(subspace.singular_values, values, rtol=1e-10, atol=0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_streamed_blocks_give_what_one_block_gives(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = twins.problem(twins.network(2, 6, 1), 40)
    whole = refine(problem, strategy=strategy, max_rank=10, seed=2)
    monkeypatch.setattr(plan, "MAX_BLOCK", 3_000)
    monkeypatch.setattr(factored, "ROWS", 7)
    streamed = refine(problem, strategy=strategy, max_rank=10, seed=2)
    jacobian, residual = features(problem)
    gap = jacobian @ (streamed.delta - whole.delta)
    assert float(gap.norm()) <= 1e-10 * float(residual.norm())
    np.testing.assert_allclose(streamed.sweep.test_mse, whole.sweep.test_mse, rtol=1e-7)
    np.testing.assert_allclose(streamed.fields.refined_error, whole.fields.refined_error, rtol=1e-4, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 25), rank=st.integers(0, 25), seed=st.integers(0, 50), strategy=st.sampled_from(STRATEGIES))
def test_the_linear_loss_never_rises_with_the_rank(rows: int, rank: int, seed: int, strategy: str) -> None:
    problem = twins.problem(twins.network(2, 3, 1, seed=seed), rows)
    limit = min(rows, 13)
    if rank > limit:
        with pytest.raises(InputError, match=f"allow at most {limit}"):
            refine(problem, max_rank=rank, strategy=strategy)
        return
    sweep = refine(problem, max_rank=rank, strategy=strategy, seed=seed).sweep
    assert sweep.max_rank == rank
    solved = sweep.train_mse[sweep.solved]
    assert np.all(np.diff(solved) <= 1e-12 * solved[0])


def test_a_model_linear_in_its_parameters_is_solved_exactly() -> None:
    def polynomial(named: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x**2, torch.ones_like(x)], dim=1) @ named["w"]

    inputs = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    truth = 3 * inputs**2 - inputs + 0.5
    model = PureFunction(polynomial, {"w": torch.zeros(3, 1, dtype=torch.float64)})
    result = refine(SupervisedProblem("linear", model, Split(inputs, truth), Split(inputs, truth)), max_rank=3)
    torch.testing.assert_close(result.delta, torch.tensor([-1.0, 3.0, 0.5], dtype=torch.float64), rtol=0, atol=1e-12)
    assert result.summary.residual_norm.linear == pytest.approx(0, abs=1e-13)


def test_rank_zero_changes_nothing() -> None:
    problem = twins.problem(twins.network(2, 5, 1))
    result = refine(problem, rank=0)
    assert result.rank == 0
    assert not result.delta.any()
    assert result.summary.refined == result.summary.base
    only = refine(problem, max_rank=0)
    assert only.sweep.max_rank == 0
    assert only.summary.condition_number is None


def test_the_three_norms_and_the_reported_errors_are_those_of_the_predictor() -> None:
    problem = twins.problem(twins.network(2, 6, 1))
    result = refine(problem, max_rank=10)
    with torch.no_grad():
        refined = result.predictor(problem.test.inputs)  # type: ignore[union-attr]
    mse = float((refined - problem.test.targets).square().mean())  # type: ignore[union-attr]
    assert result.summary.refined.test_mse == pytest.approx(mse, rel=1e-12)
    norms = result.summary.residual_norm
    assert norms.linear == pytest.approx(norms.nonlinear, rel=1e-8)
    assert norms.base == pytest.approx(result.sweep.residual_norm[0])


def test_auto_refuses_to_refine_what_only_gets_worse() -> None:
    """Validation targets that the network already meets exactly: any correction is harm."""
    problem = twins.problem(twins.network(2, 6, 1))
    inputs = twins.data(40, seed=2).inputs
    with torch.no_grad():
        perfect = Split(inputs, problem.model(inputs))
    result = refine(replace(problem, validation=perfect), max_rank=10)
    assert result.rank == 0
    assert "do not refine" in result.summary.rank_choice


def test_without_validation_the_knee_is_taken_and_said() -> None:
    problem = replace(twins.problem(twins.network(2, 6, 1)), validation=None, test=None)
    result = refine(problem, max_rank=10)
    assert "no validation split" in result.summary.rank_choice
    assert result.rank == result.summary.knee
    assert np.isnan(result.sweep.val_mse).all()
    assert result.summary.refined.test_mse is None
    assert result.fields.split == "train"


def test_float32_is_a_choice_that_the_result_names() -> None:
    result = refine(twins.problem(twins.network(2, 6, 1)), max_rank=8, dtype="float32")
    assert result.delta.dtype == torch.float32
    assert result.summary.dtype == "float32"
    assert result.summary.refined.train_mse < result.summary.base.train_mse  # type: ignore[operator]


def test_same_seed_same_result() -> None:
    problem = twins.problem(twins.network(2, 6, 1))
    for strategy in STRATEGIES:
        first, again = (refine(problem, max_rank=6, seed=5, strategy=strategy).delta for _ in range(2))
        assert torch.equal(first, again)


def test_the_network_is_left_alone() -> None:
    model = twins.network(2, 6, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    refine(twins.problem(model), max_rank=6, dtype="float32")
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_progress_rises_to_the_end_and_can_stop_the_work() -> None:
    problem = twins.problem(twins.network(2, 6, 1))
    seen: list[float] = []
    refine(problem, max_rank=6, progress=lambda _, fraction: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] > 0.8

    def stop(stage: str, _: float) -> None:
        if stage == "validation rows":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        refine(problem, max_rank=6, progress=stop)


class TestRefusals:
    """Settings that cannot be met say what would."""

    problem = twins.problem(twins.network(2, 5, 1), rows=12)

    @pytest.mark.parametrize(
        ("settings_", "message"),
        [
            ({"max_rank": 13}, r"max_rank: is 13, but 12 residuals and 21 parameters allow at most 12"),
            ({"rank": 13}, r"rank: is 13, but 12 residuals"),
            ({"rank": 9, "max_rank": 8}, r"rank: is 9, larger than the maximum rank 8"),
            ({"device": "toaster"}, r"device: 'toaster' is not a device"),
            ({"device": "cuda"}, r"device: no CUDA device"),
        ],
        ids=["max rank", "rank", "rank over max rank", "device", "no cuda"],
    )
    def test_settings(self, settings_: dict[str, object], message: str) -> None:
        if settings_.get("device") == "cuda" and torch.cuda.is_available():
            pytest.skip("this machine has CUDA")
        with pytest.raises(InputError, match=message):
            refine(self.problem, **settings_)

    def test_the_default_maximum_is_clamped_and_says_so(self) -> None:
        result = refine(self.problem)
        assert result.summary.max_rank == 12
        assert any("clamped to 12" in note for note in result.summary.notes)

    def test_nan_data(self) -> None:
        inputs, targets = twins.data(10)
        targets[3] = torch.nan
        with pytest.raises(InputError, match="train_targets: 1 of 10 values are NaN"):
            SupervisedProblem("bad", nn.Linear(2, 1), Split(inputs, targets))

    def test_different_numbers_of_rows(self) -> None:
        with pytest.raises(InputError, match="10 inputs but 9 targets"):
            SupervisedProblem("bad", nn.Linear(2, 1), Split(torch.ones(10, 2), torch.ones(9, 1)))

    def test_empty(self) -> None:
        with pytest.raises(InputError, match="validation: has no rows"):
            SupervisedProblem("bad", nn.Linear(2, 1), twins.data(5), Split(torch.ones(0, 2), torch.ones(0, 1)))


def test_ladder_has_both_ends_and_what_is_required() -> None:
    for largest in (0, 1, 2, 50, 1000):
        rungs = ladder(largest, required=(min(7, largest),))
        assert rungs[0] == 0
        assert rungs[-1] == largest
        assert min(7, largest) in rungs
        assert len(rungs) <= 64
        assert rungs == sorted(set(rungs))


def test_knee_is_where_the_fall_ends() -> None:
    errors = np.concatenate([np.geomspace(1, 1e-6, 30), np.full(70, 9e-7)])
    assert 25 <= knee(errors) <= 35
    assert knee(np.array([1.0, 2.0, 3.0])) == 0


def test_a_fixed_rank_beyond_the_sweep_is_refused() -> None:
    result: Refinement = refine(twins.problem(twins.network(2, 5, 1), rows=12), max_rank=4)
    with pytest.raises(InputError, match="largest rank of this sweep is 4"):
        choose(result.sweep, 5)
    with pytest.raises(InputError, match="ranks 0 to 4"):
        result.delta_at(5)
