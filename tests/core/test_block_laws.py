"""What a residual block takes, refuses and weighs."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import (
    ResidualBlock,
    check_measured,
    check_noise,
    check_points,
    dirichlet,
)
from lsr_core.problems.physics.fields import Field
from tests.core.twins import generator

NONE_SUCH = (0.0, -1.0, math.inf, math.nan)


def drawing(*shape: int) -> Any:
    """A region that gives points of this shape behind their number."""
    return lambda count, draw: torch.rand(count, *shape, generator=draw)


def block(n_points: int = 4, shape: tuple[int, ...] = (2,), **more: Any) -> ResidualBlock:
    return ResidualBlock("inside", (), lambda field: field["u"], drawing(*shape), n_points, **more)


@pytest.mark.parametrize("weight", NONE_SUCH)
def test_a_weight_is_a_positive_number(weight: float) -> None:
    with pytest.raises(InputError, match="positive number") as refused:
        block(weight=weight)
    assert refused.value.key == "blocks.inside.weight"
    assert block(weight=1e-9).weight == 1e-9


def test_a_block_has_a_point() -> None:
    with pytest.raises(InputError, match="at least one"):
        block(0)
    assert block(1).n_points == 1


@pytest.mark.parametrize("noise", NONE_SUCH)
def test_a_noise_is_a_positive_deviation(noise: float) -> None:
    with pytest.raises(InputError, match="positive standard deviation"):
        block(noise=noise)
    check_noise(1e-9, "noise")


def test_a_measurement_that_is_one_deviation_off_counts_the_same_whatever_their_number() -> None:
    for count, noise in ((4, 0.5), (100, 3.0)):
        weight = block(count, noise=noise).weight
        assert weight * noise**2 / count == pytest.approx(1e-6, rel=1e-12)


def test_measured_values_have_a_noise_or_tell_what_no_field_can_lower() -> None:
    assert [block(**more).measured for more in ({}, {"noise": 1.0}, {"within": 0.0})] == [False, True, True]
    check_measured([block(), block(noise=1.0)])
    check_measured([block(), block(within=1.0)])
    with pytest.raises(InputError, match="for all or for none"):
        check_measured([block(noise=1.0), block(within=1.0)])


@pytest.mark.parametrize(("more", "places"), [({}, 1), ({"pairs": True}, 2), ({"nodes": 1}, 2), ({"nodes": 5}, 6)])
def test_a_point_has_its_places(more: dict[str, Any], places: int) -> None:
    found = block(shape=(2,) if places == 1 else (places, 2), **more)
    assert found.places == places
    assert found.together == (places > 1)
    drawn = found.draw(generator(3))
    assert drawn.dtype == torch.float64
    assert len(drawn) == 4
    assert torch.equal(drawn, found.draw(generator(3)))
    assert len(found.draw(generator(3), 7)) == 7
    for shape in ((4, places + 1, 2), (4, 2) if places > 1 else (4,)):
        with pytest.raises(InputError, match="they must be"):
            check_points(found, torch.zeros(shape))
    with pytest.raises(InputError, match="at least one"):
        check_points(found, drawn[:0])


def test_a_value_on_a_boundary_is_met_where_its_block_is_zero() -> None:
    def value(points: Tensor) -> Tensor:
        return 3 * points[:, 0]

    found = dirichlet("wall", value, drawing(1), 5, weight=2.0, output="v")
    points = torch.rand(5, 1, generator=generator())
    assert torch.equal(
        found.residual(Field(points, ("x",), {"v": 3 * points[:, 0] + 1})), (3 * points[:, 0] + 1) - 3 * points[:, 0]
    )
    assert (found.weight, found.prescribes, found.n_points, found.needs) == (2.0, ("v",), 5, ())
    assert found.prescribed is value
