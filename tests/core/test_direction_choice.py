"""Directions from Jacobian rows, and the trial that chooses between them and random ones."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from lsr_core import SupervisedProblem
from lsr_core.kinds.data.preparing import prepare
from lsr_core.networks.directions import DirectionForm, FactoredDirections
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.splits import Split
from lsr_core.refinement import direction_choice
from lsr_core.refinement.config import RefineConfig
from tests.core import twins
from tests.core.operations import operation


def setting_of(name: str, samples: int = 90) -> direction_choice.Setting:
    model, _ = operation(name)
    inputs = torch.randn(2 * samples, 3, 4, generator=twins.generator(), dtype=torch.float64)
    with torch.no_grad():
        targets = torch.sin(3 * model(inputs))
    problem = SupervisedProblem("made", model, Split(inputs[:samples], targets[:samples]))
    return prepare(problem, RefineConfig(max_rank=12, strategy="factored"))


def test_rows_of_layers_that_a_sample_passes_once_are_outer_products() -> None:
    model, inputs = twins.network(2, 6, 5, 1), twins.data(7).inputs
    function = ParametricFunction.from_module(model, dtype=torch.float64)
    rows = twins.jacobian(model, inputs)
    found = FactoredDirections.from_rows(function.shapes, rows, form=DirectionForm())
    torch.testing.assert_close(found.written().T, rows, rtol=1e-10, atol=1e-12)
    joined = found.joined(found.part(slice(3)))
    torch.testing.assert_close(joined.written().T, torch.cat([rows, rows[:3]]), rtol=1e-10, atol=1e-12)


def test_other_rows_come_close_to_the_nearest_outer_product() -> None:
    shapes = {"w": torch.Size([6, 5]), "k": torch.Size([4, 2, 3])}
    rows = torch.randn(20, 54, generator=twins.generator(), dtype=torch.float64)
    found = FactoredDirections.from_rows(shapes, rows, form=DirectionForm({"k": 2})).written().T
    for start, (height, width) in ((0, (6, 5)), (30, (8, 3))):
        part = slice(start, start + height * width)
        matrices, near = rows[:, part].view(-1, height, width), found[:, part].view(-1, height, width)
        best = torch.linalg.svdvals(matrices)[:, 1:].square().sum(1)
        missed = (matrices - near).square().sum((1, 2))
        assert bool((missed >= best - 1e-12).all())
        assert float((missed / best).median()) < 1.1


@pytest.mark.parametrize(("errors", "taken"), [([1.0, 0.5, 0.7], 1), ([1.0, 2.0, 0.7], 2), ([1.0, 0.99, 1.2], 0)])
def test_the_directions_with_the_clearly_smallest_error_are_taken(
    monkeypatch: pytest.MonkeyPatch, errors: list[float], taken: int
) -> None:
    setting = setting_of("linear over steps")
    tried: list[list[FactoredDirections]] = []

    def trial(_: object, candidates: list[FactoredDirections]) -> list[float]:
        tried.append(candidates)
        return errors

    monkeypatch.setattr(direction_choice, "_trial", trial)
    assert direction_choice.chosen_directions(setting, 12) is tried[0][taken]
    assert [some.count for some in tried[0]] == [12, 12, 12]


def test_the_trial_is_a_fit_to_some_samples_judged_by_others() -> None:
    setting = setting_of("linear over steps")
    form = DirectionForm()
    drawn = direction_choice.random_directions(setting, 12, form)
    rows = direction_choice.row_directions(setting, 12, form)
    both = drawn.part(slice(6)).joined(rows.part(slice(6, None)))
    found = direction_choice._trial(setting, [drawn, rows, both])
    inputs, targets = direction_choice.subset(setting, direction_choice.TRIED)
    dense = twins.jacobian(setting.function.module, inputs)  # type: ignore[arg-type]
    errors = (setting.function.outputs(inputs) - targets).reshape(-1, 1)
    fitted = (len(inputs) - len(inputs) // 4) * targets.shape[1]
    for error, directions in zip(found, (drawn, rows, both), strict=True):
        modes = dense @ torch.linalg.qr(directions.written()).Q
        step = torch.linalg.lstsq(modes[:fitted], -errors[:fitted]).solution
        wanted = float((errors[fitted:] + modes[fitted:] @ step).square().mean())
        assert error == pytest.approx(wanted, rel=1e-6)


def test_where_samples_pass_each_layer_once_there_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = twins.problem(twins.network(2, 6, 6, 1), rows=90)
    setting = prepare(problem, RefineConfig(max_rank=12, strategy="factored"))
    monkeypatch.setattr(direction_choice, "_trial", lambda *_: pytest.fail("was tried"))
    assert direction_choice.chosen_directions(setting, 12).count == 12


def test_rows_are_let_go_once_they_are_cut_down() -> None:
    shapes = {"weight": torch.Size((40, 30)), "bias": torch.Size((40,))}
    alive: list[weakref.ref[object]] = []

    def rows() -> Iterator[Tensor]:
        for seed in range(6):
            row = torch.randn(1240, generator=torch.Generator().manual_seed(seed))
            alive.append(weakref.ref(row.untyped_storage()))
            yield row
            assert sum(one() is not None for one in alive) <= 2

    FactoredDirections.from_rows(shapes, rows(), form=DirectionForm())
    assert len(alive) == 6
