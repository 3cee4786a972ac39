"""The refined predictor: what LSR delivers, and what the network at θ0 + Δθ is not."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.attention import plain_attention
from lsr_core.networks.copies import copied
from lsr_core.networks.pushes import WAYS, Call, Derivatives, pushed
from lsr_core.networks.stateless import as_module, call_with
from lsr_core.networks.taking import ArrayLike, as_tensor, in_precision


class RefinedPredictor(nn.Module):
    """x ↦ q(θ0, x) + J(x) Δθ, by one forward-mode product where forward mode exists (Cao & Zhang 2026, one-shot LSR).

    The weights of the network are not changed: the network at θ0 + Δθ is another object, usually a much worse one.

    Args:
        model: the network at θ0; it is copied.
        delta: Δθ by parameter name, shaped like the parameters; parameters left out do not move.
        derivatives: how J(x) Δθ is taken, as a refinement has proved it; None = the first way that this network allows.

    Raises:
        InputError: a name or shape of `delta` that the model does not have.
    """

    def __init__(
        self, model: nn.Module, delta: Mapping[str, Tensor], *, derivatives: Derivatives | None = None
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

    @property
    def delta(self) -> dict[str, Tensor]:
        """Δθ by parameter name."""
        return {name: self.get_buffer(f"delta_{position}") for position, name in enumerate(self._names)}

    @property
    def dtype(self) -> torch.dtype:
        """What it computes and answers in, whatever floating type the inputs have: that of Δθ."""
        tensor = next(itertools.chain(self.delta.values(), self.model.parameters()))
        return tensor.dtype.to_real() if tensor.is_complex() else tensor.dtype

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

    @torch.no_grad()
    def predict(self, inputs: ArrayLike, chunk: int = 4096) -> Tensor:
        """`forward` by chunks of samples and without a graph, for large inputs."""
        return torch.cat([self(part) for part in as_tensor(inputs, "inputs").split(chunk)])

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
