"""Files and runs for the newcomer's ways, made as their owners would make them, with the libraries they use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROWS = 240
TRANSFORMER = '''
from pathlib import Path

import torch
from lsr_core import Split, SupervisedProblem
from transformers import BertForSequenceClassification


class Regressor(torch.nn.Module):
    """A regressor of transformers on tokens and their mask, as one tensor."""

    def __init__(self):
        super().__init__()
        self.bert = BertForSequenceClassification.from_pretrained(Path(__file__).parent / "regressor", attn_implementation="eager")

    def forward(self, tokens):
        return self.bert(input_ids=tokens, attention_mask=(tokens > 0).long()).logits


def problem():
    data = torch.load(Path(__file__).parent / "data.pt")
    return SupervisedProblem("sentiment", Regressor().eval(), *[Split(data["tokens"][i::3], data["wanted"][i::3]) for i in range(3)])
'''
DEEPXDE = """
import os
import sys
from pathlib import Path

os.environ["DDE_BACKEND"] = "pytorch"
import deepxde as dde
import torch
from lsr_core.integrations.deepxde import RefineModel
from lsr_core.integrations.during import keep_in
from lsr_core.portable.deliver import deliver

line = dde.geometry.Interval(-1, 1)
ends = dde.icbc.DirichletBC(line, lambda x: 0, lambda _, on: on)
equation = lambda x, y: -dde.grad.hessian(y, x) - torch.pi**2 * torch.sin(torch.pi * x)
data = dde.data.PDE(line, equation, ends, 200, 2)
model = dde.Model(data, dde.nn.FNN([1, 20, 20, 1], "tanh", "Glorot normal"))
model.compile("adam", lr=1e-3)
shown = keep_in(Path(sys.argv[1]))


def keep(epoch, found):
    shown(epoch, found)
    deliver(Path("refined.zip"), found.problem, found.delta, "python")


callback = RefineModel(every=200, max_rank=120, on_result=keep)
model.train(iterations=200, callbacks=[callback], verbose=0)
assert not callback.failures, callback.failures
"""


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))


def wave(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(3 * x[:, :1]) * torch.cos(2 * x[:, 1:])


def lightning(folder: Path) -> tuple[Path, Path]:
    """A checkpoint of Lightning's trainer, and a table as a German spreadsheet saves it."""
    from lightning.pytorch import LightningModule, Trainer

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = network()

        def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
            return (self.model(batch[0]) - batch[1]).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 3e-3)

    x = torch.rand(ROWS, 2)
    module = Module()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, wave(x)), batch_size=60)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = Trainer(max_epochs=30, accelerator="cpu", **quiet)
    trainer.fit(module, loader)
    trainer.save_checkpoint(folder / "last.ckpt")
    table = torch.cat([x, wave(x), module.model(x).detach()], 1).numpy()
    rows = ["x;t;u;u_pred", *(";".join(f"{value:.8f}".replace(".", ",") for value in row) for row in table)]
    (folder / "messung.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "last.ckpt", folder / "messung.csv"


def neuraloperator(folder: Path) -> tuple[Path, Path]:
    """A checkpoint as the trainer of neuraloperator leaves it, and functions on a grid."""
    with _without_this_folder():
        from neuralop import Trainer
        from neuralop.losses import LpLoss
        from neuralop.models import FNO

    torch.manual_seed(0)
    grid = torch.arange(16) / 16
    x = torch.sin(2 * torch.pi * (grid + torch.rand(60, 1)))[:, None]
    y = 0.5 * (x**2 - 0.5)
    data = [{"x": one, "y": other} for one, other in zip(x, y, strict=True)]
    model = FNO(n_modes=(8,), in_channels=1, out_channels=1, hidden_channels=4, n_layers=2)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    Trainer(model=model, n_epochs=21).train(  # of the epochs counted from 0 every twentieth is kept: the last one too
        torch.utils.data.DataLoader(data, batch_size=20), {}, optimiser, torch.optim.lr_scheduler.StepLR(optimiser, 100),
        training_loss=LpLoss(d=1), eval_losses={}, save_every=20, save_dir=folder / "ckpt",
    )  # fmt: skip
    saved = next(path for path in sorted((folder / "ckpt").glob("*state_dict.pt")) if "optim" not in path.name)
    with torch.no_grad():
        arrays = {"inputs": x.flatten(1), "targets": y.flatten(1), "predictions": model(x).flatten(1)}
    np.savez(folder / "functions.npz", **{name: values.numpy() for name, values in arrays.items()})
    return saved, folder / "functions.npz"


@contextmanager
def _without_this_folder() -> Iterator[None]:
    """One of its files is called like a library that others import."""
    before = list(sys.path)
    sys.path[:] = [place for place in before if Path(place or ".").resolve() != Path(__file__).parent.resolve()]
    try:
        yield
    finally:
        sys.path[:] = before


def netcdf(folder: Path) -> tuple[Path, Path]:
    """A state dict, and a field over its axes, time first, with the network's own field beside it."""
    from scipy.io import netcdf_file

    model = network(1)
    x, t = np.linspace(0, 1, 20), np.linspace(0, 1, 15)
    points = torch.as_tensor(
        np.stack([part.ravel() for part in np.meshgrid(x, t, indexing="ij")], 1), dtype=torch.float32
    )
    with torch.no_grad():
        fields = {"u": wave(points).reshape(20, 15).T, "u_pred": model(points).reshape(20, 15).T}
    torch.save(model.state_dict(), folder / "weights.pt")
    with netcdf_file(folder / "field.nc", "w") as file:
        for name, axis in (("t", t), ("x", x)):
            file.createDimension(name, len(axis))
            file.createVariable(name, "f8", (name,))[:] = axis
        for name, values in fields.items():
            file.createVariable(name, "f8", ("t", "x"))[:] = values.numpy()
    return folder / "weights.pt", folder / "field.nc"


def _trained_regressor(folder: Path) -> None:
    """A BERT that learns a number from tokens, saved as transformers saves it."""
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    tokens = torch.randint(1, 20, (900, 8))
    tokens[:, 6:] *= torch.randint(0, 2, (900, 2))
    wanted = (tokens.float().sum(1, keepdim=True) / (tokens > 0).sum(1, keepdim=True) / 4).sin()
    config = BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_labels=1,
        problem_type="regression", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(150):
        batch = torch.randint(0, 300, (100,)) * 3  # of every third, which are those of the training
        optimiser.zero_grad()
        model(
            input_ids=tokens[batch], attention_mask=(tokens[batch] > 0).long(), labels=wanted[batch, 0]
        ).loss.backward()
        optimiser.step()
    model.save_pretrained(folder / "regressor")
    torch.save({"tokens": tokens, "wanted": wanted.double()}, folder / "data.pt")


def refined(folder: Path, runs: Path) -> None:
    """A regressor of transformers that was trained and saved, refined from the Python file that loads it."""
    with _without_this_folder():
        _trained_regressor(folder)
    (folder / "sentiment.py").write_text(TRANSFORMER, encoding="utf-8")
    program = "import sys; from lsr_app.cli import main; main(sys.argv[1:])"
    _call(["-c", program, "refine", str(folder / "sentiment.py"), "--max-rank", "150", "--runs", str(runs)])


def trained(folder: Path, runs: Path) -> None:
    """A model of DeepXDE, refined by its callback while it trains."""
    (folder / "train.py").write_text(DEEPXDE, encoding="utf-8")
    _call([str(folder / "train.py"), str(runs)], folder)


def _call(arguments: list[str], folder: Path | None = None) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise RuntimeError(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        )
