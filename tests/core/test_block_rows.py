"""Residual rows of a network, against autograd at every point by itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.physics.residuals import BlockRows, block_rows, jet_spec, residual_vector
from tests.core.twins import network

MODEL = network(2, 5, 2)


def drawing(*shape: int) -> Any:
    return lambda count, draw: torch.rand(count, *shape, generator=draw, dtype=torch.float64)


def rows_of(*blocks: ResidualBlock, points: dict[str, Tensor] | None = None, check: bool = True) -> list[BlockRows]:
    fitted, fresh = draw_points(blocks, 0)
    domain = {"x": (0.0, 1.0), "t": (0.0, 1.0)}
    problem = PhysicsProblem("tiny", MODEL, "none", {}, domain, ("u", "v"), blocks, points=fitted, fresh=fresh)
    function = ParametricFunction.from_module(MODEL, dtype=torch.float64)
    return block_rows(problem, function, points, check=check)


def at(point: Tensor) -> tuple[Tensor, Tensor]:
    """Values (o,) and their slopes (o, d)."""
    return MODEL(point[None])[0].detach(), torch.autograd.functional.jacobian(lambda x: MODEL(x[None])[0], point)


def both(field: Field) -> Tensor:
    return torch.stack([field["u_x"] * field["v"], field["v_t"] - field.x("t")], dim=1)


def test_rows_are_weighted_so_that_their_squares_sum_to_the_loss() -> None:
    one = ResidualBlock("one", ("u_x", "v_t"), both, drawing(2), 6, weight=3.0)
    two = ResidualBlock("two", (), lambda field: field["v"] - 1, drawing(2), 4, weight=0.5)
    found = rows_of(one, two)
    assert [(part.width, part.n_rows, len(part.places())) for part in found] == [(2, 12, 6), (1, 4, 4)]
    wanted = []
    for point in found[0].points:
        values, slopes = at(point)
        row = torch.stack([slopes[0, 0] * values[1], slopes[1, 1] - point[1]])
        wanted.append((3.0 / 12) ** 0.5 * row)
    wanted += [(0.5 / 4) ** 0.5 * (at(point)[0][1:] - 1) for point in found[1].points]
    torch.testing.assert_close(residual_vector(found), torch.cat(wanted), rtol=1e-12, atol=1e-14)
    theta = found[0].residual.theta0
    torch.testing.assert_close(residual_vector(found, theta.clone()), torch.cat(wanted), rtol=1e-12, atol=1e-14)
    assert not torch.allclose(residual_vector(found, 1.1 * theta), torch.cat(wanted))


def test_pairs_give_two_fields_in_their_order() -> None:
    pairs = ResidualBlock("pairs", ("u_x",), lambda a, b: a["u_x"] - 2 * b["v"], drawing(2, 2), 5, pairs=True)
    (found,) = rows_of(pairs)
    assert found.places().shape == (10, 2)
    wanted = [at(left)[1][0, 0] - 2 * at(right)[0][1] for left, right in found.points]
    torch.testing.assert_close(residual_vector([found]), 5**-0.5 * torch.stack(wanted), rtol=1e-12, atol=1e-14)


def test_nodes_come_beside_the_point_of_an_integral() -> None:
    def mean(here: Field, nodes: Field) -> Tensor:
        return here["u"] * here.x("x") - (nodes["v"] * nodes.x("t")).mean(dim=1)

    (found,) = rows_of(ResidualBlock("mean", (), mean, drawing(4, 2), 5, nodes=3))
    wanted = []
    for place, *nodes in (places.unbind() for places in found.points):
        parts = [at(node)[0][1] * node[1] for node in nodes]
        wanted.append(at(place)[0][0] * place[0] - sum(parts) / 3)
    torch.testing.assert_close(residual_vector([found]), 5**-0.5 * torch.stack(wanted), rtol=1e-12, atol=1e-14)


def test_some_points_keep_the_weight_of_all() -> None:
    (found,) = rows_of(ResidualBlock("one", ("u_x", "v_t"), both, drawing(2), 6, weight=3.0))
    chosen = torch.tensor([4, 1])
    some = found.restricted(chosen)
    assert (some.n_rows, some.width) == (4, 2)
    wanted = residual_vector([found]).unflatten(0, (6, 2))[chosen] * 3**0.5
    torch.testing.assert_close(residual_vector([some]), wanted.flatten(), rtol=1e-12, atol=1e-14)
    one = residual_vector([found]).unflatten(0, (6, 2))[4] * 6**0.5
    torch.testing.assert_close(residual_vector([found.restricted(chosen[:1])]), one, rtol=1e-12, atol=1e-14)
    assert found.restricted(chosen[:0]).n_rows == 0


def test_the_jet_has_what_the_block_asks_for() -> None:
    asked = ResidualBlock("one", ("u_xt", "v_x"), both, drawing(2), 3)
    spec = jet_spec(asked, ("u", "v"), ("x", "t"))
    assert {spec.position((0, 1)), spec.position((0,)), spec.position(())} <= set(range(99))
    with pytest.raises((KeyError, ValueError)):
        spec.position((1, 1))


@pytest.mark.parametrize(
    ("residual", "words"),
    [
        (lambda field: field["u"].sum(), r"shape \(\) at 1 points"),
        (lambda field: field["u"][:, None, None], r"shape \(1, 1, 1\) at 1 points"),
        (lambda field: field["u"].repeat(2), r"shape \(2,\) at 1 points"),
        (lambda field: field["u"] - field.points[:, :1], "has 1 rows a point at one point and 2 at two"),
        (lambda field: 3.0, "gives a float"),
        (lambda field: field["u"] @ field["u"].new_zeros(7, 7, 7), "cannot be evaluated"),
    ],
)
def test_what_is_no_row_a_point_is_refused(residual: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        rows_of(ResidualBlock("odd", (), residual, drawing(2), 4))
    assert refused.value.key == "blocks.odd"


@pytest.mark.parametrize("pairs", [False, True])
def test_the_first_place_without_a_number_is_named(pairs: bool) -> None:
    points = torch.linspace(0.05, 0.95, 20, dtype=torch.float64).reshape(10, 2)
    points = torch.stack([points, points + 0.01], dim=1) if pairs else points

    def root(field: Field, *others: Field) -> Tensor:
        return torch.sqrt(0.5 - field.x("x")) + field["u"]

    block = ResidualBlock("root", (), root, drawing(2, 2) if pairs else drawing(2), 10, pairs=pairs)
    with pytest.raises(InputError, match=r"at 5 of 10 points, the first at x = 0\.52\d*, t = 0\.57"):
        rows_of(block, points={"root": points})
    (unchecked,) = rows_of(block, points={"root": points}, check=False)
    assert int(residual_vector([unchecked]).isnan().sum()) == 5


def test_only_what_is_read_of_the_jet_is_taken() -> None:
    (found,) = rows_of(ResidualBlock("one", ("u_xx",), lambda field: field["u_xx"], drawing(2), 4))
    spec = jet_spec(found.block, ("u", "v"), ("x", "t"))
    assert sorted(found.residual.used) == sorted({0, spec.position((0, 0))})
