"""Networks of a million parameters and more for `scale.py`: layers, images, sequences, fields.

At random weights: LSR needs no training to show its cost.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsr_core import Split, SupervisedProblem
from lsr_core.networks.architectures import build


class Residual(nn.Module):
    """Two convolutions with normalisations, and what came in added (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(2))
        self.short = (
            nn.Conv2d(before, after, 1, stride, bias=False) if (before, stride) != (after, 1) else nn.Identity()
        )

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = F.relu(self.norms[0](self.first(inputs)))
        return F.relu(self.norms[1](self.second(hidden)) + self.short(inputs))


class ResNet18(nn.Module):
    """Eighteen layers for small images (n, 3, s, s), one number out."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        widths = [width, width, 2 * width, 4 * width, 8 * width]
        blocks = [
            (widths[k] if part == 0 else widths[k + 1], widths[k + 1], 2 if part == 0 and k > 0 else 1)
            for k in range(4)
            for part in range(2)
        ]
        self.blocks = nn.Sequential(*(Residual(*block) for block in blocks))
        self.last = nn.Linear(8 * width, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.blocks(F.relu(self.norm(self.stem(inputs))))
        result: Tensor = self.last(hidden.mean((2, 3)))
        return result


class Causal(nn.Module):
    """A block of a GPT (Radford et al. 2019): attention to what came before, and a pointwise network."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.packed, self.mixed = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, inputs: Tensor) -> Tensor:
        parts = self.packed(self.norms[0](inputs)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2).flatten(2)
        hidden = inputs + self.mixed(seen)
        return hidden + self.down(F.gelu(self.up(self.norms[1](hidden))))


class Gpt(nn.Module):
    """Numbers of words (n, t) to one number, read off the last word."""

    def __init__(self, words: int, steps: int, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(steps, width)
        self.blocks = nn.Sequential(*(Causal(width, heads) for _ in range(depth)))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, 1)
        for value in self.parameters():
            if value.ndim == 2:
                nn.init.normal_(value, std=0.02)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.words(inputs) + self.places(torch.arange(inputs.shape[1], device=inputs.device))
        result: Tensor = self.last(self.norm(self.blocks(hidden)[:, -1]))
        return result


def mlp(*widths: int) -> nn.Module:
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts += [nn.Linear(before, after), nn.Tanh()]
    return nn.Sequential(*parts[:-1])


def cnn(width: int) -> nn.Module:
    """Three convolutions and two linear layers on 16 × 16 images."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * width, 512),
        nn.ReLU(),
        nn.Linear(512, 1),
    )


@dataclass(frozen=True)
class Scaled:
    """A network, samples, and how they are refined."""

    make: Callable[[], nn.Module]
    sample: Callable[[int], Tensor]
    samples: int
    dtype: str = "float64"
    rank: int = 100
    target: Callable[[Tensor], Tensor] = field(default=lambda inputs: smooth(inputs))

    def problem(self, name: str, samples: int = 0) -> SupervisedProblem:
        torch.manual_seed(0)
        count = samples or self.samples
        model = self.make().eval()
        splits = []
        for size in (count, max(1, count // 4), max(1, count // 4)):
            inputs = self.sample(size)
            splits.append(Split(inputs, self.target(inputs)))
        return SupervisedProblem(name, model, *splits)


def smooth(inputs: Tensor) -> Tensor:
    """A function of a few projections of the inputs, (n, 1)."""
    values = inputs.double().flatten(1)
    values = (values - values.mean()) / values.std()
    draw = torch.Generator().manual_seed(1)
    along = torch.randn(values.shape[1], 3, generator=draw, dtype=torch.float64) / values.shape[1] ** 0.5
    return torch.sin(2 * (values @ along)).sum(1, keepdim=True)


def fields(side: int) -> Callable[[int], Tensor]:
    """Periodic functions on a grid, (n, side²), of low frequencies."""

    def drawn(count: int) -> Tensor:
        return damped(torch.randn(count, side, side)).flatten(1)

    return drawn


def damped(values: Tensor, power: float = 2.0) -> Tensor:
    """Fields (n, s, s) with their frequencies damped, of size one."""
    across, along = torch.fft.fftfreq(values.shape[1], 1 / values.shape[1]), torch.arange(values.shape[2] // 2 + 1)
    spectrum = torch.fft.rfft2(values) / (1 + across[:, None].square() + along.square()) ** (power / 2)
    found = torch.fft.irfft2(spectrum, s=values.shape[1:])
    return found / found.std((1, 2), keepdim=True)


def after_a_while(inputs: Tensor) -> Tensor:
    """Another field of each, smooth and no linear function of it, (n, side²)."""
    side = int(inputs.shape[1] ** 0.5)
    return damped(torch.sin(2 * inputs).view(-1, side, side), 1.0).flatten(1).double()


def operator(width: int, modes: int, side: int) -> nn.Module:
    return build("fno-2d", {"grid": [side, side], "modes": [modes, modes], "width": width, "depth": 4})


def uniform(*shape: int) -> Callable[[int], Tensor]:
    return lambda count: torch.rand(count, *shape) * 2 - 1


def words(most: int, steps: int) -> Callable[[int], Tensor]:
    return lambda count: torch.randint(0, most, (count, steps))


NETWORKS = {
    "mlp-1m": Scaled(lambda: mlp(8, 570, 570, 570, 570, 1), uniform(8), 2000),
    "mlp-10m": Scaled(lambda: mlp(8, 1800, 1800, 1800, 1800, 1), uniform(8), 2000),
    "mlp-100m": Scaled(lambda: mlp(8, 5800, 5800, 5800, 5800, 1), uniform(8), 500, "float32"),
    "cnn-1.4m": Scaled(lambda: cnn(80), uniform(1, 16, 16), 1000),
    "resnet-18": Scaled(ResNet18, uniform(3, 32, 32), 1000, "float32"),
    "gpt-1.3m": Scaled(lambda: Gpt(1000, 32, 128, 6, 4), words(1000, 32), 1000),
    "gpt-11m": Scaled(lambda: Gpt(1000, 32, 384, 6, 6), words(1000, 32), 1000, "float32"),
    "fno-1m": Scaled(lambda: operator(32, 8, 32), fields(32), 32, target=after_a_while),
    "fno-20m": Scaled(lambda: operator(64, 18, 64), fields(64), 16, "float32", target=after_a_while),
    "gpt-2": Scaled(lambda: Gpt(50257, 1024, 768, 12, 12), words(50257, 32), 128, "float32"),
}

TWINS = {name: replace(NETWORKS[name], samples=500) for name in ("mlp-1m", "cnn-1.4m", "gpt-1.3m")}
