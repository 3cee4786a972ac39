"""Layers without PyTorch's names or its way of storing them; checkpoints that are lists; weights of half precision."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.intake import compare, guess, pickles, state_dicts, stored, subnetworks, torch_files

torch.manual_seed(0)
NET = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 1))
SQUARE = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
BARE = nn.Sequential(nn.Linear(2, 6, bias=False), nn.Tanh(), nn.Linear(6, 1, bias=False))


def layers(net: nn.Sequential) -> tuple[list[Tensor], list[Tensor]]:
    """(in, out) matrices and rows of biases, as in networks written for TensorFlow 1."""
    parts = [part for part in net if isinstance(part, nn.Linear)]
    biases = [part.bias.detach()[None] for part in parts if part.bias is not None]
    return [part.weight.detach().T.contiguous() for part in parts], biases


def read(value: Any, folder: Path, network: str = "") -> dict[str, Tensor]:
    """As `state_dicts.read`, without its child."""
    torch.save(value, folder / "a.pt")
    told = torch_files.convert(folder / "a.pt", folder / "a.safetensors", network)
    if "networks" in told:
        raise subnetworks.SeveralNetworks(told["networks"], "a.pt")
    tensors = safetensors.torch.load_file(folder / "a.safetensors")
    return subnetworks.only({name: tensors[name] for name in told["order"]}, "", "a.pt", ask=not told["named"])


def numbered(**lists: list[Tensor]) -> dict[str, Tensor]:
    return {f"{name}{place}": value for name, values in lists.items() for place, value in enumerate(values)}


W, B = layers(NET)
STORED: dict[str, Any] = {
    "two lists": [W, B],
    "lists by name": {"weights": W, "biases": B},
    "one list after another": [*W, *B],
    "pairs": [list(pair) for pair in zip(W, B, strict=True)],
    "names with numbers": numbered(W=W, b=B),
    "words with numbers": numbered(weights_=W, biases_=B),
    "no names, in turn": numbered(arr_=[value for pair in zip(W, B, strict=True) for value in pair]),
    "biases with one axis": numbered(W=W, b=[bias[0] for bias in B]),
    "columns": {f"{name}{place}": value.T for place, pair in enumerate(zip(W, B, strict=True)) for name, value in zip("Wb", pair, strict=True)},
    "kernels of flax": {"params": {f"Dense_{place}": {"kernel": w, "bias": b[0]} for place, (w, b) in enumerate(zip(W, B, strict=True))}},
    "layer by layer": {f"layer{place}": {"weight": w.T, "bias": b[0]} for place, (w, b) in enumerate(zip(W, B, strict=True))},
    "values of a state dict": list(NET.state_dict().values()),
    "named parameters": list(NET.named_parameters()),
    "shadow of torch_ema": {"decay": 0.9, "num_updates": 3, "shadow_params": list(NET.state_dict().values()), "collected_params": None},
}  # fmt: skip


@pytest.mark.parametrize("name", STORED)
def test_it_is_the_network_that_was_saved(name: str, tmp_path: Path) -> None:
    tensors = read(STORED[name], tmp_path)
    found = guess.guess(tensors)
    assert found.arguments["layers"] == [2, 6, 6, 1]
    x = torch.rand(9, 2)
    told = compare.best(found, tensors, x.numpy(), NET(x).detach().numpy())
    assert (told.activation, told.guess) == ("tanh", found)
    assert told.difference < compare.AGREES
    assert set(found.uses) == set(tensors)
    turned = any("taken as stored (inputs, outputs) and turned" in note for note in found.notes)
    assert turned == (
        name not in ("columns", "layer by layer", "values of a state dict", "named parameters", "shadow of torch_ema")
    )


def test_square_matrices_are_told_by_predictions() -> None:
    weights, biases = layers(SQUARE)
    tensors = numbered(W=weights, b=[bias[0] for bias in biases])
    found = guess.guess(tensors)
    assert found.form == "layer after layer"
    x = torch.rand(9, 3)
    told = compare.best(found, tensors, x.numpy(), SQUARE(x).detach().numpy())
    assert told.guess.form.startswith(stored.TURNED)
    assert told.difference < compare.AGREES


def test_without_biases_the_order_of_the_file_tells() -> None:
    tensors = numbered(W=layers(BARE)[0])
    found = guess.guess(tensors)
    assert found.arguments["layers"] == [2, 6, 1]
    assert [other.arguments["layers"] for other in found.others if other.form == "layer after layer"] == [[1, 6, 2]]


def test_a_bias_is_never_a_layer() -> None:
    with pytest.raises(InputError, match=r"b1: is called a bias and has the shape \(1, 2\)"):
        guess.guess(
            {
                "W0": torch.ones(2, 2),
                "b0": torch.ones(2, 1),
                "W1": torch.ones(2, 2),
                "b1": torch.ones(1, 2),
                "W2": torch.ones(1, 1),
            }
        )


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ([NET.state_dict(), SQUARE.state_dict()], ("0", "1")),
        ({"models": [NET.state_dict(), SQUARE.state_dict()], "epoch": 3}, ("models.0", "models.1")),
    ],
)
def test_a_list_of_networks_is_asked_about(value: Any, names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(subnetworks.SeveralNetworks) as error:
        read(value, tmp_path)
    assert error.value.names == names
    assert guess.guess(read(value, tmp_path, names[1])).arguments["layers"] == [3, 3, 3]


OPTIMISER = torch.optim.Adam(NET.parameters())
BESIDE: dict[str, Any] = {
    "a list of one": [NET.state_dict()],
    "beside settings": (NET.state_dict(), {"lr": 1e-3}),
    "beside an optimiser": [NET.state_dict(), OPTIMISER.state_dict()],
    "beside random generators": {"model": NET.state_dict(), "rng": torch.get_rng_state(), "all": [torch.get_rng_state()], "loss": [torch.ones(())]},
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_in_a_list_beside_the_network_is_left(name: str, tmp_path: Path) -> None:
    NET(torch.rand(3, 2)).sum().backward()
    OPTIMISER.step()
    assert [key[-8:] for key in read(BESIDE[name], tmp_path)] == [key[-8:] for key in NET.state_dict()]


def test_encoder_and_decoder_are_one_network_and_an_average_is_another(tmp_path: Path) -> None:
    back = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 2))
    tensors = read({"encoder": NET.state_dict(), "decoder": back.state_dict()}, tmp_path)
    assert guess.guess(tensors).arguments["layers"] == [2, 6, 6, 1, 6, 2]
    with pytest.raises(subnetworks.SeveralNetworks):
        read({"encoder": NET.state_dict(), "encoder_ema": NET.state_dict()}, tmp_path)


def programs(folder: Path) -> dict[str, Callable[[Path], None]]:
    def exported(path: Path) -> None:
        torch.export.save(torch.export.export(NET, (torch.rand(3, 2),)), folder / "program.pt2")
        (folder / "program.pt2").rename(path)

    return {
        "TorchScript": lambda path: torch.jit.save(torch.jit.trace(NET, torch.rand(3, 2)), path),
        "torch.export": exported,
    }


@pytest.mark.parametrize(
    ("kind", "advice"), [("TorchScript", r"torch\.jit\.load"), ("torch.export", r"torch\.export\.load")]
)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_programs_are_called_what_they_are(kind: str, advice: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    programs(tmp_path)[kind](path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()
    with pytest.raises(InputError, match=rf"is .*{kind}.*{advice}.*torch\.save\("):
        pickles.check(path)


@pytest.mark.parametrize(
    ("dtype", "allowed"), [(torch.bfloat16, 0.04), (torch.float16, 0.004), (torch.float32, compare.AGREES)]
)
def test_predictions_agree_as_far_as_the_weights_have_digits(dtype: torch.dtype, allowed: float) -> None:
    tensors = state_dicts._checked({name: value.to(dtype) for name, value in NET.state_dict().items()}, "a.pt")
    assert compare.AGREES <= compare.agrees_up_to(tensors) <= allowed
    x = torch.rand(40, 2)
    told = compare.best(guess.guess(tensors), tensors, x.numpy(), NET(x).detach().numpy())
    assert told.activation == "tanh"
    assert told.difference <= compare.agrees_up_to(tensors)


def test_few_short_numbers_are_not_taken_for_half_precision() -> None:
    assert compare.agrees_up_to({"w": torch.tensor(np.arange(6.0))}) == compare.AGREES
