"""Checkpoints as training libraries write them; what is beside the weights stays unread."""

from __future__ import annotations

import argparse
import io
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from lsr_core.errors import InputError
from lsr_core.intake import arrayed, guess, inert, packed, pickles, subnetworks, torch_files
from tests.foreign.networks import FOREIGN


class Own:
    """Somebody's own class, whose code does not come with the file."""


def mlp(*widths: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(widths[0], widths[1]), nn.Tanh(), nn.Linear(widths[1], widths[2]))


def order_in(path: Path, tmp_path: Path, network: str = "") -> Any:
    return torch_files.convert(path, tmp_path / "out.safetensors", network)


@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("lightning.ckpt", "net.0.weight"),
        ("pina_whole.pt", "model.0.weight"),
        ("neuraloperator_saved.pt", "fno_blocks.convs.0.bias"),
    ],
)
def test_files_of_the_libraries_themselves(file: str, first: str, tmp_path: Path) -> None:
    """Written by Lightning 2.6.6, PINA 0.3.2 (`torch.save(model)`) and neuraloperator 2.0.0."""
    assert order_in(FOREIGN / file, tmp_path)["order"][0] == first


def test_the_saved_operator_is_known(tmp_path: Path) -> None:
    order_in(FOREIGN / "neuraloperator_saved.pt", tmp_path)
    tensors = safetensors.torch.load_file(tmp_path / "out.safetensors")
    assert guess.guess(tensors).arguments["width"] == 4


BESIDE: dict[str, Any] = {
    "namespace": argparse.Namespace(lr=1e-3, layers=[1, 2]),
    "numpy scalar": {"best": np.float64(0.25), "step": np.int64(3)},
    "numpy array": {"history": np.arange(5.0)},
    "default dictionary": defaultdict(list, a=[1]),
    "path": {"folder": Path("runs")},
    "classes": {"activation": nn.Tanh, "function": nn.functional.gelu, "optimiser": torch.optim.Adam},
    "loss tensor": torch.tensor(0.5),
    "dtype": {"dtype": torch.float64, "device": torch.device("cpu")},
    "module": nn.Tanh(),
    "training record": {"lr": np.float64(1e-3), "best": np.float32(0.5), "seen": {1, 2}},
    "global step as an array": np.array(7),
}
NAMED = [  # names that checkpoints of the threads in tests/foreign/CASES.md hold beside their weights
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint", "torch.nn.modules.loss.MSELoss", "omegaconf.listconfig.ListConfig",
    "omegaconf.dictconfig.DictConfig", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct", "argparse.Namespace", "torch._C._nn.gelu", "neuralop.layers.spectral_convolution.SpectralConv",
    "lightning.fabric.utilities.data.AttributeDict", "pathlib.PosixPath", "transformers.training_args.TrainingArguments",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_names_of_settings_are_known(name: str, tmp_path: Path) -> None:
    """A dictionary whose value is the class itself, written as torch writes it."""
    module, _, last = name.rpartition(".")
    path = tmp_path / "run.pt"
    torch.save({"model": mlp(2, 8, 1).state_dict(), "x": nn.Tanh}, path)
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(
                member, data.replace(b"ctorch.nn.modules.activation\nTanh\n", f"c{module}\n{last}\n".encode())
            )
    assert pickles.check(path) == [name]
    assert len(order_in(path, tmp_path)["order"]) == 4


def test_a_running_mean_of_the_weights_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "run.pth"
    torch.save(
        {"state_dict": mlp(2, 8, 1).state_dict(), "state_dict_ema": mlp(2, 8, 1).state_dict(), "optimizer": {}}, path
    )
    assert order_in(path, tmp_path) == {"networks": ["state_dict", "state_dict_ema"]}
    assert len(order_in(path, tmp_path, "state_dict_ema")["order"]) == 4


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_weights_is_left_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    torch.save({"model": mlp(2, 8, 1).state_dict(), "epoch": 3, "extra": BESIDE[name]}, path)
    assert [name.removeprefix("model.") for name in order_in(path, tmp_path)["order"]] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "builtins.getattr", "numpy.load", "torch.load", "subprocess.Popen"]
)
def test_names_that_do_something_are_refused(name: str) -> None:
    assert not inert.accepts(name)
    assert inert.stand_ins([name]) == []


def test_a_stand_in_does_nothing_whatever_it_is_called_with() -> None:
    ((stand_in, name),) = inert.stand_ins(["lightning.pytorch.cli.run"])  # type: ignore[misc]
    assert name == "lightning.pytorch.cli.run"
    assert vars(stand_in("rm", "-rf")) == {"attributes": {}}


def test_a_class_of_ones_own_is_refused_with_the_way_out(tmp_path: Path) -> None:
    torch.save({"0.weight": torch.ones(2, 2), "own": Own()}, tmp_path / "own.pt")
    with pytest.raises(InputError, match=r"would import .*model\.state_dict\(\)"):
        pickles.check(tmp_path / "own.pt")


def test_networks_side_by_side_are_asked_about() -> None:
    tensors = {
        f"{name}.{key}": value for name in ("actor", "critic") for key, value in mlp(2, 8, 2).state_dict().items()
    }
    with pytest.raises(subnetworks.SeveralNetworks) as error:
        subnetworks.only(tensors, "", "a.pt", ask=True)
    assert error.value.names == ("actor", "critic", subnetworks.TOGETHER)
    assert list(subnetworks.only(tensors, "critic", "a.pt", ask=True)) == list(mlp(2, 8, 2).state_dict())
    assert len(subnetworks.only(tensors, subnetworks.TOGETHER, "a.pt", ask=True)) == 8
    with pytest.raises(InputError, match="is not among its networks"):
        subnetworks.only(tensors, "other", "a.pt", ask=True)


def test_archives_of_weights(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(mlp(2, 8, 1).state_dict(), buffer)
    tape = tmp_path / "net.mdlus"
    with tarfile.open(tape, "w") as archive:
        for name, data in (("args.json", b"{}"), ("model.pt", buffer.getvalue())):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert packed.unpack(tape, tmp_path) == ["0.pt"]
    assert (tmp_path / "0.pt").read_bytes() == buffer.getvalue()
    folder = tmp_path / "hub.zip"
    with zipfile.ZipFile(folder, "w") as archive:
        for name in (
            "m/config.json",
            "m/model-00001-of-00002.safetensors",
            "m/model-00002-of-00002.safetensors",
            "m/optimizer.pt",
        ):
            archive.writestr(name, b"x")
    assert packed.unpack(folder, tmp_path) == ["0.safetensors", "1.safetensors"]


def test_kernels_of_keras_are_turned(tmp_path: Path) -> None:
    kernel, last = np.arange(16.0).reshape(2, 8), np.ones((8, 1))
    with h5py.File(tmp_path / "net.h5", "w") as file:
        for name, values, size in (("dense", kernel, 8), ("dense_1", last, 1)):
            file[f"layers/{name}/vars/0"], file[f"layers/{name}/vars/1"] = values, np.zeros(size)
    tensors = arrayed.tensors(tmp_path / "net.h5")
    assert guess.guess(tensors).arguments["layers"] == [2, 8, 1]
    np.testing.assert_array_equal(tensors["layers.dense.weight"].numpy(), kernel.T)
