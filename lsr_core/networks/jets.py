"""Derivatives of a network by its inputs, as pure functions of its parameters.

A jet is what a differential equation reads at a point: the value and derivatives of any order, mixed ones too, as one tensor (n, c, o).
For networks of layers the jet is carried through the layers by the chain rule (Taylor mode: Griewank & Walther 2008, ch. 13); any other
network is differentiated in forward mode, point by point in effect because each sample stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.networks.chainrule import composed, multiplied
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.layered import Chain, chain_of
from lsr_core.networks.pointjets import JetSpec, jets_of, reverse_jets_of, tracked_jets_of

Part = Callable[[Tensor], Tensor | None] | None


class JetFunction:
    """Jets of a network at points: (θ, points (n, d)) to (n, c, o).

    Args:
        function: the network as a function of flat parameters.
        spec: which derivatives.

    Attributes:
        chain: the layers, where the network has them in a form that jets can be carried through.

    Raises:
        InputError: a second or higher derivative of a network that has none.
    """

    def __init__(self, function: ParametricFunction, spec: JetSpec) -> None:
        self.function, self.spec = function, spec
        self.chain = chain_of(function.module) if function.layered else None
        check_smooth(function, spec)

    def __call__(self, theta: Tensor, points: Tensor) -> Tensor:
        if self.chain is None:
            make = jets_of if self.function.derivatives == "forward" else tracked_jets_of
            return make(lambda x: self.function(theta, x), points, self.spec)
        context = self.context(points, transformed=True)
        return self.along_chain(self.chain, self.function.named(theta), context)[0]

    def context(self, points: Tensor, *, transformed: bool = False) -> Context:
        """What of a jet does not depend on the parameters: features, lift and mask with their derivatives.

        Args:
            transformed: whether a function transform (jvp, vmap) is at work around this call, inside of which there is no plain reverse mode.
        """
        chain = self.chain
        assert chain is not None
        plain = chain.features is None
        features = _coordinates(points, self.spec) if plain else self._jets_of(chain.features, points, transformed)
        assert features is not None
        return Context(features, *(self._jets_of(part, points, transformed) for part in (chain.lift, chain.mask)))

    def fixed(self, points: Tensor, *, lifted: bool = True) -> Callable[[Tensor], Tensor]:
        """θ ↦ jets at these points, with what does not depend on θ computed now.

        Args:
            lifted: with the lift, which has no part in derivatives by θ.
        """
        chain = self.chain
        if chain is None:
            return lambda theta: self(theta, points)
        context = self.context(points)
        if not lifted:
            context = replace(context, lift=None)
        return lambda theta: self.along_chain(chain, self.function.named(theta), context)[0]

    def along_chain(
        self, chain: Chain, named: Mapping[str, Tensor], context: Context, *, track: bool = False
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Jets, with the inputs a and pre-activations z of every layer, (n, c, width) each.

        Args:
            track: let autograd see the pre-activations, for the reverse pass.
        """
        inputs, signals = [], []
        hidden = context.features
        for index, (name, layer) in enumerate(chain.layers):
            inputs.append(hidden)
            weight = named[f"{name}.weight"]
            before = hidden @ weight.T
            if layer.bias is not None:
                bias = named[f"{name}.bias"]
                before = torch.cat([before[:, :1] + bias, before[:, 1:]], dim=1)
            if track and not before.requires_grad:
                before = before.detach().requires_grad_()
            signals.append(before)
            hidden = before if index + 1 == len(chain.layers) else self._activated(chain.activation, before)
        field = self._transformed(hidden, context)
        if chain.numbers:
            inputs.append(field.new_zeros(*field.shape[:2], 0))
            signals.append(self._numbers(named[f"{chain.numbers}.bias"], len(field), track=track))
            field = torch.cat([field, signals[-1]], dim=2)
        return field, inputs, signals

    def _numbers(self, values: Tensor, count: int, *, track: bool) -> Tensor:
        """The jet of numbers that are the same at every point."""
        jets = values.expand(count, 1, -1)
        if self.spec.size > 1:
            jets = torch.cat([jets, jets.new_zeros(count, self.spec.size - 1, jets.shape[2])], dim=1)
        return jets.detach().clone().requires_grad_() if track and not jets.requires_grad else jets

    def _jets_of(self, part: Part, points: Tensor, transformed: bool) -> Tensor | None:
        if part is None or part(points[:1]) is None:
            return None
        make = jets_of if transformed else reverse_jets_of
        return make(lambda x: _present(part(x)), points, self.spec)

    def _activated(self, name: str, before: Tensor) -> Tensor:
        """The jet behind an activation, by the chain rule."""
        inner = dict(zip(self.spec.components, before.unbind(1), strict=True))
        outer = ACTIVATIONS[name].derivatives(inner[()], self.spec.order)
        return torch.stack([composed(outer, inner, by) for by in self.spec.components], dim=1)

    def _transformed(self, raw: Tensor, context: Context) -> Tensor:
        """The jet of lift + mask · raw, by the product rule."""
        lift, mask = context.lift, context.mask
        if mask is not None:
            factor, value = (dict(zip(self.spec.components, jet.unbind(1), strict=True)) for jet in (mask, raw))
            raw = torch.stack([multiplied(factor, value, by) for by in self.spec.components], dim=1)
        return raw if lift is None else lift + raw


@dataclass(frozen=True)
class Context:
    """Jets of features (n, c, width), and of lift and mask (n, c, o or 1) where there are any."""

    features: Tensor
    lift: Tensor | None
    mask: Tensor | None


def check_smooth(function: ParametricFunction, spec: JetSpec) -> None:
    """Refuse second and higher derivatives of piecewise linear networks: they vanish almost everywhere, whatever the network does.

    Raises:
        InputError: naming the activation.
    """
    if spec.order < 2 or function.module is None:
        return
    chain = chain_of(function.module)
    kinks = [type(part).__name__ for part in function.module.modules() if type(part).__name__ in PIECEWISE_LINEAR]
    if chain is not None and not ACTIVATIONS[chain.activation].smooth:
        kinks.append(chain.activation)
    if kinks:
        raise InputError(
            f"the equation has derivatives of second or higher order, and those of a network with {kinks[0]} are zero almost everywhere; "
            "use a smooth activation such as tanh or sin",
            key="model",
        )


def _coordinates(points: Tensor, spec: JetSpec) -> Tensor:
    jets = points.new_zeros(len(points), spec.size, points.shape[1])
    jets[:, 0] = points
    for position, by in enumerate(spec.components):
        if len(by) == 1:
            jets[:, position, by[0]] = 1
    return jets


def _present(value: Tensor | None) -> Tensor:
    assert value is not None
    return value


PIECEWISE_LINEAR = frozenset({"ReLU", "ReLU6", "LeakyReLU", "PReLU", "Hardtanh", "Hardshrink", "Softshrink", "RReLU"})
