"""What a refinement of a large network holds and how long it takes, seen at small ones: in vectors of parameters, and in passes."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import pytest
import torch
from torch import nn

from lsr_core import RefineConfig, refine
from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.networks import proof
from lsr_core.networks.directions import sizes_of
from lsr_core.networks.footprints import footprint, peak_of
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import MatrixFreeJacobian
from lsr_core.networks.proof import Reference, Twin, push_defect
from lsr_core.networks.uses import search
from lsr_core.networks.uses.network import UsedNetwork
from lsr_core.refinement import sizes as costs
from lsr_core.refinement.durations import durations
from tests.core import twins

SINGLE, DOUBLE = torch.float32, torch.float64
WIDE = (2, 300, 300, 1)


def wide(dtype: torch.dtype) -> ParametricFunction:
    return ParametricFunction.from_module(twins.network(*WIDE), dtype=dtype)


def test_a_function_and_its_module_share_one_copy_of_the_parameters() -> None:
    function = wide(DOUBLE)
    assert function.module is not None
    storages = {value.untyped_storage().data_ptr() for value in function.module.parameters()}
    assert storages == {function.theta0.untyped_storage().data_ptr()}
    single = function.single_precision()
    assert single.module is not None
    assert next(single.module.parameters()).data_ptr() == single.theta0.data_ptr()
    assert single.single_precision() is single
    points = twins.data(3).inputs
    torch.testing.assert_close(function.module(points), function.outputs(points), rtol=0, atol=0)


def test_the_proof_in_two_precisions_holds_few_vectors_of_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "DRAWN", 1000)
    function, points = wide(SINGLE), twins.data(8).inputs.float()
    vector = 4 * function.n_params
    footprint(function, points)

    def proved() -> None:
        reference = Reference.of(function, points, 1, twins.generator())
        twin = Twin.of(function, reference)
        assert twin is not None
        assert twin.defect("forward") < 1e-12
        assert push_defect(function, reference) < 1e-4
        assert reference.slope_defect(function) < 1e-2

    assert peak_of(proved) < 8.5 * vector


def test_a_twin_sees_what_single_precision_hides() -> None:
    function, points = wide(SINGLE), twins.data(8).inputs.float()
    reference = Reference.of(function, points, 1, twins.generator())
    twin = Twin.of(function, reference)
    assert twin is not None
    wrong = replace(twin, slopes=twin.slopes + 1e-6 * reference.weights.norm() * twin.slopes.abs().max())
    assert wrong.defect("forward") > 1e-7
    assert Twin.of(wide(DOUBLE), reference) is None


def test_sizes_of_directions_are_taken_one_vector_at_a_time() -> None:
    function, points = wide(DOUBLE), twins.data(4).inputs
    operator = MatrixFreeJacobian(function, points, 1)
    assert peak_of(lambda: sizes_of(function, operator, twins.generator())) < 3.5 * 8 * function.n_params


@pytest.mark.parametrize(
    ("model", "shape", "flops", "factors"),
    [
        (twins.network(2, 30, 5), (2,), 2 * (2 * 30 + 30 * 5), 2 + 30 + 30 + 5),
        # a kernel of 3 entries for 4 channels, 6 filters, at 10 places
        (
            nn.Sequential(nn.Conv1d(4, 6, 3, padding=1, bias=False), nn.Flatten()),
            (4, 10),
            2 * 10 * 6 * 12,
            10 * (6 + 12),
        ),
    ],
)
def test_work_by_sample_is_counted(model: nn.Module, shape: tuple[int, ...], flops: int, factors: int) -> None:
    function = ParametricFunction.from_module(model, dtype=DOUBLE)
    inputs = torch.rand(3, *shape, generator=twins.generator(), dtype=DOUBLE)
    assert footprint(function, inputs).flops == flops
    assert UsedNetwork(function, inputs).factors == factors


def sizes(flops: float) -> costs.Sizes:
    return costs.Sizes(1000, 1, 500, 500, 0, 60, 3, flops=flops, shown=5000)


def test_moved_networks_are_looked_at_where_it_can_be_afforded() -> None:
    assert costs.path_samples(sizes(1e3)) == costs.PATH_SAMPLES
    assert costs.stepped_points(sizes(1e3)) == costs.MAX_STEPPED_POINTS
    few = costs.path_samples(sizes(2e8))
    assert costs.FEWEST_MOVED < few < costs.PATH_SAMPLES
    assert few * costs.PATH_STEPS * costs.LADDER * 2e8 <= costs.MOVED_FLOPS
    assert costs.path_samples(sizes(1e12)) == costs.stepped_points(sizes(1e12)) == costs.FEWEST_MOVED
    costly = durations(sizes(1e9), RefineConfig(), "factored", 20, gather=1, samples=100)
    assert costly["loss paths"] < 20 * (costly["basis"] + costly["checking"])


def test_loss_paths_of_a_costly_network_are_of_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MOVED_FLOPS", 0.0)
    result = refine(twins.problem(twins.network(2, 6, 1), rows=40), max_rank=5)
    assert loss_paths(result).n_rows == costs.FEWEST_MOVED
    assert len(result.fields.stepped_points) == costs.FEWEST_MOVED


def test_a_look_at_a_network_leaves_no_graph_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both graphs and a gradient by every parameter would stay until garbage is collected, which large tensors do not bring about."""
    kept: list[weakref.ref[object]] = []
    whole = search._Look.__init__
    monkeypatch.setattr(
        search._Look, "__init__", lambda look, *given: kept.append(weakref.ref(look)) or whole(look, *given)
    )
    gc.disable()
    try:
        network = UsedNetwork(wide(DOUBLE), twins.data(3).inputs)
        assert network.share == 1
        assert [ref() for ref in kept] == [None]
    finally:
        gc.enable()
