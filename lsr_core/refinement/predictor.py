"""The refined predictor: what LSR delivers, and what the network at θ0 + Δθ is not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Literal, overload

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.attention import plain_attention
from lsr_core.networks.copies import copied
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.pushes import WAYS, Call, Derivatives, pushed
from lsr_core.networks.stateless import as_module, call_with
from lsr_core.networks.taking import ArrayLike, as_tensor, in_precision
from lsr_core.refinement.spread import Spread


class RefinedPredictor(nn.Module):
    """x ↦ q(θ0, x) + J(x) Δθ, by one forward-mode product where forward mode exists (Cao & Zhang 2026, one-shot LSR).

    The weights of the network are not changed: the network at θ0 + Δθ is another object, usually a much worse one.

    Args:
        model: the network at θ0; it is copied.
        delta: Δθ by parameter name, shaped like the parameters; parameters left out do not move.
        derivatives: how J(x) Δθ is taken, as a refinement has proved it; None = the first way that this network allows.
        spread: of a smoothed refinement, by the scalars of `delta` in its order.

    Raises:
        InputError: a name or shape of `delta` that the model does not have.
    """

    def __init__(
        self,
        model: nn.Module,
        delta: Mapping[str, Tensor],
        *,
        derivatives: Derivatives | None = None,
        spread: Spread | None = None,
    ) -> None:
        super().__init__()
        self._derivatives = derivatives
        self.model = copied(as_module(model))
        parameters = dict(self.model.named_parameters())
        for name, value in parameters.items():  # as in the refinement: a network that computes parts again counts on it
            value.requires_grad_(name in delta)
        for name, step in delta.items():
            if name not in parameters:
                raise InputError("the model has no parameter of this name", key=name)
            if step.shape != parameters[name].shape:
                raise InputError(
                    f"has shape {tuple(step.shape)}, the parameter has {tuple(parameters[name].shape)}", key=name
                )
        self._names = list(delta)
        for position, step in enumerate(delta.values()):
            self.register_buffer(f"delta_{position}", step.detach().clone())
        self._has_spread = spread is not None
        for name, part in (spread.parts() if spread is not None else {}).items():
            self.register_buffer(f"spread_{name}", part.detach().clone())

    @property
    def delta(self) -> dict[str, Tensor]:
        """Δθ by parameter name."""
        return {name: self.get_buffer(f"delta_{position}") for position, name in enumerate(self._names)}

    @property
    def dtype(self) -> torch.dtype:
        """What it computes and answers in, whatever floating type the inputs have: that of Δθ."""
        tensor = next(itertools.chain(self.delta.values(), self.model.parameters()))
        return tensor.dtype.to_real() if tensor.is_complex() else tensor.dtype

    def with_spread(self, spread: Spread) -> RefinedPredictor:
        """The same with standard deviations."""
        return RefinedPredictor(self.model, self.delta, derivatives=self._derivatives, spread=spread)

    def forward(self, inputs: ArrayLike) -> Tensor:
        """Refined outputs at the inputs, shaped as the network's own and in the predictor's `dtype`.

        Args:
            inputs: (n, …), a tensor of any floating type, a NumPy array or nested lists; integers stay integers.
        """
        network, correction = self.parts(inputs)
        return network + correction

    def parts(self, inputs: ArrayLike) -> tuple[Tensor, Tensor]:
        """The two terms q(θ0, x) and J(x) Δθ."""
        inputs = self._taken(inputs)
        names, steps = list(self.delta), list(self.delta.values())
        at = [self.model.get_parameter(name).detach() for name in names]

        def call(values: Sequence[Tensor], x: Tensor) -> Tensor:
            return call_with(self.model, dict(zip(names, values, strict=True)), x)

        with plain_attention():
            if not names:
                outputs = call([], inputs)
                return outputs.to(self.dtype), torch.zeros_like(outputs, dtype=self.dtype)
            if self._derivatives is None:
                self._derivatives = _first_way(call, at, steps, inputs[:1])
            outputs, [moved] = pushed(call, at, [steps], inputs, self._derivatives)
        return outputs.to(self.dtype), moved.to(self.dtype)

    @property
    def spread(self) -> Spread | None:
        """How far it may be off; None where the refinement was not smoothed."""
        if not self._has_spread:
            return None
        return Spread(**{part.name: self.get_buffer(f"spread_{part.name}") for part in fields(Spread)})

    @overload
    def predict(self, inputs: ArrayLike, chunk: int = 4096) -> Tensor: ...

    @overload
    def predict(self, inputs: ArrayLike, chunk: int = 4096, *, std: Literal[True]) -> tuple[Tensor, Tensor]: ...

    @torch.no_grad()
    def predict(self, inputs: ArrayLike, chunk: int = 4096, *, std: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """`forward` by chunks of samples and without a graph, for large inputs.

        Args:
            std: give also the standard deviation of a further observation there, shaped alike: `deviations` with the noise.

        Raises:
            InputError: the predictor holds no deviations.
        """
        parts = as_tensor(inputs, "inputs").split(chunk)
        outputs = torch.cat([self(part) for part in parts])
        if not std:
            return outputs
        model, noise = self.deviations(inputs)
        return outputs, model.hypot(noise)

    def deviations(self, inputs: ArrayLike, *, outside: bool = True) -> tuple[Tensor, Tensor]:
        """Standard deviation of the refined outputs, and σ of the noise that a further observation adds; both shaped as the outputs.

        Args:
            inputs: (n, …), as for `forward`.
            outside: count directions of the parameters that the subspace lacks.

        Raises:
            InputError: the predictor holds none, because its refinement was not smoothed or is too large.
        """
        if self.spread is None:
            raise InputError(
                "this predictor holds no standard deviations: its refinement was not smoothed (regularise=auto), or kept the network (rank 0); "
                "a network trained on the same noisy samples may have them with prior=weights",
                key="std",
            )
        taken = self._taken(inputs)
        function = ParametricFunction.from_module(self.model, dtype=self.dtype)
        model = self.spread.at(function, taken, outside=outside)
        with torch.no_grad():
            shape = (len(taken), *self(taken[:1]).shape[1:])
        return model.reshape(shape), self.spread.noise.expand(model.shape).reshape(shape)

    def _taken(self, inputs: ArrayLike) -> Tensor:
        if not isinstance(inputs, Tensor):
            inputs = as_tensor(inputs, "inputs").to(next(self.model.parameters()).device)
        return in_precision(inputs, self.dtype)


def _first_way(call: Call, at: Sequence[Tensor], steps: Sequence[Tensor], inputs: Tensor) -> Derivatives:
    """The first way of taking J Δθ that does not fail; the last one by rows, which always can and which two passes are held against."""
    for way in WAYS[:-1]:
        try:
            moved = pushed(call, at, [steps], inputs, way)[1][0]
        except (RuntimeError, NotImplementedError):
            continue
        if way == "forward" or torch.allclose(moved, pushed(call, at, [steps], inputs, "batch-rows")[1][0], rtol=1e-3):
            return way
    return "batch-rows"
