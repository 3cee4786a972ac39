"""Writes the files of this folder with the libraries they stand for: `pip install deepxde neuraloperator pina-mathlab`, then run it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent


def points(rows: int, columns: int, seed: int) -> torch.Tensor:
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def wave(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(3 * x[:, :1]) * torch.cos(2 * x[:, 1:2])


def write(name: str, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, predict=None) -> None:  # type: ignore[no-untyped-def]
    """Weights as each library's users save them, and data with the network's own predictions."""
    with torch.no_grad():
        predicted = (predict or model)(inputs)
    kept = {key: value for key, value in model.state_dict().items() if isinstance(value, torch.Tensor)}
    torch.save(kept, HERE / f"{name}.pt")
    arrays = {"inputs": inputs, "targets": targets, "predictions": predicted}
    np.savez_compressed(HERE / f"{name}.npz", **{k: v.flatten(1).numpy() for k, v in arrays.items()})


def train(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, predict=None, steps: int = 200) -> None:  # type: ignore[no-untyped-def]
    """Adam, a little: the files need a network that fits roughly, not a good one."""
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        ((predict or model)(inputs) - targets).square().mean().backward()
        optimiser.step()


def functions(rows: int, grid: int, axes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random waves and their smoothed squares, (rows, 1, …grid)."""
    x = torch.arange(grid) / grid
    phase = points(rows, 1, 5)
    waves = torch.sin(2 * torch.pi * (x + phase))
    values = waves if axes == 1 else waves[:, :, None] * torch.cos(2 * torch.pi * x)[None, None]
    return values[:, None], (values[:, None] ** 2 - 0.5) * 0.5


def main() -> None:
    os.environ["DDE_BACKEND"] = "pytorch"
    torch.manual_seed(0)
    inputs = points(300, 2, 1)
    targets = wave(inputs)

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc_in, self.hidden = nn.Linear(2, 12), nn.ModuleList([nn.Linear(12, 12)])
            self.fc_out = nn.Linear(12, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.nn.functional.silu(self.fc_in(x))
            return self.fc_out(torch.nn.functional.silu(self.hidden[0](x)))

    plain = Plain()
    train(plain, inputs, targets)
    write("torch_mlp", plain, inputs, targets)

    import deepxde

    net = deepxde.nn.FNN([2, 12, 12, 1], "sin", "Glorot normal")
    train(net, inputs, targets)
    write("deepxde_fnn", net, inputs, targets)

    branch, trunk = [16, 12, 8], [1, 12, 8]
    operator = deepxde.nn.DeepONetCartesianProd(branch, trunk, "tanh", "Glorot normal")
    given, wanted = (part.flatten(1) for part in functions(60, 16, 1))
    grid = torch.linspace(0, 1, 16)[:, None]

    def on_grid(values: torch.Tensor) -> torch.Tensor:
        return operator((values, grid))

    train(operator, given, wanted, on_grid)
    write("deepxde_deeponet", operator, given, wanted, on_grid)

    from neuralop.models import FNO
    from pina.model import FeedForward

    forward = FeedForward(input_dimensions=2, output_dimensions=1, inner_size=10, n_layers=2)
    train(forward, inputs, targets)
    write("pina_feedforward", forward, inputs, targets)

    for name, modes, size in (("neuraloperator_1d", (8,), 16), ("neuraloperator_2d", (4, 4), 9)):
        fno = FNO(n_modes=modes, in_channels=1, out_channels=1, hidden_channels=4, n_layers=2)
        given, wanted = functions(40, size, len(modes))
        train(fno, given, wanted, steps=40)
        write(name, fno, given, wanted)

    from scipy.io import savemat

    x, t = np.linspace(0, 1, 20)[:, None], np.linspace(0, 1, 15)[:, None]
    savemat(HERE / "wave.mat", {"x": x, "t": t, "usol": np.sin(3 * x) * np.cos(2 * t.T)}, do_compression=True)


if __name__ == "__main__":
    main()
