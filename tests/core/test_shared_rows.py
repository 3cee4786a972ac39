"""Rows shared among processes, here threads that stand for them: the same result as one process, for every kind and way to the basis."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lsr_core.errors import InputError
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.linalg.groups import in_threads
from lsr_core.linalg.reduction import ALONE, Reduction
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.core import twins
from tests.core.test_physics import Ansatz, make

SAME = 1e-10
SURE = 1e6  # condition number up to which rounding of the rows stays far below that


def shared(problem: Problem, count: int, **settings: Any) -> list[Refinement]:
    """What each of `count` processes finds, each with a copy of the problem."""
    torch.set_num_threads(1)
    return in_threads(count, lambda thread: refine(copy.deepcopy(problem), reduction=Reduction(thread), **settings))


def gap(mine: object, theirs: object) -> float:
    """Largest relative difference of numbers at the same places."""
    a, b = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    assert np.array_equal(np.isnan(a), np.isnan(b))
    known = ~np.isnan(b)
    return float(np.abs(a - b)[known].max(initial=0) / np.abs(b)[known].max(initial=1e-300))


def _allowed(name: str, values: np.ndarray) -> float:
    """A condition number is told to as much rounding as it magnifies."""
    if "condition_number" not in name:
        return SAME
    return max(SAME, 10 * float(np.finfo(float).eps * np.nanmax(values)))


def same(alone: Refinement, every: list[Refinement]) -> None:
    for found in every:
        assert found.rank == alone.rank
        sure = ~(alone.sweep.solved_condition_number > SURE)
        for name in vars(alone.sweep):
            mine, theirs = getattr(found.sweep, name), getattr(alone.sweep, name)
            told = [v[sure] if len(v) else v for v in (mine, theirs)]
            assert gap(*told) < _allowed(name, told[1]), name
        assert gap(found.delta, alone.delta) < 1e-8  # directions that hardly move the outputs
        for part in ("base", "refined", "base_quantiles", "refined_quantiles", "residual_norm", "classes"):
            mine, theirs = getattr(found.summary, part), getattr(alone.summary, part)
            if theirs is not None:
                numbers = ([v for _, v in x if isinstance(v, float)] for x in (mine, theirs))
                assert gap(*numbers) < SAME, part
        assert gap(found.fields.refined_error, alone.fields.refined_error) < 1e-6  # kept in single precision
        assert gap(found.fields.network, alone.fields.network) < SAME
    assert torch.equal(every[0].delta, every[-1].delta)


def classes() -> ClassificationProblem:
    def labelled(rows: int, seed: int) -> Split:
        inputs = twins.data(rows, seed=seed).inputs
        return Split(inputs, one_hot((inputs[:, 0] * inputs[:, 1] > 0).long() + (inputs[:, 0] > 0.3).long(), 3))

    return ClassificationProblem("sectors", twins.network(2, 8, 3), *(labelled(n, n) for n in (61, 30, 43)))


def operator() -> OperatorProblem:
    return OperatorProblem("shift", twins.network(5, 8, 4), *(twins.data(n, 5, 4, seed=n) for n in (41, 20, 23)))


def supervised(outputs: int = 1, rows: int = 41) -> Problem:
    return twins.problem(twins.network(2, 8, 8, outputs), rows=rows, n_outputs=outputs)


SUPERVISED = {
    "factored": {"strategy": "factored"},
    "rows": {"strategy": "row-blocks", "power_iterations": 1},
    "matrix-free": {"strategy": "matrix-free", "basis_points": 20},
    "smoothed": {"regularise": "auto"},
    "damped": {"damping": 1e-3, "scaling": "singular-values"},
}


@pytest.mark.parametrize("settings", SUPERVISED.values(), ids=SUPERVISED.keys())
def test_data(settings: dict[str, Any]) -> None:
    problem = supervised()
    same(refine(problem, max_rank=20, **settings), shared(problem, 3, max_rank=20, **settings))


def test_outputs_in_different_units() -> None:
    problem = supervised(2)
    problem = problem.changed(
        **{name: Split(x, y * torch.tensor([1.0, 300.0])) for name, (x, y) in problem.splits().items()}
    )
    alone = refine(problem, max_rank=20)
    assert alone.summary.output_sizes is not None
    same(alone, shared(problem, 2, max_rank=20))


@pytest.mark.parametrize("linearised", ["logits", "probabilities"])
def test_classes(linearised: str) -> None:
    problem = classes()
    every = shared(problem, 2, max_rank=20, linearised=linearised)
    alone = refine(problem, max_rank=20, linearised=linearised)
    same(alone, every)
    assert every[1].summary.classes == alone.summary.classes


def test_operators() -> None:
    problem = operator()
    same(refine(problem, max_rank=20), shared(problem, 4, max_rank=20))


EQUATIONS = {
    "subspace": {"max_rank": 20},
    "residuals": {"max_rank": 20, "source": "residuals"},
    "factored": {"max_rank": 20, "strategy": "factored"},
    "whole": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", EQUATIONS.values(), ids=EQUATIONS.keys())
def test_equations(settings: dict[str, Any]) -> None:
    problem = make(Ansatz())
    same(refine(problem, **settings), shared(problem, 3, **settings))


def test_more_processes_than_samples_in_a_split() -> None:
    problem = supervised(rows=6)
    problem = problem.changed(test=Split(*(part[:2] for part in problem.splits()["test"])), validation=None)
    same(refine(problem, max_rank=3, rank=2), shared(problem, 5, max_rank=3, rank=2))


def test_what_is_sent_is_counted() -> None:
    problem = supervised()
    assert refine(problem, max_rank=20).summary.processes is None
    summary = shared(problem, 2, max_rank=20)[0].summary
    assert summary.processes is not None
    assert summary.processes.count == 2
    assert summary.processes.sent_bytes > 20 * 21 / 2 * 8  # a triangle at least
    assert summary.processes.most_sent_bytes < summary.processes.sent_bytes


@pytest.mark.parametrize(
    ("settings", "count", "said"),
    [
        ({"published": 1, "strategy": "matrix-free", "oversampling": 10}, 2, "authors' modes take all rows"),
        ({}, 7, "are 7, but there are 6 training samples"),
    ],
)
def test_what_cannot_be_shared_is_refused(settings: dict[str, Any], count: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        shared(supervised(rows=6), count, max_rank=5, **settings)


def test_samples_that_influence_each_other_are_refused() -> None:
    class Mixing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = twins.network(2, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) - self.inner(x).mean()

    with pytest.raises(InputError, match="depend on the samples beside it"):
        shared(twins.problem(Mixing()), 2, max_rank=5)


def test_different_problems_are_refused() -> None:
    def work(thread: Any) -> None:
        refine(supervised(rows=41 + thread.rank), max_rank=5, reduction=Reduction(thread))

    with pytest.raises(InputError, match="of process 1 differ from those of process 0"):
        in_threads(2, work)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_verbs(count: int) -> None:
    rows = torch.randn(13, 4, generator=twins.generator(), dtype=torch.float64)

    def work(thread: Any) -> tuple[torch.Tensor, ...]:
        reduction = Reduction(thread)
        own = rows[reduction.part(13)]
        qr = StreamingQR(4, dtype=torch.float64, device=torch.device("cpu"), gather=16)
        qr.update(own)
        (number,) = reduction.share(torch.tensor(reduction.rank))
        return reduction.sum(own.sum(dim=0)), reduction.triangle(qr.factor), reduction.joined(own), number

    for total, factor, joined, number in in_threads(count, work):
        assert torch.allclose(total, rows.sum(dim=0), rtol=1e-14, atol=1e-14)
        assert torch.allclose(factor.T @ factor, rows.T @ rows, rtol=1e-13, atol=1e-13)
        assert factor.shape == (4, 4)
        assert torch.equal(joined, rows)
        assert number == 0


def test_blocks_are_all_rows_once() -> None:
    for count, size, most in ((10, 3, 2), (2, 5, 4), (100, 7, 9)):

        def work(thread: Any, count: int = count, most: int = most) -> list[int]:
            blocks = list(Reduction(thread).blocks(count, most))
            assert len(blocks) == Reduction(thread).n_blocks(count, most)
            return [row for block in blocks for row in range(count)[block]]

        assert list(itertools.chain(*in_threads(size, work))) == list(range(count))
    assert list(ALONE.blocks(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
