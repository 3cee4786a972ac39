"""Physics problems: jets, residual rows and their Jacobians against dense twins; refinement; bad input."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from lsr_core.diagnosis.loss_path import loss_path, loss_paths
from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import delta_at
from lsr_core.jobs.worker import execute
from lsr_core.networks import architectures
from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import RowJacobian
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.layered import LayeredNetwork, chain_of
from lsr_core.networks.pointjets import JetSpec, jets_of, reverse_jets_of
from lsr_core.networks.residuals import JetJacobian, PointwiseJacobian, factors_of, form_of
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.blocks import ResidualBlock, dirichlet
from lsr_core.problems.physics.fields import Field, derivative
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points, make_problem
from lsr_core.problems.physics.residuals import block_rows, residual_vector
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.setting import Setting
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.runs import RunStore

from .twins import generator, network

DOMAIN = {"x": (0.0, 1.0), "t": (0.0, 2.0)}
BOTH = JetSpec.of((0, 0), (1, 1))


class Ansatz(LayeredNetwork):
    """Periodic features, a lift and a mask, two outputs."""

    def __init__(self, activation: str = "tanh", seed: int = 0) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(*widths) for widths in itertools.pairwise((3, 7, 6, 2)))
        self.activation_name = activation
        draw = generator(seed)
        with torch.no_grad():
            for value in self.parameters():
                value.copy_(torch.randn(value.shape, generator=draw) / max(1, value.shape[-1]) ** 0.5)
        self.double().eval()

    def features(self, inputs: Tensor) -> Tensor:
        x, t = inputs.unbind(1)
        return torch.stack([torch.cos(3 * x), torch.sin(3 * x), t], dim=1)

    def lift(self, inputs: Tensor) -> Tensor:
        return torch.stack([torch.sin(inputs[:, 0]) * inputs[:, 1], inputs[:, 0] ** 3], dim=1)

    def mask(self, inputs: Tensor) -> Tensor:
        return (inputs[:, :1] * (1 - inputs[:, 1:] ** 2)).exp()


class Odd(nn.Module):
    """A network that is no chain of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network(2, 5, 2, seed=3)
        self.scale = nn.Parameter(torch.tensor([0.7, 1.3], dtype=torch.float64))
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.sin(self.inner(inputs) * self.scale) * inputs[:, :1]


def uniform(count: int, draw: torch.Generator) -> Tensor:
    points = torch.rand(count, 2, generator=draw, dtype=torch.float64)
    return points * torch.tensor([1.0, 2.0], dtype=torch.float64)


def face(column: int, value: float) -> Callable[[int, torch.Generator], Tensor]:
    def region(count: int, draw: torch.Generator) -> Tensor:
        points = uniform(count, draw)
        points[:, column] = value
        return points

    return region


def periodic(count: int, draw: torch.Generator) -> Tensor:
    points = uniform(count, draw)
    left, right = points.clone(), points.clone()
    left[:, 0], right[:, 0] = 0.0, 1.0
    return torch.stack([left, right], dim=1)


def coupled(field: Field) -> Tensor:
    """Two nonlinear equations for u and v."""
    first = field["u_t"] - 0.3 * field["u_xx"] + field["v"] * field["u_x"] - torch.sin(field.x("x"))
    second = field["v_tt"] - field["v_xx"] + field["u"] ** 2
    return torch.stack([first, second], dim=1)


BLOCKS = (
    ResidualBlock("interior", ("u_t", "u_x", "u_xx", "v_tt", "v_xx"), coupled, uniform, 30, weight=2.0),
    dirichlet("initial", lambda points: points[:, 0] * (1 - points[:, 0]), face(1, 0.0), 9, weight=5.0),
    ResidualBlock("periodic", ("u_x",), lambda a, b: torch.stack([a["u"] - b["u"], a["u_x"] - b["u_x"]], 1), periodic, 7, pairs=True),
)  # fmt: skip


