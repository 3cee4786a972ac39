"""Exports: the predictor reads back equal, and a file that is not one is refused in a sentence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Quantity, Split
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.export import load_predictor, named_delta, read_predictor_description, save_predictor
from lsr_core.storage.tables import finite, predictions_csv
from tests import bundles

METADATA: dict[str, Any] = {"rank": 3, "base": {"test_mse": 1e-3}, "refined": {"test_mse": 1e-9}, "seconds": 2.0}


@pytest.fixture
def problem(tmp_path: Path) -> SupervisedProblem:
    return load_problem(bundles.write(tmp_path / "bundle"))


@pytest.fixture
def delta() -> Tensor:
    return torch.randn(21, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_saved_and_loaded_predict_the_same(tmp_path: Path, problem: SupervisedProblem, delta: Tensor) -> None:
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA)
    loaded = load_predictor(path)
    inputs = problem.test.inputs if problem.test else torch.empty(0)
    expected = RefinedPredictor(problem.model, named_delta(problem.model, delta))
    assert loaded.predict(inputs).equal(expected.predict(inputs))
    assert not loaded.predict(inputs).equal(problem.model(inputs))
    description = read_predictor_description(path)
    assert (description.rank, description.problem, description.dtype) == (3, "tiny", "float64")
    assert description.refined.test_mse == 1e-9
    assert description.inputs[0].unit == "m"


def test_the_order_of_the_flat_step_is_that_of_the_engine(problem: SupervisedProblem, delta: Tensor) -> None:
    from lsr_core.networks.functions import ParametricFunction

    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    expected = function.unflatten(delta)
    found = named_delta(problem.model, delta)
    assert list(found) == list(expected)
    assert all(found[name].equal(expected[name]) for name in expected)


def test_single_precision_weights_with_a_double_step(tmp_path: Path, delta: Tensor) -> None:
    folder = bundles.write(
        tmp_path / "b", weights=bundles.tensors(torch.float32), problem=bundles.description(dtype="float32")
    )
    problem = load_problem(folder)
    loaded = load_predictor(save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA))
    assert {value.dtype for value in loaded.state_dict().values()} == {torch.float64}
    problem.model.double()
    expected = RefinedPredictor(problem.model, named_delta(problem.model, delta))
    assert loaded.predict(problem.train.inputs).equal(expected.predict(problem.train.inputs))


def test_foreign_architecture(tmp_path: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()
    inputs = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None]
    problem = SupervisedProblem("own", model, Split(inputs, inputs**2))
    delta = torch.ones(10, dtype=torch.float64)
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, {"rank": 1})
    with pytest.raises(InputError, match="pass the network"):
        load_predictor(path)
    blank = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    before = blank[0].weight.clone()
    expected = RefinedPredictor(model, named_delta(model, delta))
    assert load_predictor(path, blank).predict(inputs).equal(expected.predict(inputs))
    assert blank[0].weight.equal(before)
    with pytest.raises(InputError, match="the network needs"):
        load_predictor(path, torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)))


@pytest.mark.parametrize("wrong", [torch.ones(20).double(), torch.ones(21, 1).double()])
def test_step_of_another_size(tmp_path: Path, problem: SupervisedProblem, wrong: Tensor) -> None:
    with pytest.raises(InputError, match="21 free parameters"):
        save_predictor(tmp_path / "p.safetensors", problem, wrong, METADATA)
    assert not (tmp_path / "p.safetensors").exists()


def test_step_that_is_not_finite(tmp_path: Path, problem: SupervisedProblem, delta: Tensor) -> None:
    delta[4] = torch.inf
    with pytest.raises(InputError, match="NaN or infinite"):
        save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA)


def test_truncated_and_foreign_files(tmp_path: Path, problem: SupervisedProblem, delta: Tensor) -> None:
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA)
    content = path.read_bytes()
    for damaged in (content[:-3], content[:40], content[:4], b"", b"PK\x03\x04" + bytes(40)):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="truncated"):
            load_predictor(path)
    path.write_bytes((tmp_path / "bundle" / "model.safetensors").read_bytes())
    with pytest.raises(InputError, match="not a refined predictor"):
        load_predictor(path)
    with pytest.raises(InputError, match="missing"):
        load_predictor(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format_version": 7}, "format version 7 is not known"),
        ({"rank": -1}, "rank"),
        ({"network": {"architecture": "resnet"}}, "unknown architecture"),
        ({"network": {"architecture": "mlp", "arguments": {"layers": [2, 10**9, 1]}}}, "parameters"),
        ({"network": {"architecture": "mlp", "arguments": {"layers": [2, 6, 1]}}}, "the network needs"),
        ({"dtype": "float32"}, "expected float32"),
    ],
)
def test_descriptions_that_do_not_fit(
    tmp_path: Path, problem: SupervisedProblem, delta: Tensor, change: dict[str, Any], match: str
) -> None:
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA)
    header = json.loads(read_predictor_description(path).model_dump_json()) | change
    tensors = safetensors.torch.load_file(path)
    path.write_bytes(safetensors.torch.save(tensors, {"lsr_predictor": json.dumps(header)}))
    with pytest.raises(InputError, match=match) as caught:
        load_predictor(path)
    assert caught.value.file == "p.safetensors"


@pytest.mark.parametrize("name", ["delta.linears.9.weight", "other"])
def test_superfluous_tensors(tmp_path: Path, problem: SupervisedProblem, delta: Tensor, name: str) -> None:
    path = save_predictor(tmp_path / "p.safetensors", problem, delta, METADATA)
    text = read_predictor_description(path).model_dump_json()
    tensors = safetensors.torch.load_file(path) | {name: torch.ones(2)}
    path.write_bytes(safetensors.torch.save(tensors, {"lsr_predictor": text}))
    with pytest.raises(InputError, match=r"not part of the network|not a predictor"):
        load_predictor(path)


def test_csv_keeps_every_digit_and_no_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, targets, network, refined = (torch.randn(5, n, generator=generator).double() / 3 for n in (2, 1, 1, 1))
    text = predictions_csv(
        Split(inputs, targets),
        network,
        refined,
        inputs=(Quantity("=HYPERLINK(1)", "m"), Quantity('a,"b"')),
        outputs=(Quantity("@u"),),
    )
    header, *rows = list(csv.reader(io.StringIO(text)))
    assert header == ["'=HYPERLINK(1) [m]", 'a,"b"', "target @u", "network @u", "refined @u"]
    np.testing.assert_array_equal(
        np.array(rows, dtype=float), torch.cat([inputs, targets, network, refined], 1).numpy()
    )


def test_csv_numbers_columns_without_names() -> None:
    values = torch.ones(2, 2)
    header = predictions_csv(Split(values, values), values, values).splitlines()[0]
    assert header.startswith("input 1,input 2,target output 1,target output 2,network output 1")


def test_numbers_that_are_not_finite_become_null() -> None:
    nested = {"a": [1.0, float("nan")], "b": {"c": (float("-inf"), 2)}, "d": "nan"}
    assert finite(nested) == {"a": [1.0, None], "b": {"c": [None, 2]}, "d": "nan"}
