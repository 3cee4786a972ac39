"""Networks that do what other people's networks do: change values in place, use a weight twice, leave forward mode."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize

from lsr_core.networks.copies import in_dtype


class Lambda(nn.Module):
    """Layers by name, and what forward does with them."""

    def __init__(self, forward: Callable[[Any, Tensor], Tensor], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.does = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


class Swish(torch.autograd.Function):
    """In the classic form, without setup_context."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return g * (s + x * s * (1 - s))


class OnceSwish(Swish):
    """The same with a backward pass that cannot be differentiated."""

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return Swish.backward(ctx, g)


class WrongSwish(Swish):
    """The same with half the gradient."""

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return 0.5 * Swish.backward(ctx, g)


def linear(before: int, after: int) -> nn.Linear:
    return nn.Linear(before, after)


def _hooked(hook: Callable[..., Any], pre: bool = False) -> nn.Module:
    net = nn.Sequential(linear(3, 5), nn.Tanh(), linear(5, 2))
    net[0].register_forward_pre_hook(hook) if pre else net[0].register_forward_hook(hook)
    return net


def _in_place_hook(_module: nn.Module, _args: Any, output: Tensor) -> None:
    output.mul_(3)


def _scaled(self: Any, x: Tensor) -> Tensor:
    hidden = self.a(x)
    hidden *= 5
    return self.b(torch.tanh(hidden))


def _input_changed_later(self: Any, x: Tensor) -> Tensor:
    hidden = torch.tanh(self.a(x))
    sent = self.b(hidden)
    with torch.no_grad():
        hidden.data.mul_(1)
    return sent


def _filled(self: Any, x: Tensor) -> Tensor:
    out = torch.zeros(len(x), 3, dtype=x.dtype)
    for i in range(3):
        out[:, i] = self.b(torch.tanh(self.a(x[:, i : i + 1])))[:, 0]
    return out


def _same_twice() -> nn.Module:
    shared = linear(4, 4)
    return nn.Sequential(linear(3, 4), shared, nn.Tanh(), shared, nn.Tanh(), linear(4, 2))


def _tied_parameter() -> nn.Module:
    net = nn.Sequential(linear(3, 3), nn.Tanh(), linear(3, 3), nn.Tanh(), linear(3, 1))
    net[2].weight = net[0].weight
    return net


def _own_forward() -> nn.Module:
    net = nn.Sequential(linear(3, 5), nn.Tanh(), linear(5, 2))
    net[0].forward = types.MethodType(lambda self, x: 2 * functional.linear(x, self.weight), net[0])  # type: ignore[method-assign]
    return net


def _frozen() -> nn.Module:
    net = nn.Sequential(linear(3, 5), nn.Tanh(), linear(5, 4), nn.ReLU(inplace=True), linear(4, 2))
    net[0].requires_grad_(False)
    return net


def _last(self: Any, x: Tensor) -> Tensor:
    return self.out(self.rnn(x.view(-1, 3, 1))[0][:, -1])


def _cell(self: Any, x: Tensor) -> Tensor:
    state = x.new_zeros(len(x), 4)
    for step in x.unbind(1):
        state = self.cell(step[:, None], state)
    return self.out(state)


