"""Bundles: what is written is read back, and whatever is wrong gives one sentence that names the file and the key."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import safetensors.torch
import torch

from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_core.refinement.refine import refine
from lsr_core.storage import bundle_schema
from lsr_core.storage.bundles import load_problem, read_description, sample_names, save_problem
from tests import bundles


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def changed(**changes: Any) -> dict[str, np.ndarray]:
    """The tiny data with some arrays replaced; None removes one."""
    data = {**bundles.arrays(), **changes}
    return {key: value for key, value in data.items() if value is not None}


def with_value(key: str, value: float) -> dict[str, np.ndarray]:
    data = bundles.arrays()
    data[key][3, 0] = value
    return data


def refused(folder: Path, file: str, key: str | None, match: str) -> None:
    with pytest.raises(InputError, match=match) as caught:
        load_problem(folder)
    assert caught.value.file == file
    assert caught.value.key == key
    assert "\n" not in str(caught.value)


def test_a_bundle_written_by_hand_is_read(tmp_path: Path) -> None:
    problem = load_problem(bundles.write(tmp_path / "b"))
    assert problem.name == "tiny"
    assert not problem.model.training
    assert all(parameter.dtype == torch.float64 for parameter in problem.model.parameters())
    assert problem.input_quantities == (Quantity("x", "m"), Quantity("y"))
    assert problem.architecture == Architecture("mlp", {"layers": bundles.LAYERS})
    torch.testing.assert_close(dict(problem.model.named_parameters()), bundles.tensors(), rtol=0, atol=0)
    for name, split in problem.splits().items():
        np.testing.assert_array_equal(split.inputs.numpy(), bundles.arrays()[f"{name}_inputs"])
    assert problem.grid is None


def test_save_and_load_agree(tmp_path: Path) -> None:
    first = load_problem(bundles.write(tmp_path / "a"))
    save_problem(tmp_path / "b", first, training={"epochs": 3}, seeds={"data": 1})
    second = load_problem(tmp_path / "b")
    assert second.train.inputs.equal(first.train.inputs)
    assert second.model(second.test.inputs).equal(first.model(first.test.inputs))
    assert read_description(tmp_path / "b").training == {"epochs": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_saving_keeps_what_is_there(tmp_path: Path) -> None:
    problem = load_problem(bundles.write(tmp_path / "a"))
    save_problem(tmp_path / "b", problem)
    with pytest.raises(InputError, match="something already"):
        save_problem(tmp_path / "b", problem)
    save_problem(tmp_path / "b", problem, seeds={"data": 2}, overwrite=True)
    assert read_description(tmp_path / "b").seeds == {"data": 2}
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="something already"):
        save_problem(tmp_path / "mine", problem, overwrite=True)


def test_saving_a_foreign_module_says_why_not(tmp_path: Path) -> None:
    data = Split(torch.rand(4, 1), torch.rand(4, 1))
    problem = SupervisedProblem("p", torch.nn.Linear(1, 1), data, data, data)
    with pytest.raises(InputError, match="registered architecture"):
        save_problem(tmp_path / "b", problem)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    data = Split(torch.rand(4, 2, dtype=torch.float64), torch.rand(4, 1, dtype=torch.float64))
    model = load_problem(bundles.write(tmp_path / "a")).model
    problem = SupervisedProblem("p", model, data, data, data, architecture=Architecture("mlp", {"layers": [2, 6, 1]}))
    with pytest.raises(InputError, match="shape"):
        save_problem(tmp_path / "b", problem)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("value", [2.5, 0.0])
def test_targets_that_are_all_equal_are_data_like_any_others(tmp_path: Path, value: float) -> None:
    same = {f"{split}_targets": np.full((24, 1), value) for split in ("train", "validation", "test")}
    result = refine(load_problem(bundles.write(tmp_path / "a", data=changed(**same))), max_rank=8)
    assert result.summary.refined.test_mse is not None
    assert result.summary.refined.test_mse < 0.5 * (result.summary.base.test_mse or 0)
    assert (result.summary.refined.test_relative_l2 is None) == (value == 0)


@pytest.mark.parametrize(
    ("data", "key", "match"),
    [
        (with_value("train_inputs", np.nan), "train_inputs", "1 of 48 values are NaN or infinite"),
        (with_value("test_targets", np.inf), "test_targets", "1 of 24 values are NaN or infinite"),
        (
            changed(train_targets=bundles.arrays()["train_targets"][:-1]),
            "train_targets",
            "23 rows, train_inputs has 24",
        ),
        (changed(test_inputs=np.ones((24, 3))), "test_inputs", "one row has the shape 3, in train it is 2"),
        (changed(validation_targets=np.ones((24, 2))), "validation_targets", "one row has the shape 2"),
        (changed(train_inputs=np.ones((0, 2)), train_targets=np.ones((0, 1))), "train_inputs", "is empty"),
        (changed(validation_inputs=np.ones((0, 2))), "validation_inputs", "is empty"),
        (changed(train_inputs=np.ones((24, 2), dtype=np.int64)), "train_inputs", "is int64; save it as float64"),
        (changed(train_targets=np.ones((24, 1), dtype=complex)), "train_targets", "is complex128"),
        (changed(train_targets=np.ones(24)), "train_targets", r"expected \(rows, outputs\)"),
        (changed(train_inputs=np.float64(1.0)), "train_inputs", r"expected \(rows, inputs\)"),
        (changed(train_inputs=None), "train_inputs", "missing"),
        (changed(test_inputs=None), "test_inputs", "both test_inputs and test_targets are needed, or neither"),
        (changed(validation_targets=None), "validation_inputs", "both"),
        (changed(surprise=np.ones(3)), "surprise", "not part of the format"),
        (changed(grid_inputs=np.ones((4, 2))), "grid_inputs", "both"),
        (
            {
                key: np.concatenate([value, value], 1) if key.endswith("inputs") else value
                for key, value in bundles.arrays().items()
            },
            "train_inputs",
            "does not take rows of the shape 4",
        ),
        (
            {
                key: np.concatenate([value, value], 1) if key.endswith("targets") else value
                for key, value in bundles.arrays().items()
            },
            "train_targets",
            "the network gives 1",
        ),
    ],
)
def test_bad_data(tmp_path: Path, data: dict[str, np.ndarray], key: str, match: str) -> None:
    refused(bundles.write(tmp_path, data=data), "data.npz", key, match)


def test_objects_in_data(tmp_path: Path) -> None:
    data = changed(train_targets=np.array([["a"], [3]], dtype=object))
    refused(bundles.write(tmp_path, data=data, pickles=True), "data.npz", "train_targets", "Python objects")


@pytest.mark.parametrize("content", [npz(**bundles.arrays())[:-200], npz(**bundles.arrays())[:50], b"no zip at all"])
def test_truncated_data(tmp_path: Path, content: bytes) -> None:
    refused(bundles.write(tmp_path, data=content), "data.npz", None, "truncated")


def test_damaged_data(tmp_path: Path) -> None:
    """Whatever bytes are spoilt, the answer is one sentence or the data themselves."""
    whole, refusals = npz(**bundles.arrays()), 0
    generator = np.random.default_rng(0)
    for _ in range(60):
        content = bytearray(whole)
        content[int(generator.integers(len(content)))] ^= int(generator.integers(1, 256))
        folder = bundles.write(tmp_path, data=bytes(content))
        try:
            load_problem(folder)
        except InputError:
            refusals += 1
    assert refusals > 30


def test_bomb_in_data(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2)})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("train_inputs.npy", stream.getvalue())
    refused(bundles.write(tmp_path, data=packed.getvalue()), "data.npz", "train_inputs", "promises more data")


def spoilt(**changes: Any) -> dict[str, torch.Tensor]:
    state = {**bundles.tensors(), **{key.replace("__", "."): value for key, value in changes.items()}}
    return {key: value for key, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("weights", "key", "match"),
    [
        (spoilt(linears__0__bias=None), "linears.0.bias", "this tensor is missing"),
        (spoilt(linears__9__bias=torch.ones(1)), "linears.9.bias", "not part of the network"),
        (spoilt(linears__0__bias=torch.ones(6).double()), "linears.0.bias", r"shape \(6,\), the network needs \(5,\)"),
        (spoilt(linears__0__bias=torch.ones(5)), "linears.0.bias", "is float32, expected float64"),
        (spoilt(linears__0__bias=torch.ones(5).long()), "linears.0.bias", "is int64, expected float64"),
        (spoilt(linears__0__bias=torch.full((5,), torch.nan).double()), "linears.0.bias", "NaN"),
    ],
)
def test_bad_weights(tmp_path: Path, weights: dict[str, torch.Tensor], key: str, match: str) -> None:
    refused(bundles.write(tmp_path, weights=weights), "model.safetensors", key, match)


@pytest.mark.parametrize(
    "content",
    [
        safetensors.torch.save(bundles.tensors())[:-9],
        safetensors.torch.save(bundles.tensors())[:30],
        b"{}",
        b"\x80\x04.",
    ],
)
def test_truncated_weights(tmp_path: Path, content: bytes) -> None:
    refused(bundles.write(tmp_path, weights=content), "model.safetensors", None, "truncated")


@pytest.mark.parametrize(
    ("problem", "key", "match"),
    [
        (
            bundles.description(format_version=99),
            "format_version",
            "format version 99 is not known; this version reads 1",
        ),
        (bundles.description(kind="quantum"), "kind", "supervised"),
        (
            bundles.description(network={"architecture": "resnet"}),
            "network.architecture",
            "unknown architecture 'resnet'",
        ),
        (bundles.description(network={"architecture": "mlp"}), "network.arguments.layers", "required"),
        (
            bundles.description(network={"architecture": "mlp", "arguments": {"layers": [2, 10**9, 1]}}),
            "network.arguments",
            "4,000,000,001 parameters",
        ),
        (bundles.description(dtype="float16"), "dtype", "float64"),
        (bundles.description(name="n" * 101), "name", "at most 100"),
        (bundles.description(name=""), "name", "at least 1"),
        (bundles.description(name="a\x1b[31m"), "name", "control characters"),
        (bundles.description(name="a\u202eb"), "name", "control characters"),
        (bundles.description(title="two\nlines"), "title", "control characters"),
        (bundles.description(inputs=[{"name": "x", "unit": "u" * 41}, {"name": "y"}]), "inputs.0.unit", "at most 40"),
        (bundles.description(inputs=[{"name": "x"}]), "inputs", "1 names for 2 columns"),
        (bundles.description(outputs=[{"name": "u"}, {"name": "v"}]), "outputs", "2 names for 1 columns"),
        (bundles.description(surprise=1), "surprise", "not permitted"),
        (bundles.description(files={}), "files", "entry for data.npz is missing"),
        (bundles.description(training={"rate": float("nan")}), "training.rate", "must be finite"),
    ],
)
def test_bad_description(tmp_path: Path, problem: dict[str, Any], key: str, match: str) -> None:
    folder = bundles.write(tmp_path, problem=problem)
    with pytest.raises(InputError, match=match) as caught:
        load_problem(folder)
    assert (caught.value.file, caught.value.key) == ("problem.json", key)


def test_markup_in_names_is_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script> **x**"
    folder = bundles.write(tmp_path, problem=bundles.description(inputs=[{"name": name}, {"name": "=1+1"}]))
    assert load_problem(folder).input_quantities[0].name == name


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"name": "\\ud800"}', b"\xff\xfe"])
def test_description_that_is_no_json_object(tmp_path: Path, content: bytes) -> None:
    folder = bundles.write(tmp_path)
    (folder / "problem.json").write_bytes(content)
    with pytest.raises(InputError, match=r"^problem\.json"):
        load_problem(folder)


def test_description_that_is_too_large(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    (folder / "problem.json").write_bytes(b" " * (2**20 + 1))
    refused(folder, "problem.json", None, "larger than")


@pytest.mark.parametrize("name", ["problem.json", "model.safetensors", "data.npz"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    folder = bundles.write(tmp_path)
    (folder / name).unlink()
    refused(folder, name, None, "this file is missing")


def test_digests(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    refused(folder, "model.safetensors", None, "truncated or was changed")
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused(folder, "model.safetensors", None, "SHA-256")


def test_a_table_is_not_called_a_damaged_zip(tmp_path: Path) -> None:
    table = tmp_path / "data.csv"
    table.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"is no zip: .*lsr refine my_problem\.py"):
        load_problem(table)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no bundle folder, zip or sample"):
        load_problem(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"samples are: sine2d"):
        load_problem("nothing")


def test_foreign_byte_order_and_order_of_axes(tmp_path: Path) -> None:
    data = {key: np.asfortranarray(value.astype(">f8")) for key, value in bundles.arrays().items()}
    problem = load_problem(bundles.write(tmp_path, data=data))
    np.testing.assert_array_equal(problem.train.inputs.numpy(), bundles.arrays()["train_inputs"])


def test_schema_is_up_to_date_and_fits_the_samples() -> None:
    text = bundle_schema.SCHEMA_PATH.read_text(encoding="utf-8")
    assert text == bundle_schema.schema_text(), "run python -m lsr_core.storage.bundle_schema"
    import lsr_samples

    validator = jsonschema.Draft202012Validator(json.loads(text))
    for name in sample_names():
        validator.validate(json.loads((lsr_samples.folder(name) / "problem.json").read_text(encoding="utf-8")))


def test_schema_accepts_the_example_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "problem-format.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    jsonschema.validate(json.loads(example), json.loads(bundle_schema.schema_text()))
    bundle_schema.ProblemDescription.model_validate_json(example)


def test_the_documentation_writes_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "problem-format.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "problem-format.md", "exec"), {})  # the page's own lines
    assert load_problem(tmp_path / "my_problem").train.inputs.shape[1] == 2
