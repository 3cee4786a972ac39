"""Checkpoints in a bundle: each is what was put in, damaged ones are refused, and bundles without them are as before."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from lsr_core.errors import InputError
from lsr_core.storage.bundles import copy_bundle, load_problem, read_description, save_problem
from tests import bundles

EPOCHS = (0, 3, 12_000)
State = dict[str, torch.Tensor]


def states() -> dict[int, State]:
    """Three sets of weights; the last is that of the network itself."""
    return {
        epoch: {name: value * scale for name, value in bundles.tensors().items()}
        for epoch, scale in zip(EPOCHS, (0.1, 0.5, 1.0), strict=True)
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plain = load_problem(bundles.write(tmp_path / "plain"))
    return save_problem(tmp_path / "along", plain, checkpoints=states())


def test_each_checkpoint_is_what_was_put_in(folder: Path) -> None:
    for epoch, state in states().items():
        found = load_problem(folder, checkpoint=epoch).model.state_dict()
        assert all(torch.equal(found[name], value) for name, value in state.items())
    last = load_problem(folder).model.state_dict()
    assert all(torch.equal(last[name], value) for name, value in states()[12_000].items())


def test_weights_of_the_model_itself_are_stored_once(folder: Path) -> None:
    assert sorted(path.name for path in folder.glob("*.safetensors")) == [
        "checkpoint-0000.safetensors",
        "checkpoint-0003.safetensors",
        "model.safetensors",
    ]
    assert [entry.file for entry in read_description(folder).checkpoints][-1] == "model.safetensors"


def test_an_epoch_that_is_not_there_is_named_with_those_that_are(folder: Path) -> None:
    with pytest.raises(InputError, match="no checkpoint of epoch 7; there are: 0, 3, 12000") as caught:
        load_problem(folder, checkpoint=7)
    assert caught.value.key == "checkpoints"
    with pytest.raises(InputError, match="there are: none"):
        load_problem(bundles.write(folder.parent / "without"), checkpoint=0)


def test_a_copy_has_them_only_when_asked(folder: Path, tmp_path: Path) -> None:
    copy_bundle(folder, tmp_path / "all", checkpoints=True)
    assert sorted(p.name for p in (tmp_path / "all").iterdir()) == sorted(p.name for p in folder.iterdir())
    assert (tmp_path / "all" / "problem.json").read_bytes() == (folder / "problem.json").read_bytes()
    copy_bundle(folder, tmp_path / "three")
    assert sorted(p.name for p in (tmp_path / "three").iterdir()) == ["data.npz", "model.safetensors", "problem.json"]
    assert read_description(tmp_path / "three").checkpoints == []
    load_problem(tmp_path / "three")


def test_a_zip_may_hold_checkpoints_and_nothing_like_them(folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "along.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"along/{path.name}")
    assert torch.equal(
        load_problem(packed, checkpoint=3).model.state_dict()["linears.0.weight"], states()[3]["linears.0.weight"]
    )
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr("along/checkpoint-3.safetensors", b"x")
    with pytest.raises(InputError, match="does not belong"):
        load_problem(packed)


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "problem.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    change(description)
    path.write_text(json.dumps(description), encoding="utf-8")
    return folder


def replaced(folder: Path, content: bytes) -> Path:
    """Another file for epoch 3, with a digest that is right."""
    (folder / "checkpoint-0003.safetensors").write_bytes(content)
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return changed(folder, lambda description: description["files"].update({"checkpoint-0003.safetensors": entry}))


def refused(folder: Path, file: str, match: str, checkpoint: int | None = None) -> None:
    with pytest.raises(InputError, match=match) as caught:
        load_problem(folder, checkpoint)
    assert caught.value.file == file


def test_damaged_files_are_refused_whichever_epoch_is_wanted(folder: Path) -> None:
    path = folder / "checkpoint-0003.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    refused(folder, path.name, "truncated or was changed")
    path.write_bytes(content[:-1] + b"\x01")
    refused(folder, path.name, "SHA-256")
    path.unlink()
    refused(folder, path.name, "missing")


def test_weights_of_another_network_are_refused(folder: Path, tmp_path: Path) -> None:
    other = bundles.tensors() | {"linears.0.bias": torch.zeros(6, dtype=torch.float64)}
    replaced(folder, safetensors.torch.save(other))
    refused(folder, "checkpoint-0003.safetensors", "shape", 3)
    with pytest.raises(InputError, match="shape"):
        copy_bundle(folder, tmp_path / "copy", checkpoints=True)
    assert not (tmp_path / "copy").exists()
    replaced(folder, safetensors.torch.save(bundles.tensors(torch.float32)))
    refused(folder, "checkpoint-0003.safetensors", "float32, expected float64", 3)
    replaced(
        folder, safetensors.torch.save(bundles.tensors() | {"linears.0.bias": torch.full((5,), torch.nan).double()})
    )
    refused(folder, "checkpoint-0003.safetensors", "NaN", 3)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: d["checkpoints"].reverse(), "must rise"),
        (lambda d: d["checkpoints"][1].update(epoch=0), "must rise"),
        (lambda d: d["checkpoints"].pop(1), "checkpoint-0003.safetensors must stand both"),
        (lambda d: d["files"].pop("checkpoint-0003.safetensors"), "checkpoint-0003.safetensors must stand both"),
        (lambda d: d["checkpoints"][1].update(file="checkpoint-0000.safetensors"), "same file"),
        (lambda d: d["checkpoints"][1].update(file="../checkpoint-0003.safetensors"), "should"),
        (lambda d: d["checkpoints"][1].update(epoch=-1), "should"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], match: str
) -> None:
    refused(changed(folder, change), "problem.json", match)


def test_saving_checks_every_checkpoint(tmp_path: Path) -> None:
    problem = load_problem(bundles.write(tmp_path / "plain"))
    broken = states() | {3: {name: value * torch.nan for name, value in bundles.tensors().items()}}
    with pytest.raises(InputError, match="NaN"):
        save_problem(tmp_path / "along", problem, checkpoints=broken)
    assert not (tmp_path / "along").exists()
