"""Sixty and more small networks as people write them, each with data: what Python takes, every other way in and out has to take.

Each is a function of this file too, so that `lsr refine tests/core/zoo.py:transformer_encoder` refines it.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from tests.core import oddities
from tests.core.oddities import Lambda, linear


class Case(NamedTuple):
    """How a network is made, and one sample's shape; `tokens` inputs are whole numbers below that."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...] = (3,)
    tokens: int = 0


def _residual(self: Any, x: Tensor) -> Tensor:
    hidden = torch.tanh(self.a(x))
    return self.c(hidden + torch.tanh(self.b(hidden)))


def _features(self: Any, x: Tensor) -> Tensor:
    turns = 2 * math.pi * x @ self.frequencies
    return self.b(torch.tanh(self.a(torch.cat([turns.sin(), turns.cos()], 1))))


def _fourier(self: Any, x: Tensor) -> Tensor:
    spectrum = torch.fft.rfft(self.lift(x[:, :, None]).transpose(1, 2))
    low = torch.einsum("bik,iok->bok", spectrum[..., :3], self.weight)
    back = torch.fft.irfft(functional.pad(low, (0, spectrum.shape[-1] - 3)), n=x.shape[1])
    return self.out(functional.gelu(back.transpose(1, 2)))[..., 0]


def _fourier_2d(self: Any, x: Tensor) -> Tensor:
    spectrum = torch.fft.rfft2(x)
    low = torch.einsum("bixy,ioxy->boxy", spectrum[..., :3, :3], self.weight)
    return torch.fft.irfft2(low, s=x.shape[-2:]) + self.skip(x)


def _filled(self: Any, x: Tensor) -> Tensor:
    """As most copied Fourier layers do it."""
    spectrum = torch.fft.rfft(x[:, None])
    found = torch.zeros(len(x), 2, spectrum.shape[-1], dtype=torch.cdouble)
    found[:, :, :3] = torch.einsum("bik,iok->bok", spectrum[:, :, :3], self.weight)
    return torch.fft.irfft(found, n=x.shape[1]).flatten(1)


def _attention(self: Any, x: Tensor) -> Tensor:
    seen, _ = self.attend(x, x, x, need_weights=False)
    return self.out(self.norm(x + seen).mean(1))


def _experts(self: Any, x: Tensor) -> Tensor:
    return (torch.softmax(self.gate(x), 1)[:, :, None] * torch.stack([part(x) for part in self.parts], 1)).sum(1)


def _hyper(self: Any, x: Tensor) -> Tensor:
    weights = self.maker(x[:, :1]).view(len(x), 2, 2)
    return torch.einsum("noi,ni->no", weights, torch.tanh(self.a(x[:, 1:])))


def _graph(self: Any, x: Tensor) -> Tensor:
    hidden = torch.tanh(self.a(self.links @ x))
    return self.b(self.links @ hidden)[..., 0]


def _splines(self: Any, x: Tensor) -> Tensor:
    hats = torch.relu(1 - (4 * (x[..., None] - self.knots)).abs())
    return torch.einsum("nik,iko->no", hats, self.weight) + self.base(functional.silu(x))


def _operator(self: Any, x: Tensor) -> Tensor:
    return self.branch(x) @ self.trunk(self.points).T + self.bias


def _unrolled(self: Any, x: Tensor) -> Tensor:
    states = [x]
    for _ in range(3):
        states.append(states[-1] + 0.3 * self.b(torch.tanh(self.a(states[-1]))))
    return torch.cat(states[1:], 1)


def _energy(self: Any, x: Tensor) -> Tensor:
    return -torch.func.vmap(torch.func.grad(lambda z: self.b(torch.tanh(self.a(z)))[0]))(x)


def _two_inputs(self: Any, x: Tensor) -> Tensor:
    def solution(place: Tensor, time: Tensor) -> dict[str, Tensor]:
        hidden = torch.tanh(self.a(torch.cat([place, time], 1)))
        return {"u": self.b(hidden), "v": self.c(hidden)}

    found = solution(x[:, :2], x[:, 2:])
    return torch.cat([found["u"], found["v"]], 1)


def _u_net(self: Any, x: Tensor) -> Tensor:
    down = functional.gelu(self.first(x))
    deep = functional.gelu(self.down(functional.avg_pool2d(down, 2)))
    return self.last(torch.cat([down, self.up(deep)], 1))


def _complex_layer(self: Any, x: Tensor) -> Tensor:
    values = torch.view_as_complex(self.a(x).view(len(x), -1, 2)) @ self.w
    return self.b(torch.cat([values.real, values.imag], 1))


