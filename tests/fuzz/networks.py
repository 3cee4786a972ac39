"""Small networks from a number: random compositions of what `layers` and `uses` know, printable as they are written."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.fuzz import layers, uses
from tests.fuzz.layers import Built

Piece = tuple  # name and arguments
LARGEST = 300  # parameters
WIDEST = 24
VOCABULARY = 10
WIDTHS = (1, 2, 3, 5, 8)
SMALL = (1, 2, 3)
TRUTH = (False, True)
ORDINARY = ("relu", "tanh", "silu", "mish", "gelu", "softplus", "sin", "elu", "leaky", "sigmoid", "swish")


@dataclass(frozen=True)
class Kind:
    """How a piece is built, what its arguments may be, and how often it is drawn.

    Attributes:
        may_refuse: a refusal is right as well.
    """

    build: Callable[..., Built]
    choices: tuple[tuple[object, ...], ...] = ()
    weight: float = 1.0
    may_refuse: tuple[object, ...] = ()


KINDS: dict[str, Kind] = {
    "linear": Kind(layers.linear, (WIDTHS, TRUTH), 10),
    "function": Kind(layers.function, (ORDINARY,), 6),
    "module": Kind(layers.module, (tuple(layers.MODULES), TRUTH), 5),
    "prelu": Kind(layers.prelu, (TRUTH,)),
    "residual": Kind(layers.residual, (ORDINARY, TRUTH), 2),
    "layer_norm": Kind(layers.layer_norm, (TRUTH,)),
    "batch_norm": Kind(layers.batch_norm, (TRUTH,)),
    "conv1d": Kind(layers.conv1d, ((1, 2), TRUTH)),
    "conv2d": Kind(layers.conv2d, ((1, 2), TRUTH)),
    "recurrent": Kind(layers.recurrent, (("GRU", "LSTM", "RNN"), SMALL, TRUTH)),
    "recurrent_cell": Kind(layers.recurrent_cell, (("GRUCell", "LSTMCell", "RNNCell"), SMALL), 0.5),
    "attention": Kind(layers.attention, ((2, 4), TRUTH)),
    "over_sequence": Kind(layers.over_sequence, (SMALL,)),
    "gated": Kind(layers.gated, (WIDTHS,)),
    "joined": Kind(layers.joined),
    "pieces": Kind(
        layers.pieces, (("abs", "clamp", "where", "sorted", "length", "softmax", "cumulative", "largest"),), 2
    ),
    "radial": Kind(layers.radial, ((2, 4), ("cdist", "squares"))),
    "raw": Kind(layers.raw, (SMALL, ("bilinear", "einsum", "sliced", "generated", "product")), 2),
    "complex_part": Kind(layers.complex_part, (("spectral", "filled", "product"),), 1.5, ("filled",)),
    "large": Kind(layers.large, ((1e-6, 1e-2, 30.0, 1e4),), 0.7),
    "inplace_after": Kind(uses.inplace_after, (WIDTHS, tuple(uses.IN_PLACE)), 4),
    "inplace_sum": Kind(uses.inplace_sum, (("add", "multiply", "slice", "halves", "divide"),), 3),
    "tied": Kind(uses.tied, (SMALL, ("transposed", "norm", "bias", "before")), 2.5),
    "twice": Kind(uses.twice, (("called", "bypassed", "function"),), 2),
    "shared": Kind(uses.shared, (("weight", "bias"),)),
    "odd_call": Kind(uses.odd_call, (SMALL, uses.CALLS), 3, ("expert",)),
    "hooked": Kind(uses.hooked, (WIDTHS, ("returns", "in place", "silent", "before", "backward")), 2, ("backward",)),
    "parametrised": Kind(
        uses.parametrised, (("weight norm", "spectral norm", "symmetric", "old weight norm"),), 2, ("old weight norm",)
    ),
    "unused_head": Kind(uses.unused_head, (SMALL,)),
    "frozen": Kind(uses.frozen, (WIDTHS, ("weight", "bias", "both"))),
    "buffers": Kind(layers.buffers),
    "plain_tensor": Kind(uses.plain_tensor, (("product", "converted", "matrix"),), 0.7, ("matrix",)),
    "zeros_filled": Kind(uses.zeros_filled, (("like", "single"),), 1.5, ("single",)),
    "own_function": Kind(uses.own_function, (tuple(uses.OWN),), 1.5),
    "apart": Kind(uses.apart, (uses.APART,), 1.5, uses.APART),
    "coupled": Kind(uses.coupled, (("mean", "neighbour", "largest"),)),
    "guarded": Kind(uses.guarded, (("checks", "counts", "remembers", "checkpoint"),), 1.5, ("remembers",)),
}
COARSE = {("apart", "float"), ("zeros_filled", "single"), ("complex_part", "filled")}  # single precision inside
SHAPES = ("(n, o)", "(n, o)", "(n, o)", "(n, o, 1)", "(n,)", "dict", "tuple")


@dataclass(frozen=True)
class Network:
    """What a network is made of; `build` makes it.

    Attributes:
        width: entries of one input; tokens of an integer one.
        tokens: whether inputs are integers.
        pieces: in order, each a name and its arguments.
        outputs: width of the last Linear; 0 = no such layer.
        shape: of the outputs.
        gain: factor on all parameters.
    """

    seed: int
    width: int
    tokens: bool
    pieces: tuple[Piece, ...]
    outputs: int
    shape: str = "(n, o)"
    dtype: str = "float32"
    gain: float = 1.0

    def __str__(self) -> str:
        front = f"embedding({self.width})" if self.tokens else f"inputs({self.width})"
        inner = [f"{name}({', '.join(map(str, rest))})" for name, *rest in self.pieces]
        last = [f"linear({self.outputs})"] if self.outputs else []
        return " | ".join([front, *inner, *last]) + f"  shape {self.shape}, {self.dtype}, gain {self.gain:g}"

    @property
    def may_be_refused(self) -> bool:
        """Whether a sentence that says why not is as right as an answer."""
        return self.shape in ("dict", "tuple") or any(
            arg in KINDS[name].may_refuse for name, *rest in self.pieces for arg in rest
        )

    @property
    def is_coarse(self) -> bool:
        """Whether a part of it computes in single precision whatever the dtype."""
        return any((name, arg) in COARSE for name, *rest in self.pieces for arg in rest)

    def build(self) -> nn.Module:
        """The network, the same each time."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            made, width = [], self.width
            if self.tokens:
                made, width = [nn.Embedding(VOCABULARY, 3), nn.Flatten()], 3 * self.width
            for name, *rest in self.pieces:
                piece, width = KINDS[name].build(width, *rest)
                made.append(piece)
                if width > WIDEST:
                    raise ValueError("too wide")
            if self.outputs:
                made.append(nn.Linear(width, self.outputs))
            if not any(value.requires_grad for part in made for value in part.parameters()):
                raise ValueError("nothing to refine")
            module = converted(Shaped(nn.Sequential(*made), self.shape), getattr(torch, self.dtype)).eval()
            with torch.no_grad():
                for value in module.parameters():
                    value.mul_(self.gain)
            return module


