"""Some hundred random refinements, and that the fuzzer sees what it should; `make fuzz` runs thousands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.subspace import ExplicitSubspace
from tests.core import twins
from tests.fuzz import refinements
from tests.fuzz.cases import Case, Data, draw_case
from tests.fuzz.networks import LARGEST, Network
from tests.fuzz.refinements import FAILURES, cases, run
from tests.fuzz.twin import rows_of

PLAIN = Case(Network(0, 2, False, (("linear", 5, True), ("function", "tanh")), 1), settings={"rank": 8})
QUICKLY = range(5000, 5090)


@pytest.fixture(autouse=True)
def _one_thread():  # type: ignore[no-untyped-def]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.always
def test_random_refinements_are_those_of_the_dense_twin() -> None:
    found = [(seed, case, run(case)) for _, seed, case in cases(QUICKLY)]
    wrong = [
        f"{seed}: {outcome.kind}: {outcome.words}\n{case!r}"
        for seed, case, outcome in found
        if outcome.kind in FAILURES
    ]
    assert not wrong, "\n\n".join(wrong[:5])
    assert sum(outcome.kind == "right" for *_, outcome in found) > len(found) / 2


def test_a_case_is_what_its_seed_says_and_can_be_printed() -> None:
    for seed in range(20):
        case = draw_case(seed)
        assert eval(repr(case)) == case == draw_case(seed)
        first, again = case.network.build(), case.network.build()
        values = [value for part in (first, again) for value in part.parameters()]
        half = len(values) // 2
        assert all(map(torch.equal, values[:half], values[half:]))
        assert sum(value.numel() for value in first.parameters()) <= LARGEST


def test_the_twin_is_the_jacobian() -> None:
    model = twins.network(3, 5, 2)
    x, y = twins.data(7, 3, 2)
    torch.testing.assert_close(rows_of(model, x, y).jacobian, twins.jacobian(model, x))


def _rescaled_step(patch: pytest.MonkeyPatch) -> None:
    forward = RefinedPredictor.parts
    patch.setattr(RefinedPredictor, "parts", lambda self, x: (forward(self, x)[0], forward(self, x)[1] * (1 + 1e-9)))


def _rounded_modes(patch: pytest.MonkeyPatch) -> None:
    modes = ExplicitSubspace.modes
    patch.setattr(ExplicitSubspace, "modes", lambda self, x: modes(self, x).float().double())


def _touched_data(patch: pytest.MonkeyPatch) -> None:
    refine = refinements.refine

    def and_touch(problem, **settings):  # type: ignore[no-untyped-def]
        found = refine(problem, **settings)
        problem.train.inputs.mul_(1 + 1e-12)
        return found

    patch.setattr(refinements, "refine", and_touch)


@pytest.mark.parametrize("fault", [_rescaled_step, _rounded_modes, _touched_data])
def test_a_small_fault_is_seen(fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(PLAIN).kind == "right"
    fault(monkeypatch)
    assert run(PLAIN).kind == "wrong"


def test_foreign_words_and_exceptions_are_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Tensor:
        raise RuntimeError("mat1 and mat2 must have the same dtype")

    monkeypatch.setattr(nn.Linear, "forward", fails)
    with pytest.raises(RuntimeError):
        PLAIN.network.build()(torch.zeros(1, 2))
    monkeypatch.undo()
    monkeypatch.setattr(refinements, "refine", fails)
    assert run(PLAIN).kind == "crash"


def test_a_failure_is_made_simple() -> None:
    case = Case(
        Network(3, 2, False, (("linear", 5, True), ("function", "tanh"), ("linear", 3, True)), 2, dtype="float64"),
        Data(rows=40, flaw="duplicates"),
        {"max_rank": 8, "damping": 0.1},
    )
    least = refinements.shrunk(case, lambda variant: "damping" in variant.settings)
    assert least.settings == {"damping": 0.1}
    assert len(least.network.pieces) == 0
    assert least.data.flaw == ""