def _gated(self: Any, x: Tensor) -> Tensor:
    u, v, hidden = torch.tanh(self.u(x)), torch.tanh(self.v(x)), torch.tanh(self.a(x))
    return self.b(hidden * u + (1 - hidden) * v)


def _layers(*parts: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(*parts)


def _mlp(activation: nn.Module) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(linear(3, 6), activation, linear(6, 2))


ACTIVATIONS: dict[str, nn.Module] = {
    "gelu tanh": nn.GELU("tanh"), "softplus": nn.Softplus(), "elu": nn.ELU(), "selu": nn.SELU(), "mish": nn.Mish(),
    "hardswish": nn.Hardswish(), "leaky relu": nn.LeakyReLU(0.1), "sigmoid": nn.Sigmoid(), "softmax": nn.Softmax(1),
    "log softmax": nn.LogSoftmax(1),
}  # fmt: skip
MORE: dict[str, Callable[[], Case]] = {
    **{name: functools.partial(Case, _mlp(part)) for name, part in ACTIVATIONS.items()},
    "residual mlp": lambda: Case(lambda: Lambda(_residual, a=linear(3, 5), b=linear(5, 5), c=linear(5, 2))),
    "fourier features": lambda: Case(lambda: _buffered(Lambda(_features, a=linear(8, 6), b=linear(6, 2)), frequencies=torch.randn(3, 4))),
    "siren": lambda: Case(lambda: Lambda(lambda self, x: self.b(torch.sin(5 * self.a(x))), a=linear(3, 6), b=linear(6, 2))),
    "modified mlp": lambda: Case(lambda: Lambda(_gated, a=linear(3, 5), u=linear(3, 5), v=linear(3, 5), b=linear(5, 2))),
    "layer norm": lambda: Case(_layers(linear(3, 6), nn.LayerNorm(6), nn.Tanh(), linear(6, 2))),
    "batch norm": lambda: Case(_layers(linear(3, 6), nn.BatchNorm1d(6), nn.Tanh(), linear(6, 2))),
    "group norm": lambda: Case(_layers(linear(3, 6), nn.GroupNorm(2, 6), nn.Tanh(), linear(6, 2))),
    "dropout": lambda: Case(_layers(linear(3, 6), nn.Dropout(0.5), nn.Tanh(), linear(6, 2))),
    "spectral norm": lambda: Case(_layers(parametrizations.spectral_norm(linear(3, 6)), nn.Tanh(), linear(6, 2))),
    "experts": lambda: Case(lambda: Lambda(_experts, gate=linear(3, 2), parts=nn.ModuleList([linear(3, 2), _mlp(nn.Tanh())()]))),
    "hypernetwork": lambda: Case(lambda: Lambda(_hyper, maker=linear(1, 4), a=linear(2, 2))),
    "splines": lambda: Case(
        lambda: _buffered(Lambda(_splines, weight=nn.Parameter(torch.randn(3, 5, 2)), base=linear(3, 2)), knots=torch.linspace(0, 1, 5))
    ),
    "unrolled": lambda: Case(lambda: Lambda(_unrolled, a=linear(3, 4), b=linear(4, 3))),
    "forces": lambda: Case(lambda: Lambda(_energy, a=linear(3, 6), b=linear(6, 1))),
    "two arguments and a dict, wrapped": lambda: Case(lambda: Lambda(_two_inputs, a=linear(3, 6), b=linear(6, 1), c=linear(6, 1))),
    "operator": lambda: Case(
        lambda: _buffered(
            Lambda(
                _operator, branch=_mlp(nn.Tanh())(), trunk=nn.Sequential(linear(1, 4), nn.Tanh(), linear(4, 2)), bias=nn.Parameter(torch.zeros(1))
            ),
            points=torch.linspace(0, 1, 7)[:, None],
        )
    ),
    "complex layer": lambda: Case(
        lambda: Lambda(_complex_layer, a=linear(3, 6), w=nn.Parameter(torch.randn(3, 2, dtype=torch.complex64)), b=linear(4, 2))
    ),
    "spectral convolution": lambda: Case(
        lambda: Lambda(_fourier, lift=linear(1, 3), weight=nn.Parameter(torch.randn(3, 3, 3, dtype=torch.complex64)), out=linear(3, 1)), (12,)
    ),
    "spectral convolution, 2d": lambda: Case(
        lambda: Lambda(_fourier_2d, weight=nn.Parameter(0.2 * torch.randn(1, 1, 3, 3, dtype=torch.complex64)), skip=nn.Conv2d(1, 1, 1)), (1, 6, 8)
    ),
    "spectral convolution, filled": lambda: Case(
        lambda: Lambda(_filled, weight=nn.Parameter(torch.randn(1, 2, 3, dtype=torch.complex64))), (10,)
    ),
    "graph": lambda: Case(
        lambda: _buffered(Lambda(_graph, a=linear(2, 4), b=linear(4, 1)), links=torch.rand(4, 4).softmax(1)), (4, 2)
    ),
    "embedding": lambda: Case(lambda: nn.Sequential(nn.Embedding(10, 3), nn.Flatten(), linear(6, 5), nn.Tanh(), linear(5, 2)), (2,), 10),
    "embedding, mean": lambda: Case(
        lambda: Lambda(lambda self, x: self.b(torch.tanh(self.e(x).mean(1))), e=nn.Embedding(9, 4), b=linear(4, 2)), (3,), 9
    ),
    "attention": lambda: Case(
        lambda: Lambda(_attention, attend=nn.MultiheadAttention(4, 2, batch_first=True), norm=nn.LayerNorm(4), out=linear(4, 2)), (3, 4)
    ),
    "transformer encoder": lambda: Case(
        lambda: nn.Sequential(
            nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), 2, enable_nested_tensor=False), nn.Flatten(), linear(12, 2)
        ), (3, 4),
    ),
    "language": lambda: Case(
        lambda: nn.Sequential(
            nn.Embedding(8, 4), nn.TransformerEncoderLayer(4, 2, 6, activation="gelu", norm_first=True, batch_first=True), nn.Flatten(), linear(12, 2)
        ), (3,), 8,
    ),
    "convolution, 2d": lambda: Case(
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), linear(8, 2)), (1, 6, 6)
    ),
    "image to image": lambda: Case(lambda: nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.GELU(), nn.Conv2d(3, 1, 3, padding=1)), (1, 5, 6)),
    "u-net": lambda: Case(
        lambda: Lambda(
            _u_net, first=nn.Conv2d(1, 2, 3, padding=1), down=nn.Conv2d(2, 3, 3, padding=1),
            up=nn.ConvTranspose2d(3, 2, 2, 2), last=nn.Conv2d(4, 2, 1),
        ), (1, 4, 6),
    ),
    "dilated": lambda: Case(
        lambda: nn.Sequential(nn.Conv1d(2, 3, 3, dilation=2, padding=2), nn.Tanh(), nn.Conv1d(3, 1, 1), nn.Flatten()), (2, 8)
    ),
    "grouped": lambda: Case(lambda: nn.Sequential(nn.Conv1d(2, 4, 3, groups=2), nn.Tanh(), nn.Flatten(), linear(16, 2)), (2, 6)),
    "volumes": lambda: Case(lambda: nn.Sequential(nn.Conv3d(1, 2, 2), nn.Tanh(), nn.Flatten(), linear(16, 2)), (1, 3, 3, 3)),
    "upsampled": lambda: Case(
        lambda: nn.Sequential(nn.Conv2d(1, 4, 1), nn.Tanh(), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3, padding=1)), (1, 3, 3)
    ),
    "instance norm": lambda: Case(
        lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.InstanceNorm1d(2, affine=True), nn.Tanh(), nn.Flatten(), linear(8, 2)), (1, 6)
    ),
}  # fmt: skip
CASES: dict[str, Callable[[], Case]] = {
    **{name: functools.partial(Case, make) for name, make in oddities.NETWORKS.items()}, **MORE,
}  # fmt: skip


def _buffered(module: nn.Module, **buffers: Tensor) -> nn.Module:
    for name, value in buffers.items():
        module.register_buffer(name, value)
    return module


def problem(name: str) -> SupervisedProblem:
    """The network at a random start with 60 inputs for training, validation and test, and a wave of what it gives there."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        case = CASES[name]()
        model = oddities.in_dtype(case.make(), torch.float64).eval()
        size = (60, *case.shape)
        inputs = torch.randint(0, case.tokens, size) if case.tokens else torch.rand(size, dtype=torch.float64)
    parts = [inputs[part::3] for part in range(3)]
    with torch.no_grad():
        splits = [Split(part, torch.sin(1 + 2 * model(part))) for part in parts]
    return SupervisedProblem(name, model, *splits)


def identifier(name: str) -> str:
    """What the function of a network is called in this file."""
    return re.sub(r"\W+", "_", name)


globals().update({identifier(name): functools.partial(problem, name) for name in CASES})
