"""Writes those files of this folder that a library saved itself, each with data that hold the network's own predictions.

    python -m tests.foreign.make_saved lightning | pina | deepxde | neuraloperator-1 | neuraloperator-2 | physicsnemo | transformers

Those that stand here: Lightning 2.6.6, PINA 0.3.2, DeepXDE 1.15.0, neuraloperator 1.0.2 and 2.0.0, PhysicsNeMo 2.2.2, transformers 5.24.0, with
PyTorch 2.13. neuraloperator 1 and PhysicsNeMo go into a folder on PYTHONPATH (`pip install --no-deps --target`); what they import besides and
do not use here is stood in for by empty modules.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from tests.foreign.make import HERE, functions, points, train, wave, write

UNUSED = (
    "torch_harmonics", "s3fs", "fsspec", "git", "hydra", "termcolor", "requests", "einops", "treelib", "cftime", "nvtx", "timm", "omegaconf",
    "tensordict", "torch_geometric",
)  # fmt: skip


class Empty(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *args, **more: None})


class Stand(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds empty modules, after everything that is installed was looked through."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in UNUSED else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 10), nn.Tanh(), nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 1))


def data(name: str, model: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """The data alone; the library has saved the weights."""
    write(name, model, inputs, targets)
    (HERE / f"{name}.pt").unlink()


def lightning(inputs: Tensor, targets: Tensor) -> None:
    from lightning.pytorch import LightningModule, Trainer

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp()

        def forward(self, x: Tensor) -> Tensor:
            return self.net(x)

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return (self(batch[0]) - batch[1]).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 3e-3)

    module = Module()
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = Trainer(max_epochs=5, accelerator="cpu", **quiet)
    trainer.fit(module, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, targets), batch_size=50))
    trainer.save_checkpoint(HERE / "lightning.ckpt")
    data("lightning", module, inputs, targets)


def pina(inputs: Tensor, targets: Tensor) -> None:
    from pina.model import FeedForward

    model = FeedForward(input_dimensions=2, output_dimensions=1, inner_size=10, n_layers=2)
    train(model, inputs, targets, steps=20)
    data("pina_whole", model, inputs, targets)
    torch.save(model, HERE / "pina_whole.pt")


def deepxde(inputs: Tensor, targets: Tensor) -> None:
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde

    net = dde.nn.FNN([2, 12, 12, 1], "tanh", "Glorot normal")
    model = dde.Model(dde.data.DataSet(inputs.numpy(), targets.numpy(), inputs.numpy(), targets.numpy()), net)
    model.compile("adam", lr=3e-3)
    model.train(iterations=50, verbose=0)
    with tempfile.TemporaryDirectory() as scratch:
        saved = model.save(f"{scratch}/model")  # weights and the state of the optimiser
        data("deepxde_saved", net, inputs, targets)
        shutil.copy(saved, HERE / "deepxde_saved.pt")


def neuraloperator(_: Tensor, __: Tensor) -> None:
    import neuralop

    version = neuralop.__version__.partition(".")[0]
    model = neuralop.models.FNO(n_modes=(8,), in_channels=1, out_channels=1, hidden_channels=4, n_layers=2)
    given, wanted = functions(40, 16, 1)
    train(model, given, wanted, steps=20)
    name = "neuraloperator_saved" if version == "2" else f"neuraloperator_{version}_saved"
    data(name, model, given, wanted)
    torch.save(model.state_dict(), HERE / f"{name}.pt")  # with `_metadata`, as its trainer does


def physicsnemo(inputs: Tensor, targets: Tensor) -> None:
    from physicsnemo.models.mlp import FullyConnected

    model = FullyConnected(in_features=2, layer_size=10, out_features=1, num_layers=2)
    train(model, inputs, targets, steps=20)
    model.save(str(HERE / "physicsnemo.mdlus"))
    data("physicsnemo", model.eval(), inputs, targets)


def transformers(_: Tensor, __: Tensor) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=10,
        hidden_size=4,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
        num_labels=1,
        max_position_embeddings=8,
    )
    with tempfile.TemporaryDirectory() as scratch:
        BertForSequenceClassification(config).save_pretrained(scratch)
        shutil.copy(Path(scratch) / "model.safetensors", HERE / "transformers.safetensors")


def main() -> None:
    sys.meta_path.append(Stand())
    torch.manual_seed(0)
    inputs = points(100, 2, 1)
    makers = {
        "lightning": lightning, "pina": pina, "deepxde": deepxde, "neuraloperator-1": neuraloperator, "neuraloperator-2": neuraloperator,
        "physicsnemo": physicsnemo, "transformers": transformers,
    }  # fmt: skip
    for name in sys.argv[1:]:
        makers[name](inputs, wave(inputs))


if __name__ == "__main__":
    main()
