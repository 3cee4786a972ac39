"""An output that the pooled error hides is told by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Quantity, Split
from lsr_core.refinement.output_errors import output_notes
from lsr_core.refinement.output_sizes import MOST
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.summary import Errors
from tests.core import twins
from tests.core.test_gauss_newton import hunters


class Scaled(nn.Module):
    def __init__(self, sizes: Tensor) -> None:
        super().__init__()
        self.net = twins.network(2, 12, len(sizes))
        self.register_buffer("sizes", sizes)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x) * self.sizes


def refined(*sizes: float, **settings: Any) -> Refinement:
    scale = torch.tensor(sizes, dtype=torch.float64)
    x = torch.rand(180, 2, generator=twins.generator(3), dtype=torch.float64) * 2 - 1
    y = torch.stack([torch.sin((2 + place) * x[:, 0]) * x[:, 1] + 0.3 for place in range(len(sizes))], dim=1) * scale
    parts = [Split(x[part::3], y[part::3]) for part in range(3)]
    names = tuple(Quantity(f"field {place}") for place in range(len(sizes)))
    return refine(
        SupervisedProblem("sizes", Scaled(scale).eval(), *parts, output_quantities=names),
        **{"max_rank": 25, **settings},
    )


def test_errors_by_output_are_those_of_the_predictor() -> None:
    result = refined(1e-12, 1e6)
    assert isinstance(result.problem, SupervisedProblem)
    inputs, targets = result.problem.test or result.problem.train
    for errors, call in (
        (result.summary.base, result.setting.network),
        (result.summary.refined, result.predictor),
    ):
        wanted = ((call(inputs) - targets).norm(dim=0) / targets.norm(dim=0)).tolist()
        assert errors.by_output == pytest.approx(wanted, rel=1e-9)
        assert errors.test_mse == pytest.approx(float((call(inputs) - targets).square().mean()), rel=1e-9)
    assert result.sweep.by_output[result.rank] == pytest.approx(wanted, rel=1e-3)


def test_a_small_output_that_is_lost_is_said() -> None:
    result = refined(1e-12, 1e6, standardise="no")
    small = result.summary.refined.by_output
    assert small is not None
    assert small[0] is not None
    assert small[0] > 20 * (result.summary.refined.test_relative_l2 or 1)
    assert result.summary.output_sizes is None
    (note,) = [note for note in result.summary.notes if "divides each by its size" in note]
    assert "field 0" in note
    stored = json.loads(result.summary.model_dump_json())
    assert stored["refined"]["by_output"] == small


def test_outputs_of_one_size_need_no_word_and_single_ones_no_key() -> None:
    assert not any("divides each" in note for note in refined(1.0, 1.0).summary.notes)
    assert "by_output" not in json.loads(refined(1.0).summary.refined.model_dump_json())
    assert refined(*[1.0] * (MOST + 1)).summary.refined.by_output is None


def test_notes_say_which_output_is_lost_or_far_from_the_others() -> None:
    base = Errors(by_output=[0.1, 0.1, None])
    assert output_notes(base, Errors(by_output=[0.01, 0.05, None]), []) == []
    assert "rises at output 2 (1.0e-01 to 2.0e-01)" in output_notes(base, Errors(by_output=[1e-9, 0.2, None]), [])[0]
    assert (
        "5.0e-02 at v and 1.0e-09 at u" in output_notes(base, Errors(by_output=[1e-9, 0.05, None]), ["u", "v", "w"])[0]
    )


def test_an_equation_without_a_solution_has_none() -> None:
    assert refine(hunters(), max_rank=10).summary.refined.by_output is None
