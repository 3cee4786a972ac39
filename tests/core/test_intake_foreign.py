"""State dicts written by the libraries themselves (tests/foreign/make.py) give the predictions that came with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lsr_core.errors import InputError
from lsr_core.intake import compare, guess, state_dicts, tables

FOREIGN = Path(__file__).parents[1] / "foreign"
CASES = {
    "torch_mlp": ("mlp", "silu", {}),
    "deepxde_fnn": ("mlp", "sin", {}),
    "deepxde_pinn": ("mlp", "tanh", {}),
    "pina_feedforward": ("mlp", "tanh", {}),
    "deepxde_deeponet": ("deeponet", "tanh", {"grid": {"points": 16}}),
    "neuraloperator_1d": ("neuraloperator-fno", "gelu", {"grid": [16]}),
    "neuraloperator_2d": ("neuraloperator-fno", "gelu", {"grid": [9, 9]}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_foreign_network_predicts_what_it_did_where_it_came_from(name: str) -> None:
    architecture, activation, changes = CASES[name]
    tensors = state_dicts.read(FOREIGN / f"{name}.pt")
    data = tables.read(FOREIGN / f"{name}.npz", ["inputs", "predictions"])

    found = guess.guess(tensors)

    assert found.architecture == architecture
    arguments = {**found.arguments, **changes}
    tried = compare.by_activation(found, arguments, tensors, data["inputs"], data["predictions"])
    assert next(iter(tried)) == activation
    assert list(tried.values())[1] > compare.AGREES  # the others do not agree: predictions decide
    model = compare.network(architecture, {**arguments, "activation": activation}, found, tensors)
    with torch.no_grad():
        answer = model(torch.from_numpy(data["inputs"])).numpy()
    assert np.abs(answer - data["predictions"]).max() <= 1e-6


def test_wrappers_and_prefixes_of_training_come_off(tmp_path: Path) -> None:
    tensors = state_dicts.read(FOREIGN / "torch_mlp.pt")
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in tensors.items()}
    optimiser = {"state": {0: {"exp_avg": torch.zeros(3)}}}
    torch.save({"epoch": 3, "model_state_dict": wrapped, "optimizer_state_dict": optimiser}, tmp_path / "run.pt")

    again = state_dicts.read(tmp_path / "run.pt")

    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensors[name]) for name in tensors)


def test_tensors_that_nothing_takes_are_named() -> None:
    tensors = state_dicts.read(FOREIGN / "torch_mlp.pt") | {"norm.scale": torch.ones(12)}

    with pytest.raises(InputError, match=r"norm\.scale"):
        guess.guess(tensors)


def test_a_fno_with_normalisation_says_that_it_cannot_be_loaded() -> None:
    tensors = state_dicts.read(FOREIGN / "neuraloperator_1d.pt") | {"fno_blocks.norm.0.weight": torch.ones(4)}

    with pytest.raises(InputError, match=r"cannot be loaded.*norm"):
        guess.guess(tensors)


@pytest.mark.parametrize(
    "names", [("0", "2", "4"), ("layers.0.linear", "layers.1.linear", "layers.10.linear"), ("fc1", "fc2", "out")]
)
def test_layers_of_any_name_are_put_in_order(names: tuple[str, ...]) -> None:
    widths = (3, 7, 7, 2)
    tensors = {}
    for name, fan_in, fan_out in zip(names, widths, widths[1:], strict=False):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = torch.randn(fan_out, fan_in), torch.randn(fan_out)

    found = guess.guess(dict(reversed(tensors.items())))

    assert found.arguments["layers"] == list(widths)
    assert [found.names[f"linears.{place}.weight"] for place in range(3)] == [f"{name}.weight" for name in names]


def test_arguments_that_the_tensors_do_not_have_are_refused_before_anything_is_made() -> None:
    tensors = state_dicts.read(FOREIGN / "torch_mlp.pt")
    found = guess.guess(tensors)

    with pytest.raises(InputError, match="parameters"):
        guess.convert("mlp", {"layers": [2, 10_000, 10_000, 1]}, tensors, found.names)
    with pytest.raises(InputError, match="shape"):
        guess.convert("mlp", {"layers": [2, 12, 11, 1]}, tensors, found.names)
