"""Where collocation points lie: boxes, faces and pairs of faces, filled at random, by Latin hypercube or by Sobol's sequence.

A region is called with a count and a generator, from which all randomness comes; its integer seeds SciPy's samplers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.physics.blocks import Region

Method = Literal["uniform", "latin-hypercube", "sobol"]
METHODS: tuple[Method, ...] = ("uniform", "latin-hypercube", "sobol")
Domain = Mapping[str, tuple[float, float]]
POOL = 10  # candidates for each point that is drawn by the size of its residual


def unit_points(count: int, dimension: int, method: Method, generator: torch.Generator) -> Tensor:
    """Points (count, dimension) of the unit cube, float64.

    Sobol points are the first `count` of a scrambled sequence, so a longer draw from the same seed begins with them.

    Raises:
        InputError: an unknown method.
    """
    if method == "uniform":
        return torch.rand(count, dimension, generator=generator, dtype=torch.float64)
    from scipy.stats import qmc  # takes more than a second to load; problems without such points need not wait

    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    if method == "latin-hypercube":
        drawn = qmc.LatinHypercube(dimension, rng=seed).random(count)
    elif method == "sobol":
        drawn = qmc.Sobol(dimension, rng=seed).random_base2(max(0, math.ceil(math.log2(max(1, count)))))[:count]
    else:
        raise InputError(f"unknown sampler {method!r}; choose {', '.join(METHODS)}", key="sampler")
    return torch.from_numpy(drawn).double()


@dataclass(frozen=True)
class Box:
    """The inside of the domain; variables in `fixed` are held at a value, which makes it a face or an edge.

    Attributes:
        domain: bounds by variable.
        method: how it is filled.
        fixed: values by variable.
    """

    domain: Domain
    method: Method = "sobol"
    fixed: Mapping[str, float] | None = None

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        """Points (count, d)."""
        fixed = self.fixed or {}
        free = [name for name in self.domain if name not in fixed]
        unit = unit_points(count, max(1, len(free)), self.method, generator)
        columns = []
        for name, (low, high) in self.domain.items():
            if name in fixed:
                columns.append(torch.full((count,), fixed[name], dtype=torch.float64))
            else:
                columns.append(low + (high - low) * unit[:, free.index(name)])
        return torch.stack(columns, dim=1)


@dataclass(frozen=True)
class Faces:
    """Several regions, with equal shares of the points; the first ones take what does not divide."""

    parts: tuple[Region, ...]

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        shares = [count // len(self.parts) + (index < count % len(self.parts)) for index in range(len(self.parts))]
        return torch.cat([part(share, generator) for part, share in zip(self.parts, shares, strict=True) if share])


def boundary(domain: Domain, variables: tuple[str, ...], method: Method = "sobol") -> Faces:
    """Both faces of the domain across each of the variables."""
    faces = [Box(domain, method, {name: end}) for name in variables for end in domain[name]]
    return Faces(tuple(faces))


@dataclass(frozen=True)
class Pairs:
    """Pairs of points that face each other across one variable: (count, 2, d), the low end first."""

    domain: Domain
    across: str
    method: Method = "sobol"

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        low, high = self.domain[self.across]
        first = Box(self.domain, self.method, {self.across: low})(count, generator)
        second = first.clone()
        second[:, list(self.domain).index(self.across)] = high
        return torch.stack([first, second], dim=1)


def residual_adaptive(
    region: Region,
    size: Callable[[Tensor], Tensor],
    count: int,
    generator: torch.Generator,
    *,
    share: float = 0.5,
    power: float = 1.0,
) -> Tensor:
    """Points (count, d), some uniform and the others where the residual is large (RAD: Wu et al. 2023).

    Args:
        region: gives the uniform ones and the candidates.
        size: |residual| (n,) at points (n, d).
        share: of the points that follow the residual.
        power: of |residual| that their density is proportional to.

    Raises:
        InputError: a residual that is not finite at some candidates.
    """
    driven = round(share * count)
    plain = region(count - driven, generator) if driven < count else None
    if driven == 0:
        assert plain is not None
        return plain
    candidates = region(POOL * driven, generator)
    density = size(candidates).detach().double().abs() ** power
    bad = int((~torch.isfinite(density)).sum())
    if bad:
        raise InputError(
            f"the residual is NaN or infinite at {bad} of {len(candidates)} candidate points, so none can be drawn by its size",
            key="points",
        )
    density = density / density.max().clamp_min(torch.finfo(torch.float64).tiny) + 1e-12
    drawn = candidates[torch.multinomial(density.cpu(), driven, generator=generator)]
    return drawn if plain is None else torch.cat([plain, drawn])
