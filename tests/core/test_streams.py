"""Data larger than memory: nothing that a refinement holds grows with the rows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.strategies import Strategy
from lsr_core.problems.splits import MappedSplit, Split
from lsr_core.problems.streams import split_from_batches
from lsr_core.refinement import plan
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.forecast import forecast
from lsr_core.refinement.quantiles import quantiles, room_for
from lsr_core.refinement.refine import refine
from tests.core import twins

ROWS = 9000


def batches(split: Split, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(split.inputs), size):
        yield split.inputs[start : start + size], split.targets[start : start + size]


@pytest.fixture
def largest(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The most samples that a Jacobian was made at, and that errors were taken of, at once."""
    most = {"jacobian": 0, "outputs": 0}

    def note(kind: str, owner: type, name: str) -> None:
        original = getattr(owner, name)

        def noted(self: object, inputs: Tensor, *args: object, **more: object) -> object:
            most[kind] = max(most[kind], len(inputs))
            return original(self, inputs, *args, **more)

        monkeypatch.setattr(owner, name, noted)

    note("jacobian", Strategy, "at")
    note("jacobian", Strategy, "factored_at")
    note("outputs", ParametricFunction, "outputs")
    return most


@pytest.mark.parametrize(
    ("strategy", "sketch_dtype"), [("row-blocks", "same"), ("row-blocks", "float32"), ("factored", "same")]
)
def test_no_pass_takes_all_rows_at_once(
    strategy: str, sketch_dtype: str, largest: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config = twins.network(2, 4, 1), RefineConfig(max_rank=6, strategy=strategy, sketch_dtype=sketch_dtype)  # type: ignore[arg-type]
    in_memory = [twins.data(ROWS, seed=seed) for seed in (1, 2, 3)]
    whole = refine(SupervisedProblem("whole", model, *in_memory), config)
    assert largest["jacobian"] == ROWS
    largest.update(jacobian=0, outputs=0)
    monkeypatch.setattr(plan, "MAX_BLOCK", 2**17)
    monkeypatch.setattr(plan, "KEEP_SHARE", 0)
    streamed = [split_from_batches(batches(split, 512)) for split in in_memory]
    result = refine(SupervisedProblem("streamed", model, *streamed), config)
    assert 0 < largest["jacobian"] <= 4096
    assert 0 < largest["outputs"] <= 4096
    fitted = [at.predictor.predict(in_memory[0].inputs) for at in (result, whole)]
    torch.testing.assert_close(*fitted, rtol=1e-10 if sketch_dtype == "same" else 1e-4, atol=1e-10)


def test_mapped_rows_are_not_memory_unless_they_are_converted() -> None:
    problem = twins.problem(twins.network(2, 4, 1), ROWS)
    mapped = replace(problem, train=split_from_batches(batches(problem.train, 512)))
    assert isinstance(mapped.train, MappedSplit)
    config = RefineConfig(max_rank=4, memory_budget="8GB")  # type: ignore[arg-type]
    single = config.model_copy(update={"dtype": "float32"})
    bytes_of = ROWS * 3 * 8
    assert forecast(problem, config).peak_bytes - forecast(mapped, config).peak_bytes == bytes_of
    assert forecast(problem, single).peak_bytes - forecast(mapped, single).peak_bytes == bytes_of


def test_a_value_that_is_not_finite_is_found_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_core.problems.splits.CHECKED", 16)
    inputs, targets = twins.data(100)
    targets[77] = np.nan
    with pytest.raises(ValueError, match=r"train_targets: 1 of 100 values are NaN"):
        SupervisedProblem("spoilt", twins.network(2, 4, 1), Split(inputs, targets))


LEVELS = np.array([0.0, 0.1, 0.5, 0.9, 0.99, 1.0])


@pytest.mark.parametrize("kind", ["lognormal", "equal", "with zeros", "tiny"])
def test_quantiles_in_a_file_are_those_in_memory(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    values = {
        "lognormal": draw.lognormal(-12, 4, 5000),
        "equal": np.full(5000, 0.3),
        "with zeros": np.where(draw.random(5000) < 0.4, 0.0, draw.random(5000)),
        "tiny": draw.random(5000) * 1e-300,
    }[kind]
    monkeypatch.setattr("lsr_core.refinement.quantiles.HELD", 100)
    room = room_for(5000)
    assert isinstance(room, np.memmap)
    room[:] = values
    assert quantiles(room, LEVELS) == np.quantile(values, LEVELS).tolist()


def test_many_values_take_no_memory() -> None:
    count = 2_000_000
    tracemalloc.start()
    try:
        room = room_for(count)
        room[:] = 1.0
        room[::2] = 3.0
        found = quantiles(room, LEVELS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [1.0, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert peak < count * 8 / 16


def test_values_that_are_not_finite_leave_no_quantiles() -> None:
    assert quantiles(room_for(0), LEVELS) is None
    for bad in (np.inf, np.nan):
        assert quantiles(np.array([1.0, bad]), LEVELS) is None
