"""What is asked of a residual, held against dense derivatives of its rows by reverse mode."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.data_residual import DataResidual
from lsr_core.problems.physics.equation_residual import EquationResidual
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.residual import Residual
from lsr_core.problems.splits import Split
from tests.core import twins
from tests.core.test_gauss_newton import logistic, make


def forced(field: Field) -> Tensor:
    """Its derivative by the field is not what makes it."""
    return field["u_x"] - 2 * field["u"] + 3


def of_data(chunk: int | None) -> tuple[Residual, int]:
    function = ParametricFunction.from_module(twins.network(2, 6, 3), dtype=torch.float64)
    inputs, targets = twins.data(17, 2, 3)
    return DataResidual(function, Split(inputs.double(), targets.double()), chunk=chunk), 17 * 3


def of_an_equation(residual: object) -> tuple[Residual, int]:
    problem = make(residual, count=20)  # type: ignore[arg-type]
    return EquationResidual(block_rows(problem, ParametricFunction.from_module(problem.model, dtype=torch.float64))), 23


RESIDUALS = {
    "data": lambda: of_data(None),
    "data in chunks": lambda: of_data(5),
    "equation with a source": lambda: of_an_equation(forced),
    "nonlinear equation": lambda: of_an_equation(logistic),
}


@pytest.mark.parametrize("name", RESIDUALS)
def test_everything_follows_from_the_rows(name: str) -> None:
    residual, count = RESIDUALS[name]()
    theta = residual.theta0

    def rows(at: Tensor) -> Tensor:
        return torch.cat([piece(at).reshape(-1) for piece in residual.pieces()])

    values, slopes = rows(theta), torch.autograd.functional.jacobian(rows, theta)
    assert slopes.shape == (count, len(theta))
    directions = torch.randn(len(theta), 2, generator=twins.generator(3), dtype=torch.float64)
    steps = torch.tensor([[0.0, 0.0], [0.1, -0.2], [0.0, 0.3]], dtype=torch.float64)
    torch.testing.assert_close(residual.values(), values)
    torch.testing.assert_close(residual.jacobian(), slopes)
    torch.testing.assert_close(residual.along(directions), slopes @ directions)
    wanted = torch.stack([rows(theta + directions @ step).square().sum() for step in steps])
    torch.testing.assert_close(residual.losses_at(directions, steps), wanted)
    loss, gradient = residual.loss_and_gradient(theta)
    assert loss == pytest.approx(float(values.square().sum()))
    torch.testing.assert_close(gradient, 2 * slopes.T @ values)
    moved = theta + directions @ steps[1]
    values, slopes = rows(moved), torch.autograd.functional.jacobian(rows, moved)
    system = residual.normal_equations(moved)
    torch.testing.assert_close(system.matrix, slopes.T @ slopes)
    torch.testing.assert_close(system.gradient, slopes.T @ values)
    assert system.loss == pytest.approx(float(residual.loss(moved)))