def make(
    model: nn.Module, blocks: tuple[ResidualBlock, ...] = BLOCKS, seed: int = 0, **changes: object
) -> PhysicsProblem:
    points, fresh = draw_points(blocks, seed)
    inputs = uniform(40, generator(5))
    outputs = ("u", "v") if model(inputs[:1]).shape[1] == 2 else ("u",)
    targets = torch.stack([torch.sin(inputs.sum(1)), inputs[:, 0]], 1)[:, : len(outputs)]
    settings: dict[str, object] = {"points": points, "fresh": fresh, "test": Split(inputs, targets), **changes}
    return PhysicsProblem("tiny", model, "none", {}, DOMAIN, outputs, blocks, **settings)  # type: ignore[arg-type]


def function_of(model: nn.Module) -> ParametricFunction:
    return ParametricFunction.from_module(model, dtype=torch.float64)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "ansatz": Ansatz,
    "plain": lambda: network(2, 6, 5, 2),
    "odd": Odd,
}


@pytest.fixture(params=sorted(MODELS))
def problem(request: pytest.FixtureRequest) -> PhysicsProblem:
    return make(MODELS[request.param]())


class TestJets:
    @pytest.mark.parametrize("activation", ["tanh", "sin", "silu", "gelu"])
    def test_through_layers_as_nested_derivatives(self, activation: str) -> None:
        function = function_of(Ansatz(activation))
        points = uniform(11, generator())
        jets = JetFunction(function, BOTH)
        assert jets.chain is not None
        found = jets.fixed(points)(function.theta0)

        def one(point: Tensor) -> Tensor:
            return function(function.theta0, point[None])[0]

        slopes = vmap(jacrev(one))(points)
        curvatures = vmap(jacrev(jacrev(one)))(points)
        twin = torch.stack(
            [vmap(one)(points), slopes[..., 0], slopes[..., 1], curvatures[..., 0, 0], curvatures[..., 1, 1]], dim=1
        )
        assert torch.allclose(found, twin, rtol=1e-12, atol=1e-12)
        assert torch.allclose(jets(function.theta0, points), twin, rtol=1e-12, atol=1e-12)

    def test_forward_and_reverse_mode_agree(self) -> None:
        model, points = Odd(), uniform(6, generator(2))
        spec = JetSpec.of((1, 1))
        assert torch.allclose(jets_of(model, points, spec), reverse_jets_of(model, points, spec), atol=1e-13)

    def test_constant_parts_have_no_derivatives(self) -> None:
        points = uniform(4, generator())
        jets = reverse_jets_of(lambda x: torch.ones(len(x), 1, dtype=x.dtype), points, BOTH)
        assert torch.equal(jets[:, 0], torch.ones(4, 1, dtype=torch.float64))
        assert jets[:, 1:].abs().max() == 0

    def test_what_is_a_chain(self) -> None:
        assert chain_of(network(2, 4, 1)) is not None
        assert chain_of(nn.Sequential(nn.Linear(2, 3), nn.Tanh())) is None
        assert chain_of(nn.Sequential(nn.Linear(2, 3), nn.Softshrink(), nn.Linear(3, 1))) is None
        assert chain_of(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))) is None
        shared = nn.Linear(2, 2)
        assert chain_of(nn.Sequential(shared, nn.Tanh(), shared)) is None
        assert chain_of(Odd()) is None

    def test_names(self) -> None:
        assert derivative("v_xx", ("u", "v"), ("x", "t")) == (1, (0, 0))
        assert derivative("u", ("u", "v"), ("x", "t")) == (0, ())
        assert derivative("u_tx", ("u",), ("x", "t")) == derivative("u_xt", ("u",), ("x", "t")) == (0, (0, 1))
        assert derivative("u_ab", ("u",), ("a", "b", "ab")) == (0, (2,))  # a variable of that name comes first
        for name, said in (
            ("w_x", "no value or derivative"),
            ("u_", "no value"),
            ("u_xz", "not made of"),
            ("u_" + 9 * "x", "at most 8"),
        ):
            with pytest.raises(InputError, match=said):
                derivative(name, ("u",), ("x", "t"))
        with pytest.raises(InputError, match="may differentiate by"):
            derivative("u_aab", ("u",), ("a", "ab", "aa", "b"))


