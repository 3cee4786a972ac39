"""Outputs in different units are divided by their sizes in the solve; what is reported is that of the outputs as they are."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lsr_core.diagnosis.loss_path import loss_paths
from lsr_core.diagnosis.steps import with_parameter_steps
from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.lab.isolation import IsolationSettings, isolate
from lsr_core.lab.race import RaceSettings, race
from lsr_core.networks.functions import ParametricFunction, PureFunction
from lsr_core.problems.splits import MappedSplit, Split
from lsr_core.problems.streams import split_from_batches
from lsr_core.refinement.config import RefineConfig, published_settings
from lsr_core.refinement.output_sizes import deviations, output_sizes, parts_of
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Sweep
from lsr_core.storage.result_arrays import read_result
from tests.core import twins

FAR = 2.0**40  # a change of units that rounds nothing


class InUnits(nn.Module):
    def __init__(self, units: Tensor, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("units", units)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * self.units


@functools.cache
def trained() -> nn.Module:
    net, data = twins.network(2, 10, 2), values()
    optimiser = torch.optim.Adam(net.parameters(), 2e-2)
    for _ in range(80):
        optimiser.zero_grad()
        (net(data.inputs[::3]) - data.targets[::3]).square().mean().backward()
        optimiser.step()
    return net.eval()


@functools.cache
def values() -> Split:
    x = torch.rand(360, 2, generator=twins.generator(3), dtype=torch.float64) * 2 - 1
    noise = 0.005 * torch.randn(360, 2, generator=twins.generator(4), dtype=torch.float64)
    return Split(x, torch.stack([torch.sin(2 * x[:, 0]) * x[:, 1], 1 + 1.5 * x[:, 0] ** 2], dim=1) + noise)


def problem(*units: float) -> SupervisedProblem:
    """A trained network of two outputs with its data, in some units."""
    scale, (x, y) = torch.tensor(units, dtype=torch.float64), values()
    parts = [Split(x[part::3], y[part::3] * scale) for part in range(3)]
    return SupervisedProblem("units", InUnits(scale, trained()).eval(), *parts)


def refined(*units: float, **settings: Any) -> Refinement:
    return refine(problem(*units), **{"max_rank": 40, **settings})


def per_output(call: Any, split: Split) -> Tensor:
    return (call(split.inputs) - split.targets).norm(dim=0) / split.targets.norm(dim=0)


@pytest.mark.parametrize("strategy", ["factored", "row-blocks", "matrix-free"])
def test_units_change_nothing(strategy: str) -> None:
    """With outputs in other units by a power of two, step, rank and relative errors are the same to the last digit."""
    one, other = refined(1.0, FAR, strategy=strategy), refined(FAR, 1.0, strategy=strategy)
    assert one.summary.output_sizes is not None
    assert one.rank == other.rank > 0
    assert torch.equal(one.delta, other.delta)
    assert one.summary.refined.by_output == other.summary.refined.by_output
    assert np.array_equal(one.sweep.by_output, other.sweep.by_output)
    assert np.array_equal(one.sweep.divided, other.sweep.divided)
    assert one.summary.residual_norm == other.summary.residual_norm


def test_outputs_of_one_size_are_solved_as_before() -> None:
    plain, never, always = (refined(1.0, 1.0, standardise=how) for how in ("auto", "no", "yes"))
    assert plain.summary.output_sizes is None
    assert torch.equal(plain.delta, never.delta)
    sizes = always.summary.output_sizes
    assert sizes is not None
    assert sizes[0] == sizes[1], "this case shows nothing else"
    assert torch.allclose(plain.delta, always.delta, rtol=1e-9, atol=1e-12)
    assert plain.sweep.test_mse == pytest.approx(always.sweep.test_mse, rel=1e-9)


def test_the_solution_is_that_of_the_weighted_problem() -> None:
    """Against a dense Jacobian whose rows and errors are divided by the sizes, in all directions there are."""
    given = problem(1e-12, 1e6)
    function = ParametricFunction.from_module(given.model, dtype=torch.float64)
    count = function.n_params
    found = refine(given, max_rank=count, rank=count, strategy="row-blocks", oversampling=0)
    inputs, targets = given.train
    jacobian = torch.func.jacrev(lambda theta: function(theta, inputs))(function.theta0)
    sizes = found.setting.part_sizes
    rows, errors = jacobian / sizes[:, None], (function.outputs(inputs) - targets) / sizes
    step = torch.linalg.lstsq(rows.flatten(0, 1), -errors.flatten(), driver="gelsd").solution
    best = (errors + (rows.flatten(0, 1) @ step).view_as(errors)).square().mean()
    assert found.summary.residual_norm.nonlinear == pytest.approx(float(best.sqrt()), rel=1e-6)


def test_each_output_gains_and_is_reported_as_it_is() -> None:
    found, given = refined(1e-12, 1e6), problem(1e-12, 1e6)
    assert given.test is not None
    before, after = per_output(given.model, given.test), per_output(found.predictor, given.test)
    assert (after < before).all()
    assert found.summary.refined.by_output == pytest.approx(after.tolist(), rel=1e-9)
    assert found.sweep.by_output[found.rank] == pytest.approx(after.tolist(), rel=1e-6)
    assert found.sweep.by_output[0] == pytest.approx(before.tolist(), rel=1e-9)
    for name, split in given.splits().items():
        short = {"validation": "val"}.get(name, name)
        mse = float((found.predictor(split.inputs) - split.targets).square().mean())
        assert getattr(found.summary.refined, f"{short}_mse") == pytest.approx(mse, rel=1e-9)
        assert getattr(found.sweep, f"{short}_mse")[found.rank] == pytest.approx(mse, rel=1e-6)
        relative = float((found.predictor(split.inputs) - split.targets).norm() / split.targets.norm())
        assert getattr(found.sweep, f"{short}_relative_l2")[found.rank] == pytest.approx(relative, rel=1e-6)
    (note,) = [note for note in found.summary.notes if "standardise=no" in note]
    assert "divided by its own" in note
    assert "outputs divided by their sizes" in found.summary.rank_choice


def test_fields_steps_and_paths_are_in_their_units() -> None:
    found, given = refined(1e-12, 1e6), problem(1e-12, 1e6)
    assert given.test is not None
    fields = with_parameter_steps(found)
    assert np.array_equal(fields.targets, given.test.targets.numpy())
    with torch.no_grad():
        assert fields.network == pytest.approx(given.model(given.test.inputs).numpy(), rel=1e-9)
        stepped = ParametricFunction.from_module(given.model, dtype=torch.float64).outputs(
            given.test.inputs[fields.stepped_points], found.setting.function.theta0 + found.delta
        )
    rung = fields.ranks.tolist().index(found.rank)
    assert fields.stepped[rung] == pytest.approx(stepped.numpy(), rel=1e-2)
    error = fields.refined_error[rung].astype(float) / fields.targets
    exact = (found.predictor(given.test.inputs) - given.test.targets) / given.test.targets
    assert error == pytest.approx(exact.detach().numpy(), rel=1e-3, abs=1e-7)
    paths = loss_paths(found)
    norm = found.summary.residual_norm.base
    assert paths.linearised[rung, 0] == pytest.approx((norm or 0) ** 2, rel=0.5)


def test_bands_and_noise_are_in_their_units() -> None:
    """σ and deviations of a predictor change with the units as its outputs do."""
    one, other = (refined(*units, regularise="evidence") for units in ((1.0, FAR), (FAR, 1.0)))
    turned = torch.tensor([FAR, 1 / FAR], dtype=torch.float64)
    noise = [torch.tensor(found.summary.noise_std_by_output, dtype=torch.float64) for found in (one, other)]
    assert torch.allclose(noise[0] * turned, noise[1], rtol=1e-12)
    x = values().inputs[:5]
    (mine, noisy), (theirs, noisier) = (found.predictor.deviations(x) for found in (one, other))
    assert torch.allclose(mine * turned, theirs, rtol=1e-12)
    assert torch.allclose(noisy * turned, noisier, rtol=1e-12)
    assert one.summary.coverage == other.summary.coverage


def test_a_known_noise_is_that_of_the_outputs_as_they_are() -> None:
    """The mean square that is left is that of the noise, each output of it by its own size."""
    found = refined(1.0, 100.0, regularise="discrepancy:0.1")
    sizes = found.setting.part_sizes
    left = found.summary.residual_norm.linear
    most = 0.1 * float(sizes.square().reciprocal().mean().sqrt())
    assert left is not None
    assert left == pytest.approx(most, rel=1e-3)


def test_races_and_isolations_do_not_see_the_units() -> None:
    settings = RaceSettings(iterations=3, dtype="float64")
    raced = [
        race(problem(*units), RefineConfig(max_rank=6), settings, progress=silent) for units in ((1, FAR), (FAR, 1))
    ]
    losses = [[method.model_dump(exclude={"seconds", "curve"}) for method in record.methods] for record in raced]
    assert losses[0] == losses[1]
    found = isolate(problem(1, FAR), RefineConfig(max_rank=6), IsolationSettings(iterations=2), progress=silent)
    whole = refined(1.0, FAR, max_rank=6, rank=6)
    by_name = {contender.name: contender.errors for contender in found.contenders}
    assert by_name["jacobian-subspace"].test == pytest.approx(whole.summary.refined.test_relative_l2, rel=1e-9)


def test_rows_in_mapped_files_are_divided_in_mapped_files() -> None:
    given = problem(1e-12, 1e6)
    mapped = split_from_batches(zip(given.train.inputs.split(20), given.train.targets.split(20), strict=True))
    assert isinstance(mapped, MappedSplit)
    found = refine(given.changed(train=mapped), max_rank=40)
    assert torch.equal(found.delta, refined(1e-12, 1e6).delta)
    assert torch.equal(mapped.targets, given.train.targets), "what belongs to the user stays as it is"


def sizes_of(targets: Tensor, offset: float = 0.0, **settings: Any) -> list[float] | None:
    """Of a network that gives one number everywhere."""
    constant = PureFunction(
        lambda named, x: named["c"] + 0 * x[:, :1] + torch.zeros(len(x), targets[0].numel()).to(x),
        {"c": torch.full((1,), offset).double()},
    )
    function = ParametricFunction.from_module(constant, dtype=torch.float64)
    split = Split(torch.zeros(len(targets), 1).double(), targets.flatten(1))
    found = output_sizes(targets.shape[1:], RefineConfig.model_validate(settings), split, function)
    return None if found is None else found.tolist()


@pytest.mark.parametrize(
    ("shape", "parts"),
    [((), 1), ((1,), 1), ((2,), 2), ((16,), 16), ((17,), 1), ((3, 8, 8), 3), ((1, 8, 8), 1), ((20, 3), 1), ((2, 3), 6)],
)
def test_outputs_that_are_told_one_by_one(shape: tuple[int, ...], parts: int) -> None:
    assert parts_of(shape) == parts


def test_sizes_are_deviations_and_channels_have_one_each() -> None:
    images = torch.randn(50, 2, 3, 3, generator=twins.generator(1)).double() * torch.tensor([1e-3, 1e3])[:, None, None]
    found = deviations(images + 1e6, 2)  # where an output has its zero does not count
    assert found.tolist() == pytest.approx([1e-3, 1e3], rel=0.2)
    assert sizes_of(images) == [2.0**-10] * 9 + [2.0**10] * 9
    flat = torch.ones(10, 3, dtype=torch.float64) * torch.tensor([0.0, 5.0, 1.0])
    assert deviations(flat, 3).tolist() == [0, 5, 1], "of an output that never changes its value"
    assert sizes_of(images[:, :1]) is None
    assert sizes_of(images, standardise="no") is None
    assert sizes_of(images, **published_settings(1)) is None


def test_an_output_that_the_network_misses_by_many_deviations_is_as_large_as_that() -> None:
    """Else it would be all that counts, and others be given up for it."""
    y = torch.stack([torch.randn(80, generator=twins.generator(1)), 5 + 1e-3 * torch.randn(80)], dim=1).double()
    assert sizes_of(y) is None
    assert sizes_of(y, standardise="yes") == [1.0, 4.0]
    assert sizes_of(y, offset=5.0) == [4.0, 2.0**-10]


def test_what_has_one_unit_cannot_be_divided() -> None:
    for kind in (twins.problem(twins.network(2, 6, 1)), twins.problem(twins.network(2, 6, 20), n_outputs=20)):
        with pytest.raises(InputError, match="one quantity") as refused:
            refine(kind, max_rank=3, standardise="yes")
        assert refused.value.key == "standardise"


def test_an_output_that_is_zero_throughout_is_no_unit() -> None:
    x, y = values()
    parts = [Split(x[part::3], torch.stack([y[part::3, 0], 0 * y[part::3, 1]], dim=1)) for part in range(3)]
    found = refine(SupervisedProblem("zero", trained(), *parts), max_rank=12)
    assert found.summary.output_sizes is None
    assert found.summary.refined.by_output is not None
    assert found.summary.refined.by_output[1] is None


def test_a_run_keeps_the_curves_and_one_of_an_earlier_version_opens_without(tmp_path: Path) -> None:
    sweep = refined(1e-12, 1e6).sweep
    path = tmp_path / "sweep.npz"
    np.savez(path, **vars(sweep))
    read = read_result(path, Sweep, 10**8)
    assert np.array_equal(read.by_output, sweep.by_output)
    assert np.array_equal(read.compared, sweep.divided)
    np.savez(path, **{name: array for name, array in vars(sweep).items() if name not in ("by_output", "divided")})
    assert np.array_equal(read_result(path, Sweep, 10**8).compared, sweep.val_mse)