class _Twice(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


def _parametrised() -> nn.Module:
    net = nn.Sequential(linear(3, 5), nn.Tanh(), linear(5, 2))
    parametrize.register_parametrization(net[0], "weight", _Twice())
    return net


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Sequential(linear(3, 5), nn.Tanh(), linear(5, 2)),
    "in-place relu": lambda: nn.Sequential(linear(3, 5), nn.ReLU(True), linear(5, 5), nn.ReLU(True), linear(5, 2)),
    "in-place silu": lambda: nn.Sequential(linear(3, 5), nn.SiLU(True), linear(5, 5), nn.ELU(inplace=True), linear(5, 2)),
    "in-place scale": lambda: Lambda(_scaled, a=linear(3, 5), b=linear(5, 2)),
    "in-place first": lambda: nn.Sequential(nn.ReLU(True), linear(3, 5), nn.Tanh(), linear(5, 2)),
    "layer input touched": lambda: Lambda(_input_changed_later, a=linear(3, 5), b=linear(5, 2)),
    "hook": lambda: _hooked(lambda module, args, output: 3 * output),
    "in-place hook": lambda: _hooked(_in_place_hook),
    "pre-hook": lambda: _hooked(lambda module, args: (2 * args[0],), pre=True),
    "tied transpose": lambda: Lambda(
        lambda self, x: functional.linear(torch.tanh(self.a(x)), self.a.weight.T), a=linear(3, 6)
    ),
    "tied parameter": _tied_parameter,
    "one layer twice": _same_twice,
    "one layer in a loop": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(torch.tanh(self.a(x))))), a=linear(3, 3), b=linear(3, 1)
    ),
    "weight in the output": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(x))) / self.b.weight.norm(), a=linear(3, 5), b=linear(5, 1)
    ),
    "own forward": _own_forward,
    "batch turned": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(x.flip(0)))).flip(0), a=linear(3, 5), b=linear(5, 1)
    ),
    "frozen": _frozen,
    "unused head": lambda: Lambda(lambda self, x: self.b(torch.tanh(self.a(x))), a=linear(3, 5), b=linear(5, 1), c=linear(5, 40)),
    "unused parameter": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(x))), a=linear(3, 5), b=linear(5, 1), c=nn.Parameter(torch.ones(3))
    ),
    "two heads": lambda: Lambda(
        lambda self, x: torch.cat([self.a(x), torch.tanh(self.b(x))], 1), a=linear(3, 1), b=linear(3, 2)
    ),
    "zeros filled": lambda: Lambda(_filled, a=linear(1, 4), b=linear(4, 1)),
    "prelu": lambda: nn.Sequential(linear(3, 5), nn.PReLU(), linear(5, 2)),
    "glu": lambda: nn.Sequential(linear(3, 6), nn.GLU(), linear(3, 2)),
    "gru": lambda: Lambda(_last, rnn=nn.GRU(1, 3, batch_first=True), out=linear(3, 1)),
    "lstm": lambda: Lambda(_last, rnn=nn.LSTM(1, 3, batch_first=True), out=linear(3, 1)),
    "rnn": lambda: Lambda(_last, rnn=nn.RNN(1, 3, batch_first=True), out=linear(3, 1)),
    "gru cell": lambda: Lambda(_cell, cell=nn.GRUCell(1, 4), out=linear(4, 1)),
    "bilinear": lambda: Lambda(lambda self, x: self.o(torch.tanh(self.b(x, x))), b=nn.Bilinear(3, 3, 4), o=linear(4, 1)),
    "weight norm": lambda: nn.Sequential(
        parametrizations.weight_norm(linear(3, 5)), nn.Tanh(), parametrizations.weight_norm(linear(5, 2))
    ),
    "parametrised": _parametrised,
    "classic function": lambda: Lambda(lambda self, x: self.b(Swish.apply(self.a(x))), a=linear(3, 5), b=linear(5, 2)),
    "once differentiable": lambda: Lambda(lambda self, x: self.b(OnceSwish.apply(self.a(x))), a=linear(3, 5), b=linear(5, 2)),
    "cdist": lambda: Lambda(
        lambda self, x: self.b(torch.exp(-torch.cdist(self.a(x), self.centres))),
        a=linear(3, 2), b=linear(4, 1), centres=nn.Parameter(torch.rand(4, 2)),
    ),
    "complex": lambda: Lambda(
        lambda self, x: self.b(torch.view_as_real((self.a(x) + 0j) @ self.w).flatten(1)),
        a=linear(3, 3), b=linear(4, 1), w=nn.Parameter(torch.randn(3, 2, dtype=torch.complex64)),
    ),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 2, 2), nn.ReLU(inplace=True), nn.Flatten(), linear(4, 2)
    ),
    "samples together": lambda: Lambda(
        lambda self, x: self.b(torch.tanh(self.a(x))) - self.b(torch.tanh(self.a(x))).mean(0), a=linear(3, 5), b=linear(5, 1)
    ),
}  # fmt: skip


def network(name: str) -> nn.Module:
    """One of them in double precision, the same each time."""
    torch.manual_seed(0)
    return in_dtype(NETWORKS[name](), torch.float64).eval()
