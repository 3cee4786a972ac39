"""What people do with layers: in place, more than once, through hooks and parametrisations, out of autograd's sight."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize
from torch.utils import checkpoint

from tests.fuzz.layers import Built, Fn

IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu_,
    "tanh": torch.tanh_,
    "sigmoid": torch.sigmoid_,
    "sin": torch.sin_,
    "elu": F.elu_,
    "scale": lambda y: y.mul_(5),
    "shift": lambda y: y.add_(0.5),
    "square": lambda y: y.pow_(2),
    "clamp": lambda y: y.clamp_(min=-0.5),
    "zero": lambda y: y.index_fill_(1, torch.tensor([0]), 0.0),
}


class Plain:
    """A tensor that is neither parameter nor buffer, so that no conversion reaches it."""

    def __init__(self, value: Tensor) -> None:
        self.value = value


def inplace_after(width: int, out: int, name: str) -> Built:
    """A Linear whose output is changed in place."""
    return Fn(lambda x, a: IN_PLACE[name](a(x)), a=nn.Linear(width, out)), out


def inplace_sum(width: int, how: str) -> Built:
    """`y += x` and its relatives, after a Linear."""

    def forward(x: Tensor, a: nn.Module) -> Tensor:
        y = a(x)
        if how == "add":
            y += x
        elif how == "multiply":
            y *= torch.sigmoid(x)
        elif how == "slice":
            y[:, :1] += x[:, -1:]
        elif how == "halves":
            left = y[:, : max(1, width // 2)]
            left *= 2.0
        else:
            y /= 1 + x.square()
        return y

    return Fn(forward, a=nn.Linear(width, width)), width


def tied(width: int, hidden: int, how: str) -> Built:
    """A Linear's weight again: transposed, normalised, as a penalty, or before the layer itself."""

    def forward(x: Tensor, a: nn.Linear) -> Tensor:
        if how == "transposed":
            return F.linear(torch.tanh(a(x)), a.weight.T)
        if how == "norm":
            return F.linear(a(x) / a.weight.norm(), a.weight.T)
        if how == "bias":
            return F.linear(torch.sin(a(x)) + a.bias, a.weight.T)
        return F.linear(torch.tanh(F.linear(x, a.weight)) + a(x), a.weight.T)

    return Fn(forward, a=nn.Linear(width, hidden)), width


def twice(width: int, how: str) -> Built:
    """One Linear at two places, called or bypassed."""

    def forward(x: Tensor, a: nn.Linear) -> Tensor:
        if how == "called":
            return a(torch.tanh(a(x)))
        if how == "bypassed":
            return a.forward(torch.tanh(a(x)))
        return F.linear(torch.tanh(a(x)), a.weight, a.bias)

    return Fn(forward, a=nn.Linear(width, width)), width


def shared(width: int, how: str) -> Built:
    """Two Linears with one weight, or one bias."""
    a, b = nn.Linear(width, width), nn.Linear(width, width)
    if how == "weight":
        b.weight = a.weight
    else:
        b.bias = a.bias
    return nn.Sequential(a, nn.Tanh(), b), width


CALLS = ("keyword", "flipped", "rolled", "expert", "doubled", "changed later", "input changed", "first changed")
APART = ("detached", "no_grad", "numpy", "float")


def odd_call(width: int, out: int, how: str) -> Built:
    """A Linear called in an unusual way."""

    def forward(x: Tensor, a: nn.Linear) -> Tensor:
        if how == "keyword":
            return a(input=x)
        if how == "flipped":
            return a(x.flip(0)).flip(0)
        if how == "rolled":
            return torch.roll(a(torch.roll(x, 1, 0)), -1, 0)
        if how == "expert":
            y, picked = x.new_zeros(len(x), out), x[:, 0] > 0
            y[picked] = a(x[picked])
            return y
        if how == "doubled":
            return a(torch.cat([x, -x])).unflatten(0, (2, -1)).sum(0)
        if how == "changed later":
            y = a(x)
            z = torch.tanh(y)
            y.mul_(3)
            return z + y
        if how == "input changed":
            x = x.clone()
            y = a(x)
            x.mul_(0)
            return y
        x.mul_(2.0)  # what it was given
        return a(x)

    return Fn(forward, a=nn.Linear(width, out)), out