class TestRows:
    def test_every_way_as_reverse_mode(self, problem: PhysicsProblem) -> None:
        function = function_of(problem.model)
        for part in block_rows(problem, function):
            twin = jacrev(lambda theta, part=part: part.residual(theta, part.points).reshape(-1))(function.theta0)
            rows = part.residual.at(part.points, part.width, "row-blocks", block_bytes=20_000)
            assert isinstance(rows, JetJacobian if chain_of(function.module) else PointwiseJacobian)
            assert isinstance(rows, RowJacobian)
            stacked = torch.cat([values for _, values in rows.row_blocks()])
            assert torch.allclose(stacked, twin, rtol=1e-11, atol=1e-11)
            free = part.residual.at(part.points, part.width, "matrix-free")
            block = torch.randn(function.n_params, 20, generator=generator(), dtype=torch.float64)
            assert torch.allclose(free.matmat(block), twin @ block, rtol=1e-10, atol=1e-10)
            back = torch.randn(len(twin), 20, generator=generator(), dtype=torch.float64)
            assert torch.allclose(free.rmatmat(back), twin.T @ back, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize("kind", ["ansatz", "plain"])
    @pytest.mark.parametrize("layers", [None, "*.weight", "*.bias"])
    def test_factored_products_are_those_of_the_rows(self, kind: str, layers: str | None) -> None:
        """Components share the weights of a layer, and only values have a bias."""
        problem = make(MODELS[kind]())
        function = ParametricFunction.from_module(problem.model, dtype=torch.float64, layers=layers)
        for part in block_rows(problem, function):
            factors = factors_of(part.residual, part.points)
            rows = part.residual.at(part.points, part.width, "row-blocks").to_dense()
            form = form_of(part.residual)
            sizes = dict.fromkeys(function.shapes, 0.5)
            drawn = FactoredDirections.random(function.shapes, 5, generator(2), function.theta0, form=form, sizes=sizes)
            torch.testing.assert_close(factors.images(drawn), rows @ drawn.written(), rtol=1e-10, atol=1e-11)

    def test_some_parameters_only(self) -> None:
        model = Ansatz()
        points = uniform(5, generator())
        whole = function_of(model)
        layer = ParametricFunction.from_module(model, dtype=torch.float64, layers="linears.1.*")
        some = ParametricFunction.from_module(model, dtype=torch.float64, fraction=0.4, generator=generator())
        problem = make(model)
        full = block_rows(problem, whole)[0].residual.at(points, 2, "row-blocks")
        assert isinstance(full, RowJacobian)
        rows = full.rows_at(points)
        for function, columns in ((layer, whole.columns["linears.1.weight"].start), (some, None)):
            part = block_rows(problem, function)[0].residual.at(points, 2, "row-blocks")
            assert isinstance(part, RowJacobian)
            found = part.rows_at(points)
            where = torch.arange(columns, columns + 48) if columns is not None else some.picked
            assert torch.allclose(found, rows[:, where], atol=1e-13)

    def test_squared_norm_is_the_weighted_loss(self, problem: PhysicsProblem) -> None:
        function = function_of(problem.model)
        rows = block_rows(problem, function)
        loss = 0.0
        for part in rows:
            raw = part.residual.scaled(1 / part.residual.scale).outputs(part.points)
            loss += part.block.weight * float(raw.square().mean())
        assert float(residual_vector(rows).square().sum()) == pytest.approx(loss, rel=1e-12)
        for part in rows:
            chosen = torch.arange(0, len(part.points), 3)
            some = part.restricted(chosen)
            mean_square = part.block.weight * float(
                part.residual.scaled(1 / part.residual.scale).outputs(part.points[chosen]).square().mean()
            )
            assert float(some.residual.outputs(some.points).square().sum()) == pytest.approx(mean_square, rel=1e-12)


def dense(refinement: Refinement) -> tuple[Tensor, Tensor, Tensor]:
    """f, G and V written out."""
    setting: Setting = refinement.setting
    rows = setting.fitted  # type: ignore[attr-defined]
    theta = setting.function.theta0
    f = residual_vector(rows)
    g = torch.cat([jacrev(lambda at, p=part: p.residual(at, p.points).reshape(-1))(theta) for part in rows])
    eye = torch.eye(refinement.subspace.rank, dtype=torch.float64)
    return f, g, refinement.subspace.delta(eye)


class TestRefinement:
    @pytest.mark.parametrize("source", ["outputs", "residuals"])
    def test_every_strategy_gives_the_same(self, problem: PhysicsProblem, source: str) -> None:
        rows, free = (
            refine(problem, strategy=strategy, max_rank=8, rank=8, source=source)
            for strategy in ("row-blocks", "matrix-free")
        )
        assert rows.summary.condition_number is not None
        assert rows.summary.condition_number <= 1e3
        points = problem.test.inputs if problem.test else torch.empty(0)
        first, second = (found.predictor.predict(points) for found in (rows, free))
        assert float((first - second).norm() / first.norm()) <= 1e-9
        assert float((rows.delta - free.delta).norm() / rows.delta.norm()) <= 1e-9
        assert refine(problem, max_rank=2).summary.strategy == "row-blocks"

    @pytest.mark.parametrize("wanted", [1, 13, 40])
    def test_the_basis_comes_from_as_many_places_as_asked_for(self, problem: PhysicsProblem, wanted: int) -> None:
        """Places are drawn from those of all blocks in a row, so that each block has to count from where it begins."""
        setting: Setting = refine(problem, max_rank=1, basis_points=wanted).setting
        assert setting.source_rows().n_rows == wanted * setting.n_outputs  # type: ignore[attr-defined]

    @pytest.mark.parametrize("strategy", ["row-blocks", "factored"])
    def test_solves_the_reduced_problem(self, problem: PhysicsProblem, strategy: str) -> None:
        if strategy == "factored" and chain_of(problem.model) is None:
            pytest.skip("factored directions need a chain of layers")
        found = refine(problem, max_rank=7, rank=7, strategy=strategy)
        assert found.summary.strategy == strategy
        f, g, v = dense(found)
        assert torch.allclose(v.T @ v, torch.eye(7, dtype=torch.float64), atol=1e-12)
        solution = torch.linalg.lstsq(g @ v, -f[:, None], driver="gelsd").solution[:, 0]
        assert torch.allclose(found.delta, v @ solution, rtol=1e-8, atol=1e-9)
        norms = found.summary.residual_norm
        assert norms.base == pytest.approx(float(f.norm()), rel=1e-10)
        assert norms.linear == pytest.approx(float((f + g @ found.delta).norm()), rel=1e-8)

    def test_whole_space(self) -> None:
        problem = make(network(2, 4, 2))
        found = refine(problem, rank=22)
        assert found.sweep.max_rank == 22 == found.setting.function.n_params
        f, g, _ = dense(found)
        best = torch.linalg.lstsq(g, -f[:, None], driver="gelsd").solution[:, 0]
        assert found.summary.residual_norm.linear == pytest.approx(float((f + g @ best).norm()), rel=1e-8)

    def test_a_cut_off_is_marked_and_solved_on_a_ladder(self) -> None:
        found = refine(make(network(2, 6, 5, 2)), max_rank=60, rcond=0.2)
        unsolved = ~found.sweep.solved
        assert unsolved.sum() > 0
        assert found.sweep.solved[60]
        assert found.sweep.solved[found.rank]
        assert found.sweep.solved[found.fields.ranks].all()
        assert np.isfinite(found.sweep.train_mse[unsolved]).all()
        assert found.delta_at(int(np.flatnonzero(unsolved)[0])).isfinite().all()

    def test_true_residual_is_that_of_the_refined_field(self, problem: PhysicsProblem) -> None:
        found = refine(problem, max_rank=8, rank=8)
        spec = JetSpec.of((0, 0), (1, 1))
        loss = {"points": 0.0, "fresh": 0.0}
        for kind, block in itertools.product(loss, problem.blocks):
            points = getattr(problem, kind)[block.name]
            fields = []
            for place in points.reshape(-1, points.shape[-1])[None] if points.ndim == 2 else points.unbind(1):
                jets = jets_of(lambda x: found.predictor(x), place, spec).detach()
                parts = {
                    name + end: jets[:, c, o]
                    for (c, end), (o, name) in itertools.product(
                        enumerate(("", "_x", "_t", "_xx", "_tt")), enumerate(("u", "v"))
                    )
                }
                fields.append(Field(place, problem.variables, parts))
            loss[kind] += block.weight * float(block.residual(*fields).square().mean())
        norms = found.summary.residual_norm
        assert norms.nonlinear == pytest.approx(math.sqrt(loss["points"]), rel=1e-8)
        assert norms.fresh_nonlinear == pytest.approx(math.sqrt(loss["fresh"]), rel=1e-8)
        assert found.sweep.val_mse[8] == pytest.approx(loss["fresh"], rel=1e-8)
        test = problem.test
        assert test is not None
        error = found.predictor.predict(test.inputs) - test.targets
        assert found.summary.refined.relative_l2 == pytest.approx(float(error.norm() / test.targets.norm()), rel=1e-10)
        assert found.sweep.test_relative_l2[8] == pytest.approx(found.summary.refined.relative_l2, rel=1e-8)

    def test_rank_does_not_look_at_the_reference(self) -> None:
        problem = make(Ansatz())
        assert problem.test is not None
        other = replace(problem, test=Split(problem.test.inputs, problem.test.targets * 7 - 3))
        first, second = refine(problem, max_rank=20), refine(other, max_rank=20)
        assert first.rank == second.rank
        assert torch.equal(first.delta, second.delta)
        assert first.rank == int(np.argmin(first.sweep.val_mse))

    def test_linear_equation_keeps_the_linear_residual(self) -> None:
        blocks = (ResidualBlock("heat", ("u_t", "u_xx"), lambda f: f["u_t"] - 0.1 * f["u_xx"] - f.x("x"), uniform, 40),)
        norms = refine(make(network(2, 6, 1), blocks), max_rank=10, rank=10).summary.residual_norm
        assert norms.linear == pytest.approx(norms.nonlinear, rel=1e-6)

    def test_exact_solution_zeroes_the_residual(self) -> None:
        class Exact(Ansatz):
            def lift(self, inputs: Tensor) -> Tensor:
                x, t = inputs.unbind(1)
                wave = torch.exp(-0.1 * t) * torch.sin(x)
                return torch.stack([wave, torch.cos(x - t)], dim=1)

            def mask(self, inputs: Tensor) -> Tensor:
                return torch.zeros_like(inputs[:, :1])

        blocks = (
            ResidualBlock(
                "two",
                ("u_t", "u_xx", "v_tt", "v_xx"),
                lambda f: torch.stack([f["u_t"] - 0.1 * f["u_xx"], f["v_tt"] - f["v_xx"]], 1),
                uniform,
                50,
            ),
        )
        rows = block_rows(make(Exact(), blocks), function_of(Exact()))
        assert float(residual_vector(rows).norm()) <= 1e-14

    def test_no_reference_no_second_derivative_and_rank_zero(self) -> None:
        problem = make(network(2, 5, 2), BLOCKS[1:2])
        found = refine(problem, rank=0, max_rank=0)
        assert found.summary.residual_norm.linear == pytest.approx(found.summary.residual_norm.nonlinear)
        bare = replace(problem, test=None, grid=problem.test)
        assert refine(bare, max_rank=4).summary.refined.relative_l2 is None

    def test_single_precision_sketch_and_float32(self) -> None:
        problem = make(Ansatz())
        sketched = refine(problem, max_rank=8, rank=8, sketch_dtype="float32").summary.residual_norm
        assert sketched.linear is not None
        assert sketched.linear == pytest.approx(
            refine(problem, max_rank=8, rank=8).summary.residual_norm.linear, rel=0.1
        )
        assert refine(problem, max_rank=5, dtype="float32").summary.refined.relative_l2 is not None


class TestPaths:
    def test_losses_along_the_step(self, problem: PhysicsProblem) -> None:
        found = refine(problem, max_rank=8, rank=8)
        alpha = np.array([0.0, 1e-4, 1.0])
        path = loss_path(problem, found.delta, alpha)
        f, g, _ = dense(found)
        pushed = g @ found.delta
        assert path.linearised == pytest.approx([float((f + a * pushed).square().sum()) for a in alpha], rel=1e-8)
        rows = found.setting.fitted  # type: ignore[attr-defined]
        theta = found.setting.function.theta0
        direct = [float(residual_vector(rows, theta + a * found.delta).square().sum()) for a in alpha]
        assert path.nonlinear == pytest.approx(direct, rel=1e-10)
        assert path.nonlinear[1] == pytest.approx(path.linearised[1], rel=1e-2)

    def test_all_ranks_of_the_ladder(self) -> None:
        found = refine(make(Ansatz()), max_rank=5)
        paths, fields = loss_paths(found, rows=20), with_parameter_steps(found)
        assert paths.linearised.shape == paths.nonlinear.shape == (len(fields.ranks), len(paths.alpha))
        assert np.isfinite(paths.nonlinear).all()
        assert np.isfinite(fields.stepped).all()


class TestBadInput:
    def refused(self, message: str, work: Callable[[], object]) -> None:
        with pytest.raises(InputError, match=message):
            work()

    def test_nan_says_which_block_how_many_and_where(self) -> None:
        def root(field: Field) -> Tensor:
            return torch.sqrt(field.x("x") - 0.5) + field["u"]

        blocks = (ResidualBlock("root", (), root, uniform, 30),)
        problem = make(network(2, 4, 1), blocks)
        count = int((problem.points["root"][:, 0] < 0.5).sum())
        self.refused(rf"blocks.root.*at {count} of 30 points, the first at x = 0\.\d+, t = ", lambda: refine(problem))

    @pytest.mark.parametrize("layered", [True, False])
    def test_relu_has_no_second_derivative(self, layered: bool) -> None:
        model = network(2, 4, 2, activation=nn.ReLU)
        model = model if layered else nn.Sequential(nn.Sequential(model, nn.Identity()))
        self.refused("smooth activation", lambda: refine(make(model)))

    def test_empty_blocks(self) -> None:
        self.refused("at least one", lambda: replace(BLOCKS[0], n_points=0))
        self.refused("at least one", lambda: make(Ansatz(), points={b.name: torch.empty(0, 2) for b in BLOCKS}))
        self.refused("at least one", lambda: make(Ansatz(), ()))

    def test_points_outside_the_domain(self) -> None:
        block = replace(BLOCKS[0], region=lambda count, draw: uniform(count, draw) * 1.5)
        self.refused(
            r"outside the domain x in \[0, 1\], t in \[0, 2\], the first at x = ", lambda: make(Ansatz(), (block,))
        )

    @pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
    def test_weights(self, weight: float) -> None:
        self.refused("positive", lambda: replace(BLOCKS[0], weight=weight))

    def test_boundary_data_that_contradict_each_other(self) -> None:
        left = dirichlet("left", lambda points: 1 + points[:, 1], face(0, 0.0), 5)
        [remark] = make(Ansatz(), (*BLOCKS, left)).remarks
        assert re.search("'initial' and 'left'.*x = 0, t = 0: 0 and 1", remark)
        right = dirichlet("right", lambda points: points[:, 1] * 3, face(0, 1.0), 5)
        make(Ansatz(), (*BLOCKS, right))
        make(Ansatz(), (*BLOCKS, dirichlet("other", lambda points: 1 + points[:, 1], face(0, 0.0), 5, output="v")))

    def test_more_rank_than_rows(self) -> None:
        self.refused("allow at most", lambda: refine(make(Ansatz()), rank=10_000))

    def test_routes_that_do_not_serve_residuals(self) -> None:
        self.refused("not a chain of layers", lambda: refine(make(Odd()), strategy="factored"))
        self.refused("authors' modes", lambda: refine(make(Ansatz()), published=1))

    def test_residuals_of_a_wrong_shape(self) -> None:
        flat = ResidualBlock("flat", (), lambda field: field["u"].sum(), uniform, 5)
        self.refused(r"\(n,\) or \(n, k\)", lambda: refine(make(network(2, 4, 1), (flat,))))
        unknown = ResidualBlock("unknown", (), lambda field: field["u_t"], uniform, 5)
        self.refused("add it to `needs`", lambda: refine(make(network(2, 4, 1), (unknown,))))
        self.refused("not made of", lambda: make(network(2, 4, 1), (replace(unknown, needs=("u_xz",)),)))

    def test_points_that_influence_each_other(self) -> None:
        class Mixing(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = network(2, 4, 2)

            def forward(self, inputs: Tensor) -> Tensor:
                return self.inner(inputs - inputs.mean(dim=0))

        self.refused("beside it", lambda: refine(make(Mixing().eval())))


class TestBundles:
    @pytest.fixture
    def stored(self, tmp_path: Path) -> tuple[PhysicsProblem, Path]:
        equation = equations.build("heat", {"n_interior": 40})
        arguments = {"layers": [2, 8, 1], "activation": "tanh"}
        model = architectures.build("mlp", arguments).double()
        problem = make_problem(equation, model, name="warm", seed=3, architecture=Architecture("mlp", arguments))
        return problem, save_problem(tmp_path / "warm", problem)

    def test_come_back_as_they_were(self, stored: tuple[PhysicsProblem, Path]) -> None:
        problem, folder = stored
        loaded = load_problem(folder)
        assert isinstance(loaded, PhysicsProblem)
        assert (loaded.equation, loaded.outputs, loaded.variables, loaded.seed) == ("heat", ("u",), ("x", "t"), 3)
        assert [block.name for block in loaded.blocks] == [block.name for block in problem.blocks]
        for kind in ("points", "fresh"):
            for name, points in getattr(problem, kind).items():
                assert torch.equal(points, getattr(loaded, kind)[name])
        assert problem.test is not None
        assert loaded.test is not None
        assert torch.equal(problem.test.targets, loaded.test.targets)
        first, second = refine(problem, max_rank=5), refine(loaded, max_rank=5)
        assert torch.equal(first.delta, second.delta)

    def test_points_that_are_not_stored_are_drawn(self, stored: tuple[PhysicsProblem, Path]) -> None:
        problem, folder = stored
        self.rewrite(folder, {})
        loaded = load_problem(folder)
        assert isinstance(loaded, PhysicsProblem)
        assert all(torch.equal(points, loaded.points[name]) for name, points in problem.points.items())

    def test_faults_are_named(self, stored: tuple[PhysicsProblem, Path]) -> None:
        _, folder = stored
        block = next(iter(load_problem(folder).points))  # type: ignore[union-attr]
        for array, message in ((np.full((3, 2), 9.0), "outside the domain"), (np.zeros((3, 4)), "coordinates")):
            self.rewrite(folder, {f"points_{block}": array})
            with pytest.raises(InputError, match=message) as caught:
                load_problem(folder)
            assert caught.value.key == f"blocks.{block}"
        description = json.loads((folder / "problem.json").read_text())
        for change, message in (
            ({"physics": {"equation": "nothing"}}, "unknown equation"),
            ({"physics": None}, "no other"),
            ({"kind": "supervised"}, "no other"),
            ({"physics": {"equation": "heat", "arguments": {"n_interior": 0}}}, "greater than or equal to 1"),
        ):
            (folder / "problem.json").write_text(json.dumps(description | change))
            with pytest.raises(InputError, match=message):
                load_problem(folder)

    def test_a_job_works_on_them(self, stored: tuple[PhysicsProblem, Path], tmp_path: Path) -> None:
        _, folder = stored
        run = create(RunStore(tmp_path / "runs"), folder, RefineConfig(max_rank=6), owner="test")
        execute(run)
        assert run.status().status == "complete"
        assert run.summary.base.relative_l2 is not None
        assert run.summary.residual_norm.fresh_nonlinear is not None
        assert run.paths.n_rows > 0
        assert torch.equal(delta_at(run, 3), refine(load_problem(folder), max_rank=6, rank=3).delta)

    def test_the_documentation_refines_an_equation(self, capsys: pytest.CaptureFixture[str]) -> None:
        page = (Path(__file__).parents[2] / "docs" / "problem-format.md").read_text(encoding="utf-8")
        code = page.split("```python\n")[2].split("```")[0]
        exec(compile(code, "problem-format.md", "exec"), {})  # the page's own lines
        assert "nonlinear" in capsys.readouterr().out

    def rewrite(self, folder: Path, arrays: dict[str, np.ndarray]) -> None:
        np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]
        path = folder / "problem.json"
        description = json.loads(path.read_text())
        data = (folder / "data.npz").read_bytes()
        description["files"]["data.npz"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        path.write_text(json.dumps(description))
