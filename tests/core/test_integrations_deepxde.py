"""A model of DeepXDE with its equation: the residuals are the library's, and a refinement solves what it was trained for."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

os.environ["DDE_BACKEND"] = "pytorch"
pytest.importorskip("deepxde", reason="the extra `deepxde` is not installed")

import deepxde as dde

from lsr_core.errors import InputError
from lsr_core.integrations.blackbox import BlackBox
from lsr_core.integrations.deepxde import RefineModel, from_deepxde
from lsr_core.integrations.deepxde_blocks import field_at
from lsr_core.refinement.refine import refine


def compiled(data: Any, net: Any = None, weights: Any = None) -> Any:
    dde.config.set_random_seed(0)
    model = dde.Model(data, net or dde.nn.FNN([data.geom.dim, 20, 20, 1], "tanh", "Glorot normal"))
    model.compile("adam", lr=1e-3, loss_weights=weights)
    return model


def poisson() -> Any:
    """−u″ = π² sin πx on [−1, 1]."""

    def equation(x: Tensor, y: Tensor) -> Tensor:
        return -dde.grad.hessian(y, x) - math.pi**2 * torch.sin(math.pi * x)

    line = dde.geometry.Interval(-1, 1)
    ends = dde.icbc.DirichletBC(line, lambda x: 0, lambda _, on: on)
    return dde.data.PDE(line, equation, ends, 200, 2, solution=lambda x: np.sin(np.pi * x), num_test=100)


def heat() -> Any:
    def equation(x: Tensor, y: Tensor) -> Tensor:
        return dde.grad.jacobian(y, x, i=0, j=1) - 0.1 * dde.grad.hessian(y, x, i=0, j=0)

    domain = dde.geometry.GeometryXTime(dde.geometry.Interval(0, 1), dde.geometry.TimeDomain(0, 1))
    walls = dde.icbc.DirichletBC(domain, lambda _: 0, lambda _, on: on)
    start = dde.icbc.IC(domain, lambda x: np.sin(np.pi * x[:, :1]), lambda _, on: on)

    def exact(x: np.ndarray) -> np.ndarray:
        return np.exp(-0.1 * np.pi**2 * x[:, 1:]) * np.sin(np.pi * x[:, :1])

    return dde.data.TimePDE(
        domain, equation, [walls, start], num_domain=300, num_boundary=60, num_initial=60, solution=exact
    )


def test_the_loss_is_that_of_the_library() -> None:
    model = compiled(heat(), weights=[1, 10, 5])
    problem = from_deepxde(model)
    theirs = model.outputs_losses_train(*model.data.train_next_batch()[:2], None)[1]
    ours = []
    for block in problem.blocks:
        rows = block.residual(
            field_at(problem.model, problem.points[block.name], problem.outputs, problem.variables, block.needs)
        )
        ours.append(block.weight * float(rows.square().mean()))
    np.testing.assert_allclose(ours, [float(part.detach()) for part in theirs], rtol=1e-4)
    assert [set(block.needs) for block in problem.blocks] == [{"u_t", "u_xx"}, set(), set()]


@pytest.mark.slow
@pytest.mark.parametrize(("data", "rank", "error"), [(poisson, 120, 1e-6), (heat, 300, 1e-4)])
def test_one_solve_comes_near_the_solution(data: Any, rank: int, error: float) -> None:
    found = refine(from_deepxde(compiled(data())), max_rank=rank)
    assert found.summary.refined.test_relative_l2 is not None
    assert found.summary.refined.test_relative_l2 < error


def test_nonlinear_terms_neumann_robin_and_operators_are_the_library_s_own() -> None:
    def equation(x: Tensor, y: Tensor) -> list[Tensor]:
        flux = y[:, :1] * dde.grad.jacobian(y, x, i=0, j=0)  # differentiated as a whole
        return [
            dde.grad.jacobian(flux, x, i=0, j=0) + y[:, 1:],
            dde.grad.hessian(y, x, component=1, i=0, j=1) - y[:, :1],
        ]

    square = dde.geometry.Rectangle([0, 0], [1, 2])
    conditions = [
        dde.icbc.NeumannBC(square, lambda x: x[:, :1], lambda x, on: on and np.isclose(x[0], 1), component=0),
        dde.icbc.RobinBC(square, lambda x, y: 2 * y[:, :1], lambda x, on: on and np.isclose(x[0], 0), component=0),
        dde.icbc.OperatorBC(
            square,
            lambda x, y, _: dde.grad.jacobian(y, x, i=1, j=1) - x[:, :1],
            lambda x, on: on and np.isclose(x[1], 0),
        ),
        dde.icbc.PointSetBC(np.array([[0.5, 0.5], [0.2, 1.5]]), np.array([[1.0], [2.0]]), component=1),
    ]
    data = dde.data.PDE(square, equation, conditions, num_domain=40, num_boundary=60)
    problem = from_deepxde(
        compiled(data, dde.nn.FNN([2, 8, 2], "tanh", "Glorot normal"))
    )  # each block is proved as it is made
    needs = [set(block.needs) for block in problem.blocks]
    assert needs[:2] == [{"u1_x", "u1_xx"}, {"u2_xy"}]
    assert needs[2] == needs[3] == {"u1_x", "u1_y"}  # whichever way the normal points
    assert needs[4:] == [{"u2_y"}, set()]
    assert problem.outputs == ("u1", "u2")


def test_periodic_conditions_stand_on_pairs() -> None:
    line = dde.geometry.Interval(0, 1)
    periodic = dde.icbc.PeriodicBC(line, 0, lambda x, on: on and np.isclose(x[0], 0), derivative_order=1)
    data = dde.data.PDE(line, lambda x, y: dde.grad.jacobian(y, x), [periodic], 20, 2)
    block = from_deepxde(compiled(data)).blocks[1]
    assert block.pairs
    assert block.needs == ("u_x",)


def test_fifth_derivatives_are_refused_and_not_taken_for_zero() -> None:
    def equation(x: Tensor, y: Tensor) -> Tensor:
        for _ in range(5):
            y = dde.grad.jacobian(y, x)
        return y

    line = dde.geometry.Interval(0, 1)
    data = dde.data.PDE(line, equation, dde.icbc.DirichletBC(line, lambda x: 0, lambda _, on: on), 20, 2)
    with pytest.raises(InputError, match=r"does not depend|differs by"):
        from_deepxde(compiled(data))


def test_other_data_are_refused() -> None:
    function = dde.data.Function(dde.geometry.Interval(0, 1), lambda x: x, 10, 10)
    model = dde.Model(function, dde.nn.FNN([1, 4, 1], "tanh", "Glorot normal"))
    with pytest.raises(InputError, match="Function"):
        from_deepxde(model)


def test_the_callback_refines_on_the_way_and_leaves_the_training_alone() -> None:
    histories = []
    for callbacks in ([], [RefineModel(every=2, max_rank=20)]):
        model = compiled(poisson())
        np.random.seed(1)  # noqa: NPY002  # the library draws from it
        model.train(iterations=4, display_every=1, callbacks=callbacks, verbose=0)
        histories.append(np.array(model.losshistory.loss_train))
    np.testing.assert_array_equal(*histories)
    assert sorted(callbacks[0].gains) == [2, 4]
    assert all(refined < network for network, refined in callbacks[0].gains.values())


def test_a_residual_of_a_field_has_the_derivatives_of_its_formula() -> None:
    """By numbers of the field, in reverse mode, in forward mode and for many samples at a time."""

    def call(x: Tensor, y: Tensor) -> Tensor:
        slope = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
        return (
            slope[:, 0] * y[:, 0] + x[:, 0] ** 2 * torch.autograd.grad(slope[:, 0].sum(), x, create_graph=True)[0][:, 0]
        )

    points = torch.rand(5, 1, dtype=torch.float64)
    box = BlackBox(call, ("u",), ("x",), points)
    assert box.needs == ("u_x", "u_xx")
    jets = torch.rand(5, 3, dtype=torch.float64)

    def rows(values: Tensor, at: Tensor) -> Tensor:
        from lsr_core.problems.physics.fields import Field

        return box(Field(at, ("x",), dict(zip(("u", *box.needs), values.unbind(-1), strict=True))))[:, 0]

    def formula(values: Tensor, at: Tensor) -> Tensor:
        return values[:, 1] * values[:, 0] + at[:, 0] ** 2 * values[:, 2]

    torch.testing.assert_close(rows(jets, points), formula(jets, points))
    wanted = torch.func.jacrev(formula)(jets, points)
    torch.testing.assert_close(torch.func.jacrev(rows)(jets, points), wanted)
    torch.testing.assert_close(torch.func.jacfwd(rows)(jets, points), wanted)
    each = torch.func.vmap(torch.func.jacrev(lambda one, at: rows(one[None], at[None])[0]))(jets, points)
    torch.testing.assert_close(each, torch.stack([wanted[place, place] for place in range(5)]))
