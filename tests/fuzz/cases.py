"""A network with data and settings, from a number; and simpler variants of it, to find what of it matters."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from tests.fuzz.networks import Network, draw, fits, inputs, plain_outputs

FLAWS = (
    "duplicates",
    "one sample repeated",
    "constant column",
    "zero column",
    "dependent columns",
    "zero inputs",
    "zero targets",
    "zero residual",
    "tiny residual",
    "network doubled",
)
PLAIN_SETTINGS = {"max_rank", "seed", "strategy"}
PLAIN_ROUTES = ("auto", "matrix-free")


@dataclass(frozen=True)
class Data:
    """Rows of each split, their scales and what is wrong with them."""

    rows: int = 20
    validation: int = 6
    test: int = 6
    input_scale: float = 1.0
    target_scale: float = 1.0
    flaw: str = ""
    dtype: str = "float64"


@dataclass(frozen=True)
class Case:
    """One refinement.

    Attributes:
        settings: of `refine`.
        large: whether the choice of a route is made as for a problem that is too large for its Jacobian rows.
    """

    network: Network
    data: Data = Data()
    settings: dict[str, object] = field(default_factory=dict)
    large: bool = False

    def __str__(self) -> str:
        return f"{self.network}\n  {self.data}\n  {self.settings}{' as if large' if self.large else ''}"

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it gives a reason to refuse."""
        most = int(str(self.settings.get("max_rank", 1) or 1)) <= most_ranks(self.network, self.data)
        ordinary = (
            set(self.settings) <= PLAIN_SETTINGS and self.settings.get("strategy", "auto") in PLAIN_ROUTES and most
        )
        return ordinary and not self.network.may_be_refused

    def problem(self, model: nn.Module) -> SupervisedProblem:
        """The problem for `model`, which was made by the network."""
        splits = {}
        counts = {"train": self.data.rows, "validation": self.data.validation, "test": self.data.test}
        for place, (name, rows) in enumerate(counts.items()):
            if rows:
                splits[name] = self._split(model, rows, place)
        return SupervisedProblem("fuzz", model, **splits)

    def _split(self, model: nn.Module, rows: int, place: int) -> Split:
        data, seed = self.data, 10 * self.network.seed + place
        x = inputs(self.network, rows, seed)
        if x.is_floating_point():
            x = self._spoiled(x) * data.input_scale
        elif data.flaw in ("duplicates", "one sample repeated"):
            x = self._repeated(x)
        with torch.no_grad():
            own = plain_outputs(model(x.clone())).double()
        generator = torch.Generator().manual_seed(seed)
        size = x.double().abs().max().clamp_min(1e-300)
        mix = 3 * torch.randn(x[0].numel(), own[0].numel(), generator=generator, dtype=torch.float64)
        y = data.target_scale * torch.sin((x.double() / size).flatten(1) @ mix + 1).reshape(own.shape)
        if data.flaw == "zero targets":
            y = torch.zeros_like(own)
        elif data.flaw == "zero residual":
            y = own.clone()
        elif data.flaw == "tiny residual":
            y = own + 1e-9 * own.abs().max() * torch.randn(own.shape, generator=generator, dtype=torch.float64)
        elif data.flaw == "network doubled":
            y = 2 * own
        kind = getattr(torch, data.dtype)
        return Split(x.to(kind) if x.is_floating_point() else x, y.to(kind))

    def _repeated(self, x: Tensor) -> Tensor:
        period = 1 if self.data.flaw == "one sample repeated" else max(1, len(x) // 3)
        return x[torch.arange(len(x)) % period]

    def _spoiled(self, x: Tensor) -> Tensor:
        flaw = self.data.flaw
        if flaw in ("duplicates", "one sample repeated"):
            return self._repeated(x)
        if flaw == "zero inputs":
            return torch.zeros_like(x)
        if flaw in ("constant column", "zero column"):
            x[:, 0] = 0.7 if flaw == "constant column" else 0.0
        if flaw == "dependent columns":
            x[:, -1] = 2 * x[:, 0]
        return x


def draw_case(seed: int) -> Case:
    """A case from a seed."""
    network = draw(seed)
    rng = random.Random(f"case {seed}")
    some = lambda *options: rng.choice(options)  # noqa: E731
    data = Data(
        rows=some(1, 2, 3, 6, 12, 20, 30, 45, 60),
        validation=some(0, 1, 6, 6),
        test=some(0, 1, 6, 6),
        input_scale=10.0 ** rng.uniform(-12, 8) if rng.random() < 0.25 else 1.0,
        target_scale=10.0 ** rng.uniform(-12, 8) if rng.random() < 0.3 else 1.0,
        flaw=rng.choice(FLAWS) if rng.random() < 0.4 else "",
        dtype=some("float64", "float64", "float32"),
    )
    return Case(network, data, draw_settings(rng, network, data), large=rng.random() < 0.3)


def draw_settings(rng: random.Random, network: Network, data: Data) -> dict[str, object]:
    """Some settings; most of them at their default, few that must be refused."""
    limit = most_ranks(network, data)
    most = min(rng.choice((1, 3, 10, 20, 40)), limit)
    found: dict[str, object] = {"max_rank": most, "seed": rng.randrange(1000)}
    found["strategy"] = rng.choice(("auto", "auto", "factored", "row-blocks", "matrix-free"))
    options: dict[str, tuple[object, ...]] = {
        "rank": (0, min(1, most), most, most, "knee"),
        "dtype": ("float32",),
        "max_rank": (None, 0, limit),
        "oversampling": (0, 3, 100),
        "power_iterations": (1, 2),
        "rcond": (0.0, 1e-8, 1e-3, 0.5),
        "damping": (1e-6, 1e-2, 1.0),
        "source": ("residuals",),
        "scaling": ("singular-values",),
        "sketch": ("uniform",),
        "sketch_dtype": ("float32",),
        "basis_points": (1, 5),
        "parameter_fraction": (0.5, 0.01),
        "layers": ("*weight", "*bias", "inner.0*", "nothing*"),
        "published": (1, 2, 3, 4),
    }
    for name, values in options.items():
        if rng.random() < (0.12 if name in ("rank", "dtype") else 0.04):
            found[name] = rng.choice(values)
    if not {"parameter_fraction", "layers"}.isdisjoint(found) and rng.random() < 0.8:
        found |= {"max_rank": None, "rank": "auto"}
    refused = {"gauss_newton": 2, "memory_budget": "1KB", "max_rank": limit + 1}
    if rng.random() < 0.03:
        name = rng.choice(list(refused))
        found[name] = refused[name]
    return found


def most_ranks(network: Network, data: Data) -> int:
    """As many as there are rows or scalars that may move."""
    model = network.build()
    given = plain_outputs(model(inputs(network, 2, 0)))
    scalars = sum(v.numel() * (2 if v.is_complex() else 1) for v in model.parameters() if v.requires_grad)
    return min(given[0].numel() * data.rows, scalars)


def simpler(case: Case) -> Iterator[Case]:
    """Variants with one thing less, the largest steps first."""
    network = case.network
    for place in range(len(network.pieces)):
        fewer = replace(network, pieces=(*network.pieces[:place], *network.pieces[place + 1 :]))
        if fewer.pieces or fewer.outputs or fewer.tokens:
            yield replace(case, network=fewer)
    plain = {"tokens": False, "gain": 1.0, "dtype": "float64", "shape": "(n, o)", "outputs": 1, "width": 1}
    for name, value in plain.items():
        if getattr(network, name) != value:
            yield replace(case, network=replace(network, **{name: value}))
    for name in case.settings:
        yield replace(case, settings={key: value for key, value in case.settings.items() if key != name})
    if case.large:
        yield replace(case, large=False)
    for name, value in vars(Data()).items():
        if getattr(case.data, name) != value:
            yield replace(case, data=replace(case.data, **{name: value}))
    if case.data.rows > 2:
        yield replace(case, data=replace(case.data, rows=case.data.rows // 2))


def shrunk(case: Case, fails, tries: int = 120) -> Case:  # type: ignore[no-untyped-def]
    """The simplest variant found for which `fails(case)` still holds."""
    left = tries
    while left > 0:
        for variant in simpler(case):
            left -= 1
            if left <= 0:
                return case
            if fits(variant.network) and fails(variant):
                case = variant
                break
        else:
            return case
    return case
