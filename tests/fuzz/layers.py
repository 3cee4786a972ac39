"""What networks are made of: ordinary layers.

Every piece takes vectors (n, d) and gives vectors (n, d'), so that pieces can follow one another in any order.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Built = tuple[nn.Module, int]  # a piece and the width of what it gives


class Fn(nn.Module):
    """A function of the input and of modules by name."""

    def __init__(self, forward: Callable[..., Tensor], **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self.names = list(parts)
        self.how = forward
        for name, part in parts.items():
            if isinstance(part, nn.Module):
                self.add_module(name, part)
            elif isinstance(part, nn.Parameter):
                self.register_parameter(name, part)
            else:
                self.register_buffer(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.how(x, *(getattr(self, name) for name in self.names))


def random(*shape: int, dtype: torch.dtype | None = None) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, dtype=dtype) / max(1, shape[-1]) ** 0.5)


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "silu": F.silu,
    "mish": F.mish,
    "gelu": F.gelu,
    "softplus": F.softplus,
    "sin": torch.sin,
    "elu": F.elu,
    "leaky": F.leaky_relu,
    "sigmoid": torch.sigmoid,
    "swish": lambda x: x * torch.sigmoid(x),
}
MODULES: dict[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "elu": nn.ELU,
    "leaky": lambda inplace=False: nn.LeakyReLU(0.1, inplace=inplace),
    "hardswish": nn.Hardswish,
    "celu": lambda inplace=False: nn.CELU(1.0, inplace=inplace),
}


def linear(width: int, out: int, bias: bool) -> Built:
    return nn.Linear(width, out, bias=bias), out


def function(width: int, name: str) -> Built:
    return Fn(lambda x: FUNCTIONS[name](x)), width


def module(width: int, name: str, inplace: bool) -> Built:
    return MODULES[name](inplace=inplace), width


def prelu(width: int, each: bool) -> Built:
    return nn.PReLU(width if each else 1), width


def residual(width: int, name: str, bias: bool) -> Built:
    return Fn(lambda x, a: x + FUNCTIONS[name](a(x)), a=nn.Linear(width, width, bias=bias)), width


def layer_norm(width: int, affine: bool) -> Built:
    return nn.LayerNorm(width, elementwise_affine=affine), width


def batch_norm(width: int, affine: bool) -> Built:
    norm = nn.BatchNorm1d(width, affine=affine)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return norm, width


def conv1d(width: int, channels: int, inplace: bool) -> Built:
    pieces = (nn.Unflatten(1, (1, width)), nn.Conv1d(1, channels, 3, padding=1), nn.ReLU(inplace), nn.Flatten())
    return nn.Sequential(*pieces), channels * width


def conv2d(width: int, channels: int, transposed: bool) -> Built:
    layer = nn.ConvTranspose2d(1, channels, 1) if transposed else nn.Conv2d(1, channels, (1, 3), padding=(0, 1))
    return nn.Sequential(nn.Unflatten(1, (1, 1, width)), layer, nn.Tanh(), nn.Flatten()), channels * width


def recurrent(width: int, kind: str, hidden: int, whole: bool) -> Built:
    layer = getattr(nn, kind)(1, hidden, batch_first=True)
    if whole:
        return Fn(lambda x, r: r(x.unsqueeze(-1))[0].flatten(1), r=layer), width * hidden
    return Fn(lambda x, r: r(x.unsqueeze(-1))[0][:, -1], r=layer), hidden


def recurrent_cell(width: int, kind: str, hidden: int) -> Built:
    cell = getattr(nn, kind)(1, hidden)

    def forward(x: Tensor, c: nn.Module) -> Tensor:
        state = None
        for i in range(x.shape[1]):
            state = c(x[:, i : i + 1], state)
        return state[0] if isinstance(state, tuple) else state

    return Fn(forward, c=cell), hidden


def attention(width: int, size: int, encoder: bool) -> Built:
    if encoder:
        block: nn.Module = nn.TransformerEncoderLayer(size, 2, 4, dropout=0.1, batch_first=True)
        return Fn(lambda x, e, b: b(e(x.unsqueeze(-1))).mean(1), e=nn.Linear(1, size), b=block), size
    heads = nn.MultiheadAttention(size, 2, batch_first=True)
    return Fn(lambda x, e, b: b(*3 * (e(x.unsqueeze(-1)),))[0].mean(1), e=nn.Linear(1, size), b=heads), size


def over_sequence(width: int, out: int) -> Built:
    """A Linear at every place of a sequence."""
    return Fn(lambda x, a: torch.tanh(a(x.unsqueeze(-1))).flatten(1), a=nn.Linear(1, out)), width * out


def buffers(width: int) -> Built:
    return Fn(lambda x, s, t: x * s + t, s=1 + torch.rand(width), t=torch.randn(width)), width


def joined(width: int) -> Built:
    return Fn(lambda x: torch.cat([x, torch.sin(x)], 1)), 2 * width


def pieces(width: int, how: str) -> Built:
    """Functions with corners, gates and norms."""
    how_to: dict[str, Callable[[Tensor], Tensor]] = {
        "abs": torch.abs,
        "clamp": lambda x: x.clamp(-1, 1),
        "where": lambda x: torch.where(x > 0, x, torch.expm1(x.clamp(max=0))),
        "sorted": lambda x: x.sort(1).values,
        "length": lambda x: x / (1 + x.norm(dim=1, keepdim=True)),
        "softmax": lambda x: x.softmax(1),
        "cumulative": lambda x: x.cumsum(1),
        "largest": lambda x: torch.maximum(x, x.flip(1)),
    }
    return Fn(lambda x: how_to[how](x)), width


def gated(width: int, out: int) -> Built:
    return nn.Sequential(nn.Linear(width, 2 * out), nn.GLU()), out


def radial(width: int, centres: int, how: str) -> Built:
    def forward(x: Tensor, c: Tensor) -> Tensor:
        if how == "cdist":
            return torch.exp(-torch.cdist(x, c))
        return torch.exp(-(x[:, None] - c).square().sum(-1))

    return Fn(forward, c=random(centres, width)), centres


def raw(width: int, out: int, how: str) -> Built:
    """Parameters without a layer."""
    if how == "bilinear":
        return Fn(lambda x, b: b(x, x), b=nn.Bilinear(width, width, out)), out
    if how == "einsum":
        return Fn(lambda x, w: torch.einsum("nd,do->no", x, w), w=random(width, out)), out
    if how == "sliced":
        return Fn(lambda x, w: torch.tanh(x @ w[:width]) + w[width], w=random(width + 1, out)), out
    if how == "generated":  # a Linear of fixed codes makes the weight
        made = nn.Linear(3, width)
        return Fn(lambda x, a, z: x @ a(z).T, a=made, z=torch.randn(out, 3)), out
    return Fn(lambda x, w: x @ w, w=random(width, out)), out


def complex_part(width: int, how: str) -> Built:
    if how == "spectral":
        modes = width // 2 + 1
        weight = random(modes, dtype=torch.cfloat)
        return Fn(lambda x, w: torch.fft.irfft(torch.fft.rfft(x) * w, n=width), w=weight), width
    if how == "filled":

        def forward(x: Tensor, w: Tensor) -> Tensor:
            out = torch.zeros(len(x), width // 2 + 1, dtype=torch.cfloat)
            out[:, :1] = torch.fft.rfft(x)[:, :1] * w
            return torch.fft.irfft(out, n=width).to(x.dtype)

        return Fn(forward, w=random(1, dtype=torch.cfloat)), width
    weight = random(width, width, dtype=torch.cfloat)
    return Fn(lambda x, w: torch.view_as_real(torch.tanh(x.to(w.dtype) @ w)).flatten(1), w=weight), 2 * width


def large(width: int, factor: float) -> Built:
    return Fn(lambda x: x * factor), width