class Shaped(nn.Module):
    """A network with its outputs in some shape."""

    def __init__(self, inner: nn.Module, shape: str) -> None:
        super().__init__()
        self.inner, self.shape = inner, shape

    def forward(self, x: Tensor) -> object:
        y = self.inner(x)
        if self.shape == "(n,)":
            return y[:, 0]
        if self.shape == "(n, o, 1)":
            return y.unsqueeze(-1)
        if self.shape == "dict":
            return {"u": y}
        return (y, y) if self.shape == "tuple" else y


def converted(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The same in another precision; what is complex stays so."""
    twin = torch.complex128 if dtype == torch.float64 else torch.complex64

    def convert(value: Tensor) -> Tensor:
        if value.is_complex():
            return value.to(twin)
        return value.to(dtype) if value.is_floating_point() else value

    return module._apply(convert)


def draw(seed: int) -> Network:
    """A network that can be built, with at most `LARGEST` scalars, from a seed."""
    rng = random.Random(seed)
    names, weights = list(KINDS), [kind.weight for kind in KINDS.values()]
    while True:
        pieces = []
        for name in rng.choices(names, weights, k=rng.choice((1, 2, 2, 3, 3, 4, 5))):
            pieces.append((name, *(rng.choice(options) for options in KINDS[name].choices)))
        found = Network(
            seed=seed,
            width=rng.choice((1, 2, 3, 4)),
            tokens=rng.random() < 0.08,
            pieces=tuple(pieces),
            outputs=rng.choice((0, 1, 1, 2, 3)),
            shape=rng.choice(SHAPES) if rng.random() < 0.2 else "(n, o)",
            dtype=rng.choice(("float32", "float32", "float64", "bfloat16" if rng.random() < 0.1 else "float64")),
            gain=rng.choice((1.0, 1.0, 1.0, 2.0, 0.1)),
        )
        if fits(found):
            return found


def fits(network: Network) -> bool:
    """Whether it can be built, run and trained, and is small."""
    with warnings.catch_warnings():  # torch says what it thinks of some of them
        warnings.simplefilter("ignore")
        return _fits(network)


def _fits(network: Network) -> bool:
    try:
        module = network.build()
        count = sum(value.numel() * (2 if value.is_complex() else 1) for value in module.parameters())
        if count > LARGEST:
            return False
        train_a_little(network, module)
    except (ValueError, RuntimeError, TypeError):
        return False
    return True


def train_a_little(network: Network, module: nn.Module) -> None:
    """One pass forward and back: gradients and whatever a module keeps of its last call are there, as after a training."""
    outputs = plain_outputs(module(inputs(network, 3, 0)))
    if outputs.requires_grad:
        outputs.sum().backward()


def plain_outputs(given: object) -> Tensor:
    """The outputs out of whatever a network returns."""
    if isinstance(given, dict):
        return given["u"]
    return given[0] if isinstance(given, tuple) else given  # type: ignore[return-value]


def inputs(network: Network, rows: int, seed: int) -> Tensor:
    """Random inputs of the kind it takes, in its dtype."""
    generator = torch.Generator().manual_seed(seed)
    if network.tokens:
        return torch.randint(0, VOCABULARY, (rows, network.width), generator=generator)
    return (2 * torch.rand(rows, network.width, generator=generator) - 1).to(getattr(torch, network.dtype))
