"""What was dropped or mistaken in silence: imaginary parts, headers of numbers, several networks in one file, the order of layers."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.torch
import scipy.io
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.intake import guess, state_dicts, tables

VALUES = np.exp(1j * np.linspace(0, 1, 12))[:, None]


def chain(*widths: int) -> nn.Sequential:
    torch.manual_seed(sum(widths))
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


class Auto(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = chain(3, 16, 4), chain(4, 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


@pytest.mark.parametrize("kind", ["matlab", "hdf5", "pairs", "npz"])
def test_complex_numbers_are_seen_and_never_halved(kind: str, tmp_path: Path) -> None:
    real = np.linspace(0, 1, 12)[:, None]
    if kind == "matlab":
        path = tmp_path / "data.mat"
        scipy.io.savemat(path, {"u": VALUES, "x": real})
    elif kind == "npz":
        path = tmp_path / "data.npz"
        np.savez(path, u=VALUES, x=real)
    else:
        path = tmp_path / "data.h5"
        pairs = np.zeros((12, 1), dtype=[("real", "f8"), ("imag", "f8")])
        pairs["real"], pairs["imag"] = VALUES.real, VALUES.imag
        with h5py.File(path, "w") as file:
            file["x"], file["u"] = real, VALUES if kind == "hdf5" else pairs
    np.testing.assert_array_equal(tables.read(path, ["x"])["x"], real)
    if kind == "matlab":  # its listing does not say which variables are complex
        assert {info.name for info in tables.listing(path)} == {"u", "x"}
        with pytest.raises(InputError, match="is complex; save its real and its imaginary part") as error:
            tables.read(path, ["u", "x"])
        assert error.value.key == "u"
        return
    parts = ["real part of u", "imaginary part of u"]
    assert {info.name for info in tables.listing(path)} == {"x", *parts}
    found = tables.read(path, parts)
    np.testing.assert_array_equal(found[parts[0]] + 1j * found[parts[1]], VALUES)


def test_a_header_of_numbers_is_no_row_of_data(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("0,1,2\n0.5,0.25,0.125\n1.5,2.5,3.5\n")
    assert [info.name for info in tables.listing(path)] == ["column 0", "column 1", "column 2"]
    np.testing.assert_array_equal(tables.read(path, ["column 1"])["column 1"], [0.25, 2.5])


def test_two_numbers_that_may_be_either_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("0,1\n0.1,0.995\n")
    with pytest.raises(InputError, match="its first line, 0,1, may number the columns"):
        tables.listing(path)
    path.write_text("0.0,1.0\n0.1,0.995\n")
    np.testing.assert_array_equal(tables.read(path, ["column 2"])["column 2"], [1.0, 0.995])


def test_which_of_several_networks_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "two.pt"
    torch.save({"generator": chain(2, 16, 1).state_dict(), "discriminator": chain(1, 8, 1).state_dict()}, path)
    with pytest.raises(state_dicts.SeveralNetworks, match="several networks, generator, discriminator") as error:
        state_dicts.read(path)
    assert error.value.names == ("generator", "discriminator")
    assert guess.guess(state_dicts.read(path, "discriminator")).arguments["layers"] == [1, 8, 1]
    with pytest.raises(InputError, match="not among its networks"):
        state_dicts.read(path, "critic")


def test_what_a_training_keeps_beside_its_network_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    model = chain(2, 8, 1)
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    kept = {"epoch": 3, "model": model.state_dict(), "optimizer": optimiser.state_dict(), "loss": torch.tensor(0.1)}
    torch.save(kept, path)
    assert guess.guess(state_dicts.read(path)).arguments["layers"] == [2, 8, 1]


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_an_autoencoder_is_not_turned_round(suffix: str, tmp_path: Path) -> None:
    path, model = tmp_path / f"auto{suffix}", Auto().eval()
    if suffix == ".pt":
        torch.save(model.state_dict(), path)
    else:
        safetensors.torch.save_file(model.state_dict(), path)
    found = guess.guess(state_dicts.read(path))
    assert found.arguments["layers"] == [3, 16, 4, 16, 3]
    assert found.names["linears.0.weight"] == "encoder.0.weight"


def test_the_order_of_registration_decides(tmp_path: Path) -> None:
    """Layers of one shape, whose names sort the other way round."""
    state = OrderedDict()
    for name in ("z", "m", "a"):
        state |= {f"{name}.{key}": value for key, value in nn.Linear(5, 5).state_dict().items()}
    torch.save(state, tmp_path / "net.pt")
    found = guess.guess(state_dicts.read(tmp_path / "net.pt"))
    assert [found.names[f"linears.{place}.weight"] for place in range(3)] == ["z.weight", "m.weight", "a.weight"]


def test_names_that_were_sorted_are_counted(tmp_path: Path) -> None:
    """Twelve layers of one shape, and parts that sort the other way round, in dictionaries that were sorted before they were saved."""
    deep = {f"layer{place}.{key}": value for place in range(12) for key, value in nn.Linear(5, 5).state_dict().items()}
    for state, last in ((deep, "layer11"), (Auto().state_dict(), "decoder.2")):
        torch.save(dict(sorted(state.items())), tmp_path / "net.pt")
        found = guess.guess(state_dicts.read(tmp_path / "net.pt"))
        weights = [name for own, name in found.names.items() if own.endswith("weight")]
        assert weights == [name for name in state if name.endswith("weight")]
        assert weights[-1] == f"{last}.weight"


def test_an_ensemble_is_refused_as_it_stands() -> None:
    tensors = {
        f"members.{number}.{place}.{key}": value
        for number in range(2)
        for place, layer in enumerate((nn.Linear(2, 8), nn.Linear(8, 1)))
        for key, value in layer.state_dict().items()
    }
    with pytest.raises(InputError, match="do not follow one another"):
        guess.guess(tensors)


def test_complex_weights_of_a_chain_are_named() -> None:
    tensors = {
        f"{place}.{key}": value
        for place, layer in enumerate((nn.Linear(2, 8, dtype=torch.cfloat), nn.Linear(8, 1, dtype=torch.cfloat)))
        for key, value in layer.state_dict().items()
    }
    with pytest.raises(InputError, match=r"0\.weight: is complex"):
        guess.guess(tensors)
