"""Small networks, one for every operation that takes a parameter, and random ones that mix them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lsr_core.networks.neuraloperator import NeuralOperatorFNO, NeuralOperatorFNOArguments
from lsr_core.networks.spectral import FNO, FNO1dArguments, FNO2dArguments

STEPS, WIDTH = 3, 4


class Made(nn.Module):
    """A function of inputs and of parts by name."""

    def __init__(self, how: Callable[..., Tensor], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.how, self.names = how, list(parts)
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.how(inputs, *(getattr(self, name) for name in self.names))


def free(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape))


def ended(*parts: nn.Module) -> nn.Module:
    return nn.Sequential(*parts, nn.Tanh(), nn.Flatten())


def encoder(**options: Any) -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, **options)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


Shape = tuple[int, ...]
NUMBERS: Shape = ()  # inputs are whole numbers
OPERATIONS: dict[str, tuple[Callable[[], nn.Module], Shape]] = {
    "linear": (lambda: nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)), (3,)),
    "linear over steps": (lambda: ended(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2, bias=False)), (3, 4)),
    "time before batch": (
        lambda: Made(lambda x, a: torch.tanh(a(x.transpose(0, 1).contiguous())).sum(0), a=nn.Linear(4, 5)),
        (3, 4),
    ),
    "batch and time turned": (
        lambda: Made(lambda x, a: torch.tanh(a(x.transpose(0, 1))).sum(0), a=nn.Linear(4, 5)),
        (3, 4),
    ),
    "convolution 1d": (lambda: ended(nn.Conv1d(2, 4, 3, stride=2, padding=1, dilation=2)), (2, 9)),
    "convolution 2d in groups": (
        lambda: ended(nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), groups=2)),
        (4, 5, 6),
    ),
    "depthwise convolution": (lambda: ended(nn.Conv2d(4, 8, 3, groups=4, padding="same")), (4, 4, 4)),
    "circular convolution": (lambda: ended(nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")), (4, 4, 4)),
    "convolution 3d": (lambda: ended(nn.Conv3d(2, 3, 2)), (2, 3, 3, 4)),
    "convolution over steps": (
        lambda: Made(lambda x, c: torch.tanh(c(x.flatten(0, 1))).view(len(x), -1), c=nn.Conv1d(2, 3, 2)),
        (3, 2, 4),
    ),
    "transposed convolution": (
        lambda: ended(nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)),
        (4, 2, 2),
    ),
    "dilated transposed convolution": (
        lambda: ended(nn.ConvTranspose1d(4, 6, 3, dilation=3, output_padding=2)),
        (4, 3),
    ),
    "embedding": (lambda: Made(lambda x, e: torch.tanh(e(x)).flatten(1), e=nn.Embedding(9, 3, padding_idx=2)), NUMBERS),
    "positions": (
        lambda: Made(
            lambda x, e, p: torch.tanh(e(x) + p(torch.arange(4))).flatten(1), e=nn.Embedding(9, 3), p=nn.Embedding(6, 3)
        ),
        NUMBERS,
    ),
    "rows by number": (lambda: Made(lambda x, w: torch.tanh(w[x]).flatten(1), w=free(9, 3)), NUMBERS),
    "tied head": (
        lambda: Made(lambda x, e: F.linear(torch.tanh(e(x)).mean(1), e.weight), e=nn.Embedding(9, 3)),
        NUMBERS,
    ),
    "layer norm": (lambda: ended(nn.LayerNorm(4)), (3, 4)),
    "layer norm of two axes": (lambda: ended(nn.LayerNorm((3, 4))), (3, 4)),
    "batch norm": (lambda: ended(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)), (2, 4, 4)),
    "batch norm of vectors": (lambda: ended(nn.Linear(2, 4), nn.BatchNorm1d(4)), (2,)),
    "group norm": (lambda: ended(nn.GroupNorm(2, 4)), (4, 3)),
    "rms norm": (lambda: ended(nn.RMSNorm(4)), (3, 4)),
    "prelu": (lambda: ended(nn.PReLU(4)), (4, 3)),
    "broadcast": (
        lambda: Made(
            lambda x, a, b, c, d: torch.tanh(((x + a) * b - c) / d).flatten(1) + (c - x / 2).flatten(1),
            a=free(4),
            b=free(3, 1),
            c=free(3, 4),
            d=free(1),
        ),
        (3, 4),
    ),
    "token before": (
        lambda: Made(
            lambda x, c, a: torch.tanh(a(torch.cat([c.expand(len(x), -1, -1), x], 1)))[:, 0],
            c=free(1, 1, 4),
            a=nn.Linear(4, 5),
        ),
        (3, 4),
    ),
    "packed attention": (
        lambda: Made(lambda x, m: m(x, x, x)[0].flatten(1), m=nn.MultiheadAttention(4, 2, batch_first=True)),
        (3, 4),
    ),
    "cross attention": (
        lambda: Made(
            lambda x, m: m(x, 2 * x.flip(1), x)[0].flatten(1), m=nn.MultiheadAttention(4, 2, batch_first=True)
        ),
        (3, 4),
    ),
    "encoder": (lambda: Made(lambda x, m: m(x).flatten(1), m=encoder(batch_first=True)), (3, 4)),
    "encoder, time first": (
        lambda: Made(lambda x, m: m(x.transpose(0, 1)).transpose(0, 1).flatten(1), m=encoder()),
        (3, 4),
    ),
    "einsum": (
        lambda: Made(lambda x, w: torch.tanh(torch.einsum("ntd,do->nto", x, w)).flatten(1), w=free(4, 5)),
        (3, 4),
    ),
    "einsum with a matrix for each step": (
        lambda: Made(lambda x, w: torch.tanh(torch.einsum("ntd,tdo->nto", x, w)).flatten(1), w=free(3, 4, 5)),
        (3, 4),
    ),
    "batched product": (lambda: Made(lambda x, w: torch.tanh(x[:, :, None] @ w).flatten(1), w=free(3, 4, 5)), (3, 4)),
    "weight on the left": (lambda: Made(lambda x, w: torch.tanh((w @ x.T).T), w=free(5, 4)), (4,)),
    "weight on the left of steps": (lambda: Made(lambda x, w: torch.tanh(w @ x).flatten(1), w=free(5, 3)), (3, 4)),
    "sliced": (lambda: Made(lambda x, w: torch.tanh(x @ w[:4]) + w[4], w=free(5, 6)), (4,)),
    "where": (lambda: Made(lambda x, w: torch.where(x > 0, w, x), w=free(4)), (4,)),
    "stacked": (lambda: Made(lambda x, a, b: x @ torch.stack([a, b], 1), a=free(4), b=free(4)), (4,)),
    "lstm": (lambda: Made(lambda x, r: r(x)[0].flatten(1), r=nn.LSTM(4, 3, batch_first=True)), (3, 4)),
    "gru": (
        lambda: Made(lambda x, r: r(x)[0].flatten(1), r=nn.GRU(4, 3, batch_first=True, bidirectional=True)),
        (3, 4),
    ),
    "spectral 1d": (lambda: FNO(FNO1dArguments(points=8, modes=3, width=3, depth=2)), (8,)),
    "spectral 2d": (lambda: FNO(FNO2dArguments(grid=[4, 6], modes=[2, 3], width=3, depth=2)), (24,)),
    "spectral, frequencies around zero": (
        lambda: NeuralOperatorFNO(
            NeuralOperatorFNOArguments(grid=[4, 6], modes=[3, 2], width=3, depth=2, lifting=4, projection=4)
        ),
        (24,),
    ),
    "complex parameters": (
        lambda: Made(
            lambda x, w, v: torch.fft.irfft(torch.einsum("nik,iok->nok", torch.fft.rfft(x), w) * v, n=6).flatten(1),
            w=nn.Parameter(torch.randn(3, 2, 4, dtype=torch.complex128)),
            v=nn.Parameter(torch.randn(2, 1, dtype=torch.complex128)),
        ),
        (3, 6),
    ),
    "complex layer": (
        lambda: Made(lambda x, a: a(torch.complex(x, x.sin())).abs(), a=nn.Linear(3, 2, dtype=torch.complex128)),
        (3,),
    ),
    "real times complex": (
        lambda: Made(
            lambda x, w, v: torch.fft.irfft(torch.fft.rfft(x) * w * torch.view_as_complex(v), n=6).flatten(1),
            w=free(2, 1),
            v=free(4, 2),
        ),
        (2, 6),
    ),
    "real and imaginary parts first": (
        lambda: Made(
            lambda x, w: torch.fft.irfft(torch.fft.rfft(x) @ torch.complex(w[0], w[1]), n=6).flatten(1), w=free(2, 4, 4)
        ),
        (2, 6),
    ),
    "conjugate": (
        lambda: Made(
            lambda x, w: torch.fft.irfft(torch.fft.rfft(x) @ torch.complex(w[0], w[1]).conj(), n=6).flatten(1),
            w=free(2, 4, 4),
        ),
        (2, 6),
    ),
    "bilinear beside linear": (
        lambda: Made(lambda x, b, a: a(torch.tanh(b(x, x))), b=nn.Bilinear(4, 4, 3), a=nn.Linear(3, 2)),
        (4,),
    ),
    "weight norm beside linear": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), nn.Tanh(), nn.Linear(3, 2)),
        (4,),
    ),
}
WITHOUT = {  # parameters that no rule is there for
    "stacked": {"a", "b"},
    "conjugate": {"w"},
    "bilinear beside linear": {"b.weight"},
    "weight norm beside linear": {"0.parametrizations.weight.original0", "0.parametrizations.weight.original1"},
}


def operation(name: str) -> tuple[nn.Module, Tensor]:
    """A network and four inputs."""
    make, shape = OPERATIONS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sum(map(ord, name)))
        model = spread(make())
        inputs = torch.randn(4, *shape).double() if shape else torch.randint(0, 9, (4, 4))
    return model, inputs


def spread(model: nn.Module) -> nn.Module:
    """In double precision, with statistics and parameters that are not those of a beginning."""
    for part in model.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    for value in model.parameters():
        value.data += 0.1 * torch.randn_like(value)
    return model.double().eval()


PIECES: list[Callable[[], nn.Module]] = [  # (n, STEPS, WIDTH) to the same
    lambda: nn.Linear(WIDTH, WIDTH),
    lambda: nn.Linear(WIDTH, WIDTH, bias=False),
    lambda: nn.LayerNorm(WIDTH),
    lambda: nn.GroupNorm(1, STEPS),
    lambda: nn.BatchNorm1d(STEPS),
    lambda: nn.Conv1d(STEPS, STEPS, 3, padding=1),
    lambda: nn.Conv1d(STEPS, STEPS, 3, padding=1, groups=STEPS),
    lambda: nn.ConvTranspose1d(STEPS, STEPS, 3, padding=1),
    lambda: nn.PReLU(STEPS),
    lambda: Made(lambda x, m: m(x, x, x)[0], m=nn.MultiheadAttention(WIDTH, 2, batch_first=True)),
    lambda: Made(lambda x, m: m(x.transpose(0, 1)).transpose(0, 1), m=nn.Linear(WIDTH, WIDTH)),
    lambda: Made(lambda x, m: m(x.transpose(0, 1))[0].transpose(0, 1), m=nn.LSTM(WIDTH, WIDTH)),
    lambda: Made(lambda x, w: x + w, w=free(STEPS, WIDTH)),
    lambda: Made(lambda x, w: x * w, w=free(WIDTH)),
    lambda: Made(lambda x, w: torch.einsum("ntd,tdo->nto", x, w), w=free(STEPS, WIDTH, WIDTH)),
    lambda: Made(lambda x, a: x + torch.tanh(a(torch.tanh(a(x)))), a=nn.Linear(WIDTH, WIDTH)),
    lambda: Made(lambda x, a: F.linear(torch.sin(a(x)), a.weight.T), a=nn.Linear(WIDTH, WIDTH)),
    lambda: Made(lambda x, w: x * torch.sigmoid(w).exp(), w=free(WIDTH)),
    lambda: Made(lambda x, b: b(x, x.flip(1)), b=nn.Bilinear(WIDTH, WIDTH, WIDTH)),
]


def mixed(seed: int) -> tuple[nn.Module, Tensor]:
    """A random network of two to five pieces, one of them perhaps at two places, and four inputs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        chosen = [PIECES[int(torch.randint(len(PIECES), ()))]() for _ in range(int(torch.randint(2, 6, ())))]
        if torch.rand(()) < 0.3:
            chosen.append(chosen[0])
        parts = [part for piece in chosen for part in (piece, nn.Tanh())]
        last: nn.Module = nn.Linear(STEPS * WIDTH, 2) if torch.rand(()) < 0.5 else nn.Identity()
        model = spread(nn.Sequential(*parts, nn.Flatten(), last))
        return model, torch.randn(4, STEPS, WIDTH).double()
