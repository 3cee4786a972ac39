"""The refined predictor, and the network at θ0 + Δθ that it is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lsr_core.diagnosis.loss_path import agreement_interval, loss_path, loss_paths
from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.refinement.fields import thinned, thinned_points
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.sizes import MAX_STEPPED_POINTS
from tests.core import twins


@pytest.fixture(scope="module")
def result() -> Refinement:
    return refine(twins.problem(twins.network(2, 6, 6, 1)), max_rank=15)


def test_the_predictor_is_network_plus_jacobian_times_step(result: Refinement) -> None:
    inputs = result.problem.test.inputs  # type: ignore[union-attr]
    model = result.problem.model
    with torch.no_grad():
        expected = model(inputs) + (twins.jacobian(model, inputs) @ result.delta)[:, None]
    torch.testing.assert_close(result.predictor(inputs), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(result.predictor.predict(inputs, chunk=3), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_inputs_of_any_floating_type_are_taken_and_answered_in_the_stated_one(
    result: Refinement, dtype: torch.dtype
) -> None:
    assert isinstance(result.problem, SupervisedProblem)
    inputs = result.problem.train.inputs[:7].to(dtype)
    wanted = result.predictor(inputs.double())
    assert result.predictor.dtype == wanted.dtype == torch.float64
    for given in (inputs, *([] if dtype == torch.bfloat16 else [inputs.numpy()]), inputs.double().tolist()):
        assert torch.equal(result.predictor(given), wanted)
        assert torch.equal(result.predictor.predict(given, chunk=3), result.predictor.predict(inputs.double(), chunk=3))
    single = refine(result.problem, max_rank=4, dtype="float32").predictor
    assert single(inputs).dtype == single.dtype == torch.float32


def test_the_predictor_says_what_it_does_not_take(result: Refinement) -> None:
    with pytest.raises(InputError, match="of type list; a tensor, a NumPy array or lists"):
        result.predictor([[0.5], [0.5, 1.0]])


def test_the_predictor_is_affine_in_the_step(result: Refinement) -> None:
    inputs = result.problem.train.inputs
    double = RefinedPredictor(result.problem.model, {name: 2 * part for name, part in result.predictor.delta.items()})
    base, once = result.predictor.parts(inputs)
    torch.testing.assert_close(double(inputs), base + 2 * once)


def test_the_predictor_refuses_what_does_not_fit() -> None:
    model = twins.network(2, 3, 1)
    with pytest.raises(InputError, match="no parameter of this name"):
        RefinedPredictor(model, {"nothing": torch.ones(1)})
    with pytest.raises(InputError, match=r"0\.weight: has shape \(1,\), the parameter has \(3, 2\)"):
        RefinedPredictor(model, {"0.weight": torch.ones(1)})


def test_both_losses_agree_at_zero_in_value_and_slope(result: Refinement) -> None:
    alpha = np.array([0.0, 1e-7, 1.0])
    path = loss_path(result.problem, result.delta, alpha)
    for losses in (path.linearised, path.nonlinear):
        assert losses[0] == pytest.approx(result.summary.base.train_mse, rel=1e-12)
    slopes = [(losses[1] - losses[0]) / 1e-7 for losses in (path.linearised, path.nonlinear)]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-3)
    assert slopes[0] == pytest.approx(-2 * (path.linearised[0] - path.linearised[2]), rel=1e-3)
    assert path.linearised[2] == pytest.approx(result.summary.refined.train_mse, rel=1e-6)


def test_the_nonlinear_loss_is_that_of_the_moved_network(result: Refinement) -> None:
    path = loss_path(result.problem, result.delta, np.array([0.0, 0.3]))
    function = result.setting.function
    moved = function.outputs(result.problem.train.inputs, theta=function.theta0 + 0.3 * result.delta)
    expected = float((moved - result.problem.train.targets).square().mean())
    assert path.nonlinear[1] == pytest.approx(expected, rel=1e-12)


def test_a_network_linear_in_its_parameters_follows_its_linearisation() -> None:
    linear = refine(twins.problem(twins.network(2, 1)), max_rank=3)
    path = loss_path(linear.problem, linear.delta)
    np.testing.assert_allclose(path.nonlinear, path.linearised, rtol=1e-9, atol=1e-15)
    assert path.agreement[0] == 0.0
    assert path.agreement[1] == path.alpha[-1]


def test_a_step_of_the_wrong_size_is_refused(result: Refinement) -> None:
    with pytest.raises(InputError, match="the network has 67 parameters"):
        loss_path(result.problem, torch.zeros(5, dtype=torch.float64))


def test_paths_of_the_ladder_are_single_paths(result: Refinement) -> None:
    paths = loss_paths(result)
    assert paths.n_rows == 40
    for rung, rank in enumerate(paths.ranks):
        single = loss_path(result.problem, result.delta_at(int(rank)), paths.alpha)
        np.testing.assert_allclose(paths.nonlinear[rung], single.nonlinear, rtol=1e-4)
        np.testing.assert_allclose(paths.linearised[rung], single.linearised, rtol=1e-8, atol=1e-14)


def test_the_interval_ends_where_the_losses_part() -> None:
    alpha = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    flat = np.ones(5)
    assert agreement_interval(alpha, flat, np.array([1.2, 1.0, 1.05, 1.5, 1.0])) == (0.0, 1.0)
    assert agreement_interval(alpha, flat, np.array([1.05, 1.0, np.nan, 1.0, 1.0])) == (-1.0, 0.0)


def test_stepped_fields_are_the_network_at_the_moved_parameters(result: Refinement) -> None:
    fields = with_parameter_steps(result)
    function = result.setting.function
    inputs = result.problem.test.inputs[fields.stepped_points]  # type: ignore[union-attr]
    for rung in (0, len(fields.ranks) - 1):
        delta = result.delta_at(int(fields.ranks[rung]))
        expected = function.outputs(inputs, theta=function.theta0 + delta)
        np.testing.assert_allclose(fields.stepped[rung], expected.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        fields.network,
        function.outputs(result.problem.test.inputs).numpy(),
        rtol=1e-12,
        atol=1e-13,  # type: ignore[union-attr]
    )


@pytest.mark.parametrize("count", [5, 2_500, 10_000, 9_999])
def test_thinning_keeps_a_square_grid_square(count: int) -> None:
    chosen = thinned(count, MAX_STEPPED_POINTS)
    assert 0 < len(chosen) <= MAX_STEPPED_POINTS
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    if round(count**0.5) ** 2 == count:
        assert round(len(chosen) ** 0.5) ** 2 == len(chosen)


@pytest.mark.parametrize("shape", [(257, 101), (257, 257), (102, 300), (31, 7)])
def test_thinned_grid_is_a_grid_that_reaches_its_ends(shape: tuple[int, int]) -> None:
    points = torch.cartesian_prod(*(torch.linspace(0, 1, n, dtype=torch.float64) for n in shape))
    chosen = points[thinned_points(points, 2_500)]
    axes = [column.unique() for column in chosen.unbind(1)]
    assert 300 < len(chosen) <= 2_500 or len(chosen) == len(points)
    assert torch.equal(chosen, torch.cartesian_prod(*axes))
    if shape[0] % 2:
        assert [float(axis[-1]) for axis in axes] == [1.0, 1.0]


def test_thinning_keeps_a_grid_whose_points_come_in_any_order() -> None:
    points = torch.cartesian_prod(*(torch.linspace(0, 1, n, dtype=torch.float64) for n in (65, 129)))
    shuffled = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(0))]
    expected, found = points[thinned_points(points, 2_500)], shuffled[thinned_points(shuffled, 2_500)]
    assert {tuple(point) for point in found.tolist()} == {tuple(point) for point in expected.tolist()}


def test_thinning_takes_scattered_points_as_they_come() -> None:
    points = torch.rand(9_000, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(thinned_points(points, 2_500), thinned(9_000, 2_500))
