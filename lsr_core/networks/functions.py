"""A network as a pure function of a flat parameter vector and a batch of inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.attention import plain_attention
from lsr_core.networks.copies import copied, in_dtype
from lsr_core.networks.pushes import Derivatives, pushed
from lsr_core.networks.stateless import as_module, call_with
from lsr_core.networks.unknowns import UNKNOWN, WithUnknowns

NamedTensors = dict[str, Tensor]


class ParametricFunction:
    """q(θ, x): flat free parameters (m,) and inputs (n, …) to outputs (n, o).

    Complex parameters count as two real ones, real parts and imaginary parts side by side.

    Args:
        call: pure function of (named parameters, inputs).
        parameters: the values at θ0; their order is the order of the flat vector.
        module: the module behind `call`, if there is one; it is what layer-wise Jacobians look into.
        layers: only parameters whose name matches this shell pattern may move; the others stay at θ0.
        picked: positions of the scalars that may move among those of the matching parameters; None = all.

    Attributes:
        theta0: values of the free scalars, (m,).
        derivatives: how J v is taken; forward mode unless `by` says otherwise.
        layered: whether derivatives by the inputs may be carried through the layers.
        n_total: number of scalars, free or not.
        sizes: what the outputs of `module` are divided by, (o,); None = nothing.
    """

    def __init__(
        self,
        call: Callable[[NamedTensors, Tensor], Tensor],
        parameters: Mapping[str, Tensor],
        module: nn.Module | None = None,
        *,
        layers: str | None = None,
        picked: Tensor | None = None,
    ) -> None:
        if not parameters:
            raise InputError(
                "the model has no parameters that require a gradient, so there is nothing to refine; tensors and layers in a plain list are "
                "none (nn.ParameterList, nn.ModuleList), those of quantised layers neither",
                key="model",
            )
        for name, value in parameters.items():
            if not (value.is_floating_point() or value.is_complex()):
                raise InputError(f"has dtype {value.dtype}; only floating-point parameters are refined", key=name)
            if value.numel() and not bool(torch.isfinite(torch.stack(as_pairs(value.detach()).aminmax())).all()):
                raise InputError("holds NaN or infinite values; load a checkpoint that is finite", key=name)
        self.derivatives: Derivatives = "forward"
        self.layered = True
        self.sizes: Tensor | None = None
        self._call = call
        self._layers = layers
        self.module = module
        self._all = {name: value.detach() for name, value in parameters.items()}
        free = {name: value for name, value in self._all.items() if layers is None or fnmatchcase(name, layers)}
        if not free:
            raise InputError(
                f"no parameter name matches {layers!r}; the names are {', '.join(self._all)}"[:500], key="layers"
            )
        self.shapes = {name: as_pairs(value).shape for name, value in free.items()}
        self._complex = {name for name, value in free.items() if value.is_complex()}
        self._values = torch.cat([as_pairs(value).reshape(-1) for value in free.values()])
        self._picked = picked
        self.theta0 = self._values if picked is None else self._values[picked]
        self.n_total = sum(as_pairs(value).numel() for value in self._all.values())
        self.is_partial = picked is not None

    @classmethod
    def from_module(
        cls,
        module: nn.Module,
        *,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        layers: str | None = None,
        fraction: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> ParametricFunction:
        """A private copy of `module` in the given dtype and on the given device; the original is not touched.

        Args:
            layers: only parameters whose name matches this shell pattern may move.
            fraction: share of the matching scalars that may move, drawn by `generator`.

        Raises:
            InputError: nothing in the module may move.
        """
        own = in_dtype(copied(as_module(module)), dtype).to(device)
        parameters = {name: value for name, value in own.named_parameters() if value.requires_grad}
        named = {name: value for name, value in parameters.items() if layers is None or fnmatchcase(name, layers)}
        for name, value in own.named_parameters():
            value.requires_grad_(name in named)
        picked = None
        if fraction < 1:
            count = sum(as_pairs(value).numel() for value in named.values())
            drawn = torch.randperm(count, generator=generator)[: max(1, int(fraction * count))]
            picked = drawn.sort().values.to(device)
        function = cls(lambda at, inputs: call_with(own, at, inputs), parameters, own, layers=layers, picked=picked)
        return function._lay_flat()

    def single_precision(self) -> ParametricFunction:
        """The same function in float32."""
        return self.in_precision(torch.float32)

    def in_precision(self, dtype: torch.dtype) -> ParametricFunction:
        """The same function in another floating type; itself where that is its own."""
        assert self.module is not None
        if dtype == self.dtype:
            return self
        own = in_dtype(copied(self.module), dtype)
        parameters = {name: value for name, value in own.named_parameters() if name in self._all}
        other = ParametricFunction(
            lambda at, inputs: call_with(own, at, inputs), parameters, own, layers=self._layers, picked=self._picked
        )
        return other._lay_flat().by(self.derivatives, layered=self.layered).divided(self.sizes)

    def _lay_flat(self) -> ParametricFunction:
        """Itself, with the parameters of its own module as views of the flat vector: one copy of them in memory instead of two."""
        assert self.module is not None
        for name, part in self.unflatten(self._values).items():
            if name not in self._complex and part.dtype == self._all[name].dtype:
                self.module.get_parameter(name).data = part
                self._all[name] = part
        return self

    def divided(self, sizes: Tensor | None) -> ParametricFunction:
        """The same function with its outputs divided by their sizes (o,), in place of those that it was divided by."""
        other = copy.copy(self)
        other.sizes = None if sizes is None else sizes.to(self.theta0)
        return other

    def by(self, derivatives: Derivatives, *, layered: bool = True) -> ParametricFunction:
        """The same function, differentiated in another way."""
        other = copy.copy(self)
        other.derivatives, other.layered = derivatives, layered
        return other

    def moved(self, theta: Tensor) -> ParametricFunction:
        """The same function with another θ0, for linearising elsewhere."""
        other = ParametricFunction(
            self._call, self.named(theta.detach()), self.module, layers=self._layers, picked=self._picked
        )
        return other.by(self.derivatives, layered=self.layered).divided(self.sizes)

    @property
    def n_params(self) -> int:
        return len(self.theta0)

    @property
    def dtype(self) -> torch.dtype:
        return self.theta0.dtype

    @property
    def device(self) -> torch.device:
        return self.theta0.device

    def __call__(self, theta: Tensor, inputs: Tensor) -> Tensor:
        """Outputs (n, o) at the flat parameters `theta`, in their dtype."""
        with plain_attention():
            return self.flattened(self._call(self.unflatten(self._placed(theta)), inputs), len(inputs)).to(theta.dtype)

    def flattened(self, outputs: Tensor, count: int) -> Tensor:
        """What the module gives for so many samples, as (n, o) and divided by the sizes."""
        flat = outputs.reshape(count, -1)
        return flat if self.sizes is None else flat / self.sizes.to(flat.dtype)

    def differential(self, inputs: Tensor) -> Callable[[Tensor], Tensor]:
        """θ ↦ outputs (n, o) at these inputs."""
        return lambda theta: self(theta, inputs)

    def along(self, inputs: Tensor, directions: Tensor) -> Tensor:
        """J(x) times directions (m, k), as (n·o, k), one after the other in the way of this function."""
        steps = [[v] for v in directions.unbind(1)]
        images = pushed(lambda at, x: self(at[0], x), [self.theta0], steps, inputs, self.derivatives)[1]
        return torch.stack([image.detach().reshape(-1) for image in images], dim=1)

    def named(self, theta: Tensor) -> NamedTensors:
        """All parameters by name at the flat `theta`, those that do not move at θ0."""
        return {**self._all, **self.unflatten(self._placed(theta))}

    @property
    def columns(self) -> dict[str, slice]:
        """Where each parameter that may move stands in the flat vector over all of their scalars."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            found[name] = slice(start, start + shape.numel())
            start += shape.numel()
        return found

    @property
    def picked(self) -> Tensor | None:
        """Positions of the scalars that move among those of the parameters that may; None = all of them."""
        return self._picked

    @property
    def numbers(self) -> Tensor:
        """Positions in the flat vector (k,) of unknown numbers that may move."""
        place = self.columns.get(f"{UNKNOWN}.bias") if isinstance(self.module, WithUnknowns) else None
        whole = torch.arange(0 if place is None else place.start, 0 if place is None else place.stop)
        if self._picked is None:
            return whole
        return torch.isin(self._picked.cpu(), whole).nonzero()[:, 0]

    def unflatten(self, values: Tensor) -> NamedTensors:
        """Views by name of a flat vector over all scalars of the parameters that may move."""
        pieces = values.split([shape.numel() for shape in self.shapes.values()])
        named = {}
        for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True):
            part = piece.view(shape)
            named[name] = torch.complex(part[..., 0], part[..., 1]) if name in self._complex else part
        return named

    def real_values(self, names: Iterable[str]) -> tuple[Tensor, ...]:
        """Some of the parameters that may move, at θ0, in the shapes of `shapes`: complex ones as pairs of real numbers."""
        return tuple(as_pairs(self._all[name]) for name in names)

    def with_some(self, some: NamedTensors, inputs: Tensor) -> Tensor:
        """Outputs (n, o) with some parameters as given, in the shapes of `shapes`, and all others at θ0."""
        given = {
            name: torch.complex(part[..., 0], part[..., 1]) if name in self._complex else part
            for name, part in some.items()
        }
        with plain_attention():
            return self.flattened(self._call({**self._all, **given}, inputs), len(inputs))

    def tangent(self, delta: Tensor) -> NamedTensors:
        """A step (m,) of the free scalars by parameter name, zero where nothing moves."""
        return self.unflatten(self.over_names(delta))

    def expand(self, delta: Tensor) -> Tensor:
        """A step (m,) of the free scalars as one of all scalars, (n_total,), zero where nothing moves."""
        named = self.tangent(delta)
        whole = [
            as_pairs(named[name] if name in named else torch.zeros_like(value)) for name, value in self._all.items()
        ]
        return torch.cat([part.reshape(-1) for part in whole])

    def outputs(self, inputs: Tensor, theta: Tensor | None = None, chunk: int = 4096) -> Tensor:
        """Outputs (n, o) at θ0 or at `theta`, without a graph."""
        at = self.theta0 if theta is None else theta
        with torch.no_grad():
            return torch.cat([self(at, block) for block in inputs.split(chunk)])

    def _placed(self, theta: Tensor) -> Tensor:
        return theta if self._picked is None else self._values.index_copy(0, self._picked, theta)

    def over_names(self, delta: Tensor) -> Tensor:
        """A step (m,) of the free scalars as one of all scalars of the parameters that may move, zero where nothing moves."""
        if self._picked is None:
            return delta
        return delta.new_zeros(len(self._values)).index_copy(0, self._picked, delta)


class PureFunction(nn.Module):
    """A pure function of (named parameters, inputs) as a module, so that it can be refined like any network.

    Args:
        call: maps ({name: tensor}, inputs (n, …)) to outputs (n, …).
        parameters: the values at θ0; names without dots.
    """

    def __init__(self, call: Callable[[NamedTensors, Tensor], Tensor], parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.call = call
        for name, value in parameters.items():
            self.register_parameter(name, nn.Parameter(value.detach().clone()))
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.call(dict(self.named_parameters()), inputs)


def as_pairs(value: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones along a last axis."""
    return torch.view_as_real(value) if value.is_complex() else value
