"""What the training scripts share: seeded data-free helpers and a plain Adam loop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from lsr_core.networks import architectures


def new_network(seed: int, layers: list[int], inputs: Tensor | None = None) -> nn.Module:
    """A tanh MLP in float32, initialised from `seed`; with `inputs` (n, d) it z-scores by their mean and deviation."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = architectures.build("mlp", arguments(layers, inputs is not None))
    if inputs is not None:
        model.get_buffer("input_mean").copy_(inputs.mean(0))
        model.get_buffer("input_std").copy_(inputs.std(0))
    return model


def arguments(layers: list[int], normalise: bool) -> dict[str, object]:
    return {"layers": layers, "activation": "tanh", "normalise_inputs": normalise}


def adam(
    model: nn.Module,
    train: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    *,
    epochs: int,
    batch: int,
    seed: int,
    rate: float = 1e-3,
    patience: int = 10,
    report: Callable[[str], object] = lambda line: print(line, file=sys.stderr, flush=True),
    on_epoch: Callable[[int], object] = lambda epoch: None,
) -> None:
    """Train in place on the mean square error in the model's dtype; the learning rate halves when validation stalls.

    The weights kept are those of the last epoch; `on_epoch` is called after each, and once with 0 before the first.
    """
    dtype = next(model.parameters()).dtype
    x, y, x_val, y_val = (part.to(dtype) for part in (*train, *validation))
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=patience)
    on_epoch(0)
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(x), generator=generator)
        shuffled_x, shuffled_y = x[order], y[order]
        model.train()
        for start in range(0, len(x), batch):
            optimiser.zero_grad(set_to_none=True)
            error = model(shuffled_x[start : start + batch]) - shuffled_y[start : start + batch]
            error.square().mean().backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            loss = float((model(x_val) - y_val).square().mean())
        schedule.step(loss)
        on_epoch(epoch)
        if epoch % 10 == 0 or epoch == epochs:
            report(f"epoch {epoch}: validation mse {loss:.3e}, rate {schedule.get_last_lr()[0]:.2e}")


def asked(what: str, epochs: int) -> argparse.Namespace:
    """What the command line of a script asks for: `epochs`, and the folder `out`; on one thread, as results depend on their number."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    torch.set_num_threads(1)
    return options


def frozen_copy(model: nn.Module) -> nn.Module:
    """The same network, independent of further training."""
    return deepcopy(model).eval()
