"""Sixty problems whose verdict is known because they were built to have it: fields that are wrong or right, and networks with something to find.

Of each kind the first half was looked at while the rules were written. The second half has seeds and sizes of its own, was made before the
first full run and has changed nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from _labelled import network, problem, samples, trained_by_adam, trained_by_lm
from _typed import (
    Made,
    Truth,
    convection,
    epidemic,
    heat,
    lorenz,
    one_end,
    oscillator,
    poisson,
    reaction,
    slopes_only,
    stiff,
    two_materials,
    well,
)
from torch import Tensor, nn

from lsr_core.problems.problem import Problem
from lsr_core.refinement.summary import Limit

NOT_SOLVED: frozenset[Limit] = frozenset({"unsolved", "undetermined"})
GAIN: frozenset[Limit] = frozenset({"conditioning", "unfinished"})


@dataclass(frozen=True)
class Known:
    """A problem with what is known of it.

    Attributes:
        limits: any of which is right.
        needs: kinds of statements that must be made.
        counts: what the statement on idle units must add up to, by the name of its number.
        truth: of an equation, or the target without noise; never shown to the run.
        tuned: whether it was looked at.
    """

    kind: str
    index: int
    problem: Problem
    settings: dict[str, Any]
    limits: frozenset[Limit]
    needs: frozenset[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)
    truth: Truth | None = None
    target: Callable[[Tensor], Tensor] | None = None
    tuned: bool = True


def sixty(kinds: tuple[str, ...] | None = None) -> Iterator[Known]:
    """All of them, made one after the other."""
    for kind, makers in {"wrong field": WRONG, "right field": RIGHT}.items():
        for index, make in enumerate(makers):
            if kinds is None or kind in kinds:
                made, settings, truth = make(index)
                limits = NOT_SOLVED if kind == "wrong field" else GAIN
                yield Known(kind, index, made, settings, limits, truth=truth, tuned=index < len(makers) // 2)
    for kind, make_data in DATA.items():
        for index in range(8):
            if kinds is None or kind in kinds:
                yield make_data(kind, index)


WRONG: tuple[Callable[[int], Made], ...] = (
    lambda i: convection(i, 60), lambda i: epidemic(i, 0.8, 60), lambda i: lorenz(i, 2), lambda i: well(i, 1),
    lambda i: one_end(i, 1), lambda i: two_materials(i, 0.5, 1.38, 400), lambda i: stiff(i, 20),
    lambda i: convection(i, 45), lambda i: reaction(i, 10), lambda i: epidemic(i, 0.6, 80), lambda i: well(i, 3),
    lambda i: slopes_only(i, 2), lambda i: two_materials(i, 0.3, 2, 50), lambda i: lorenz(i, 1.5),
)  # fmt: skip
RIGHT: tuple[Callable[[int], Made], ...] = (
    lambda i: poisson(i, 1), lambda i: heat(i, 0.1), lambda i: oscillator(i, 10),
    lambda i: convection(i, 3), lambda i: heat(i, 0.3), lambda i: oscillator(i, 6),
)  # fmt: skip


def _sine(waves: float) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.sin(waves * x).sum(dim=1, keepdim=True)


def _seed(kind: str, index: int) -> int:
    return 1000 * (1 + list(DATA).index(kind)) + index


def dead(kind: str, index: int) -> Known:
    """ReLU units that are off on all of the domain, trained to the end beside them; every other one too large to be trained anew."""
    dimension = 1 + index % 2
    width, alive = [(16, 3), (400, 4), (24, 4), (500, 6), (12, 2), (450, 5), (20, 3), (600, 8)][index]
    seed = _seed(kind, index)
    target = _sine(4.0)
    data = samples(target, dimension, 500, 250, seed)
    model = network([dimension, width, 1], seed, activation=nn.ReLU)
    with torch.no_grad():
        model[0].bias[alive:] = -8.0
        model[0].bias[:alive] = model[0].bias[:alive].abs() + 0.1
    kept = model if width > 100 else trained_by_lm(model, data[0], 40)
    with torch.no_grad():
        count = int((model[0](data[0].inputs) <= 0).all(dim=0).sum())
    limits: frozenset[Limit] = frozenset({"units", "nonconvexity"})
    return Known(
        kind,
        index,
        problem(kind, index, kept, data),
        _small(kept),
        limits,
        frozenset({"idle_units"}),
        {"dead": count},
        target=target,
        tuned=index < 4,
    )


def duplicated(kind: str, index: int) -> Known:
    """Hidden units that are copies of a few, which no gradient step can part."""
    groups, width = [(2, 20), (1, 16), (3, 24), (2, 32), (1, 24), (3, 18), (2, 28), (1, 30)][index]
    seed = _seed(kind, index)
    target = _sine(7.0)
    data = samples(target, 1, 500, 250, seed)
    model = network([1, width, 1], seed)
    with torch.no_grad():
        same = torch.arange(width) % groups
        for value in (model[0].weight, model[0].bias):
            value.copy_(value[same].clone())
        model[2].weight.copy_(model[2].weight[:, same].clone())
    limits: frozenset[Limit] = frozenset(
        {"units", "nonconvexity", *GAIN}
    )  # where a few units do, nothing but the copies is to be named
    found = trained_by_adam(model, data[0], 300)
    return Known(
        kind,
        index,
        problem(kind, index, found, data),
        _small(found),
        limits,
        frozenset({"idle_units"}),
        {"copies": width - groups},
        target=target,
        tuned=index < 4,
    )


def untrained(kind: str, index: int) -> Known:
    """A network as it was initialised."""
    dimension, width, waves = [
        (1, 24, 5),
        (2, 24, 2),
        (1, 32, 9),
        (3, 20, 2),
        (1, 20, 7),
        (2, 32, 3),
        (1, 40, 4),
        (3, 28, 1.5),
    ][index]
    seed = _seed(kind, index)
    target = _sine(waves)
    data = samples(target, dimension, 800, 400, seed)
    model = network([dimension, width, width, 1], seed)
    return Known(
        kind,
        index,
        problem(kind, index, model, data),
        _small(model),
        GAIN,
        frozenset({"constant"}),
        target=target,
        tuned=index < 4,
    )


def noisy(kind: str, index: int) -> Known:
    """Targets with noise: many samples and a network at their best, or few samples and a network with room to fit the noise."""
    seed = _seed(kind, index)
    sigma = [0.1, 0.3, 0.2, 0.25, 0.15, 0.35, 0.3, 0.2][index]
    target = _sine(3.0)
    if index % 2 == 0:
        data = samples(target, 1, 3000, 800, seed, sigma)
        model = trained_by_lm(network([1, 5, 1], seed), data[0], 200)
        limits: frozenset[Limit] = frozenset({"stationary", "capacity", "noise"})
        return Known(
            kind, index, problem(kind, index, model, data), _small(model), limits, target=target, tuned=index < 4
        )
    data = samples(target, 1, 60 + 5 * index, 400, seed, sigma)
    model = trained_by_lm(network([1, 24, 1], seed), samples(target, 1, 400, 10, seed + 7)[0], 40)
    return Known(
        kind,
        index,
        problem(kind, index, model, data),
        _small(model, 60),
        frozenset({"overfitting", "capacity", "noise"}),
        target=target,
        tuned=index < 4,
    )


def under_trained(kind: str, index: int) -> Known:
    """A network stopped soon after it began, on a target of its strongest directions."""
    dimension, width, steps = [
        (1, 24, 20),
        (2, 32, 15),
        (3, 24, 10),
        (1, 40, 12),
        (2, 24, 12),
        (1, 32, 15),
        (3, 32, 12),
        (2, 40, 10),
    ][index]
    seed = _seed(kind, index)
    slopes = torch.tensor([1.0, -0.6, 0.4], dtype=torch.float64)[:dimension]

    def target(x: Tensor) -> Tensor:
        return 2 + (x @ slopes)[:, None]

    data = samples(target, dimension, 500, 250, seed)
    found = trained_by_adam(network([dimension, width, 1], seed), data[0], steps)
    return Known(
        kind,
        index,
        problem(kind, index, found, data),
        _small(found),
        frozenset({"unfinished"}),
        target=target,
        tuned=index < 4,
    )


def _small(model: nn.Module, rows: int = 100) -> dict[str, Any]:
    return {"max_rank": min(100, rows, sum(value.numel() for value in model.parameters()))}


DATA: dict[str, Callable[[str, int], Known]] = {
    "dead units": dead,
    "copied units": duplicated,
    "untrained": untrained,
    "noisy": noisy,
    "under-trained": under_trained,
}


def noise_free_error(known: Known, predict: Callable[[Tensor], Tensor]) -> float:
    """Relative L2 error against the target without noise, at the test points."""
    assert known.target is not None
    inputs = known.problem.test.inputs  # type: ignore[union-attr]
    wanted = known.target(inputs)
    return (
        float((predict(inputs).detach() - wanted).norm() / wanted.norm())
        if math.isfinite(float(wanted.norm()))
        else math.nan
    )
