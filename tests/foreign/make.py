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


def deepxde_pinn() -> None:
    """A PINN as DeepXDE's users train one, for the equation that the form of typed equations opens with: Adam, then L-BFGS, in single
    precision, under two minutes on two cores. Its targets are the exact solution, for comparison only."""
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde

    deepxde.config.set_random_seed(0)

    def exact(x: np.ndarray) -> np.ndarray:
        waves = (
            np.exp(-0.1 * (k * np.pi) ** 2 * x[:, 1:]) * np.sin(k * np.pi * x[:, :1]) / w for k, w in ((1, 1), (3, 2))
        )
        return sum(waves)  # type: ignore[return-value]

    def heat(x: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        return deepxde.grad.jacobian(u, x, i=0, j=1) - 0.1 * deepxde.grad.hessian(u, x, i=0, j=0)

    domain = deepxde.geometry.GeometryXTime(deepxde.geometry.Interval(0, 1), deepxde.geometry.TimeDomain(0, 1))
    walls = deepxde.icbc.DirichletBC(domain, lambda _: 0, lambda _, on_boundary: on_boundary)
    start = deepxde.icbc.IC(domain, exact, lambda _, on_initial: on_initial)
    data = deepxde.data.TimePDE(domain, heat, [walls, start], num_domain=500, num_boundary=60, num_initial=60)
    net = deepxde.nn.FNN([2, 32, 32, 32, 1], "tanh", "Glorot normal")
    model = deepxde.Model(data, net)
    model.compile("adam", lr=1e-3, loss_weights=[1, 10, 10])
    model.train(iterations=3000, display_every=500)
    deepxde.optimizers.set_LBFGS_options(maxiter=2000)
    model.compile("L-BFGS", loss_weights=[1, 10, 10])
    model.train(display_every=500)
    inputs = points(300, 2, 7)
    write("deepxde_pinn", net, inputs, torch.from_numpy(exact(inputs.double().numpy())))


def main() -> None:
    deepxde_pinn()
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
