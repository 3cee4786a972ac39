"""What the fuzzer found and was mended, at its simplest: each is right, or refused in a sentence of this project's."""

from __future__ import annotations

import pytest

from tests.fuzz.cases import Case, Data
from tests.fuzz.networks import Network, Piece
from tests.fuzz.refinements import run

PLAIN = Data()


def of(
    *pieces: Piece, outputs: int = 1, width: int = 1, data: Data = PLAIN, large: bool = False, **settings: object
) -> Case:
    return Case(Network(0, width, False, pieces, outputs, dtype="float64"), data, settings, large)


ONE = Data(rows=1)
RIGHT = {
    "a part without gradients, which single precision hides from the proof": Case(
        Network(1884, 1, False, (("apart", "no_grad"), ("large", 0.01)), 1, dtype="float64", gain=1.0),
        Data(rows=10, validation=6, test=6),
        {"seed": 629, "dtype": "float32"},
        False,
    ),
    "in place after a linear layer": of(("inplace_after", 8, "relu"), strategy="factored"),
    "tied weights": of(("tied", 2, "transposed"), strategy="factored"),
    "a hook that changes the output": of(("hooked", 3, "silent"), strategy="factored"),
    "its inputs changed in place": of(("module", "hardswish", True), ("linear", 2, True)),
    "a linear layer called by keyword": of(("odd_call", 2, "keyword")),
    "samples flipped around a layer, one to train on": of(("odd_call", 1, "flipped"), data=ONE, strategy="factored"),
    "samples that influence each other, one to train on": of(
        ("twice", "bypassed"), ("coupled", "mean"), data=ONE, large=True
    ),
    "samples rolled around a layer, which hardly differ": of(
        ("attention", 4, True),
        ("odd_call", 1, "rolled"),
        ("batch_norm", True),
        outputs=3,
        data=Data(rows=3, input_scale=1e-10),
        max_rank=9,
        strategy="factored",
    ),
    "parameters without a rule for many samples, one to train on": of(
        ("linear", 8, True), ("prelu", False), width=2, data=ONE, large=True
    ),
    "no derivative of the backward pass": of(("radial", 4, "cdist")),
    "keeps what it was given": of(("linear", 3, True), ("guarded", "remembers")),
    "a weight made by a hook": of(("parametrised", "old weight norm")),
    "parts computed again": of(("guarded", "checkpoint"), ("layer_norm", True)),
    "a sketch in single precision takes the route that was proved": of(
        ("guarded", "checkpoint"), sketch_dtype="float32"
    ),
    "outputs in single precision": of(("layer_norm", True), ("linear", 3, True), ("zeros_filled", "single"), outputs=0),
    "a direction without any image and no cut-off": of(
        ("coupled", "largest"),
        ("recurrent_cell", "GRUCell", 1),
        width=4,
        published=3,
        data=Data(flaw="dependent columns"),
    ),
    "directions that single precision cannot tell apart": Case(
        Network(22, 1, False, (("inplace_after", 1, "scale"),), 0, dtype="float64", gain=1.0),
        Data(rows=12, validation=6, test=6),
        {"strategy": "factored", "dtype": "float32"},
        False,
    ),
    "directions that double precision hardly tells apart": of(
        outputs=1, data=Data(15, flaw="constant column"), strategy="factored", seed=298
    ),
    "more directions than the Jacobian has": Case(
        Network(343, 1, False, (("pieces", "where"), ("guarded", "checkpoint")), 1, dtype="float64", gain=1.0),
        Data(rows=45, validation=6, test=6, flaw="duplicates"),
        {},
        True,
    ),
    "a weight of one column that is used entry by entry": of(
        ("tied", 1, "norm"), width=2, data=Data(20), strategy="factored"
    ),
    "a weight of one column and its bias": of(
        ("inplace_after", 1, "clamp"),
        width=2,
        data=Data(60, input_scale=4.857745168398022e-07, flaw="tiny residual"),
        strategy="factored",
        seed=466,
    ),
    "layers of very different effect": of(
        ("linear", 5, True), ("function", "gelu"), data=Data(12, input_scale=1e-8), large=True
    ),
}
REFUSED = {
    "a rank that the basis of few samples does not reach": of(("linear", 3, True), outputs=0, rank=6, basis_points=1),
    "a dictionary": Case(Network(0, 1, False, (("linear", 3, True),), 1, "dict")),
}


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_what_its_twin_says(name: str) -> None:
    outcome = run(RIGHT[name])
    assert outcome.kind == "right", f"{outcome.kind}: {outcome.words}"


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    outcome = run(REFUSED[name])
    assert outcome.kind == "refused", f"{outcome.kind}: {outcome.words}"