def hooked(width: int, out: int, how: str) -> Built:
    layer = nn.Linear(width, out)
    if how == "returns":
        layer.register_forward_hook(lambda _, __, y: torch.sin(2 * y))
    elif how == "in place":
        layer.register_forward_hook(lambda _, __, y: y.mul_(3))
    elif how == "silent":
        layer.register_forward_hook(lambda _, __, y: _silently(y))
    elif how == "before":
        layer.register_forward_pre_hook(lambda _, args: (torch.tanh(args[0]),))
    else:
        layer.register_full_backward_hook(lambda _, given, __: tuple(g if g is None else 1.0 * g for g in given))
    return layer, out


def _silently(y: Tensor) -> None:
    y.mul_(3)


class Symmetric(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight.triu() + weight.triu(1).T


def parametrised(width: int, how: str) -> Built:
    layer: nn.Module = nn.Linear(width, width)
    if how == "weight norm":
        return parametrizations.weight_norm(layer), width
    if how == "spectral norm":
        return parametrizations.spectral_norm(layer), width
    if how == "symmetric":
        parametrize.register_parametrization(layer, "weight", Symmetric())
        return layer, width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(layer), width


def unused_head(width: int, out: int) -> Built:
    return Fn(lambda x, a, b: a(x), a=nn.Linear(width, out), b=nn.Linear(width, 2)), out


def frozen(width: int, out: int, what: str) -> Built:
    layer = nn.Linear(width, out)
    for name, value in layer.named_parameters():
        value.requires_grad_(what not in (name, "both"))
    return layer, out


def plain_tensor(width: int, how: str) -> Built:
    """A tensor made once that is no buffer: multiplied with, or in a matrix product, whose precision it then decides."""
    values = Plain(1 + torch.rand(width, width))
    if how == "product":
        return Fn(lambda x: x * values.value[0]), width
    return Fn(lambda x: x @ values.value.to(x.dtype) if how == "converted" else x @ values.value), width


def zeros_filled(width: int, how: str) -> Built:
    def forward(x: Tensor, a: nn.Module) -> Tensor:
        out = torch.zeros(len(x), width) if how == "single" else torch.zeros(len(x), width, dtype=x.dtype)
        for i in range(width):
            out[:, i] = a(x[:, i : i + 1])[:, 0]
        return out

    return Fn(forward, a=nn.Linear(1, 1)), width


class Classic(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, given):  # type: ignore[no-untyped-def]
        return given * torch.cos(ctx.saved_tensors[0])


class Modern(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x):  # type: ignore[no-untyped-def]
        return torch.sin(x)

    @staticmethod
    def setup_context(ctx, inputs, output):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def backward(ctx, given):  # type: ignore[no-untyped-def]
        return given * torch.cos(ctx.saved_tensors[0])


class Complete(Modern):
    @staticmethod
    def jvp(ctx, given):  # type: ignore[no-untyped-def]
        return given * torch.cos(ctx.saved_tensors[0])


OWN = {"classic": Classic, "modern": Modern, "complete": Complete}


def own_function(width: int, how: str) -> Built:
    return Fn(lambda x: OWN[how].apply(x)), width


def apart(width: int, how: str) -> Built:
    """A part that autograd does not see, or sees in single precision only."""

    def forward(x: Tensor, a: nn.Linear) -> Tensor:
        if how == "detached":
            return x + a(x).detach()
        if how == "no_grad":
            with torch.no_grad():
                y = a(x)
            return x + y
        if how == "numpy":
            return x + torch.from_numpy(a(x).detach().numpy() * 1.0)
        return F.linear(x.float(), a.weight.float(), a.bias.float()).to(x.dtype)

    return Fn(forward, a=nn.Linear(width, width)), width


def coupled(width: int, how: str) -> Built:
    """Samples that influence each other."""
    if how == "mean":
        return Fn(lambda x: x - x.mean(0)), width
    if how == "neighbour":
        return Fn(lambda x: x + 0.1 * torch.roll(x, 1, 0)), width
    return Fn(lambda x: x / (1 + x.abs().max())), width


class Guarded(nn.Module):
    """Looks at values, counts its calls, or recomputes: what does not change the outputs."""

    def __init__(self, width: int, how: str) -> None:
        super().__init__()
        self.a, self.how = nn.Linear(width, width), how
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "checks" and not bool(torch.isfinite(x).all()):
            raise ValueError("not finite")
        if self.how == "counts":
            self.calls += 1
        if self.how == "remembers":
            self.seen = [x]
        if self.how == "checkpoint":
            return checkpoint.checkpoint(self.a, x, use_reentrant=False)
        return torch.tanh(self.a(x))


def guarded(width: int, how: str) -> Built:
    return Guarded(width, how), width
