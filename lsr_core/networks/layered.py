"""Networks of layers: what their derivatives by the inputs need to know about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from lsr_core.networks.activations import ACTIVATIONS, activation_of
from lsr_core.networks.unknowns import UNKNOWN, WithUnknowns


class LayeredNetwork(nn.Module):
    """u(x) = lift(x) + mask(x) · N(features(x)), with N a chain of linear layers and one activation between them.

    A subclass fills `linears` and sets `activation_name`, and overrides what it needs of the rest. `features`, `lift` and `mask` must
    hold no trainable parameters, treat each sample by itself, and be written in torch functions that can be differentiated
    twice.

    Attributes:
        linears: the layers, `nn.Linear` each, the last without activation.
        activation_name: a key of `ACTIVATIONS`.
    """

    linears: nn.ModuleList
    activation_name: str

    def features(self, inputs: Tensor) -> Tensor:
        """What the first layer sees, (n, d) to (n, width)."""
        return inputs

    def lift(self, inputs: Tensor) -> Tensor | None:
        """The part of the output that meets the hard constraints, (n, o) or (n, 1); None for none."""
        return None

    def mask(self, inputs: Tensor) -> Tensor | None:
        """What vanishes where the lift is to stand alone, (n, o) or (n, 1); None for one everywhere."""
        return None

    def forward(self, inputs: Tensor) -> Tensor:
        activation = ACTIVATIONS[self.activation_name].function
        hidden = self.features(inputs)
        *earlier, last = self.linears
        for linear in earlier:
            hidden = activation(linear(hidden))
        output: Tensor = last(hidden)
        mask, lift = self.mask(inputs), self.lift(inputs)
        if mask is not None:
            output = mask * output
        return output if lift is None else lift + output


@dataclass(frozen=True)
class Chain:
    """A layered network laid open: its layers by name, and what happens before and after them.

    Attributes:
        numbers: the layer of outputs that are the same at every point and stand behind the others; empty = there are none.
    """

    layers: tuple[tuple[str, nn.Linear], ...]
    activation: str
    features: Callable[[Tensor], Tensor] | None = None
    lift: Callable[[Tensor], Tensor | None] | None = None
    mask: Callable[[Tensor], Tensor | None] | None = None
    numbers: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all layers with parameters, in the order in which jets pass them."""
        return (*(name for name, _ in self.layers), *((self.numbers,) if self.numbers else ()))


def chain_of(module: nn.Module | None) -> Chain | None:
    """The chain behind a module, or None where there is none: a `LayeredNetwork`, an `nn.Sequential` of the same form, or either with unknowns."""
    if isinstance(module, WithUnknowns):
        inside = chain_of(module.network)
        if inside is None:
            return None
        layers = tuple((f"network.{name}", layer) for name, layer in inside.layers)
        return replace(inside, layers=layers, numbers=UNKNOWN)
    chain = None
    if isinstance(module, LayeredNetwork):
        named = [(f"linears.{i}", layer) for i, layer in enumerate(module.linears) if type(layer) is nn.Linear]
        if len(named) < len(module.linears):
            return None
        chain = Chain(tuple(named), module.activation_name, module.features, module.lift, module.mask)
    elif type(module) is nn.Sequential:
        parts = list(module.named_children())
        between = {activation_of(part) for _, part in parts[1::2]}
        if len(parts) % 2 == 1 and len(between) <= 1 and None not in between:
            activation = between.pop() if between else "tanh"
            assert activation is not None
            chain = Chain(tuple((name, part) for name, part in parts[::2] if type(part) is nn.Linear), activation)
            chain = chain if len(chain.layers) == len(parts[::2]) else None
    if chain is None or module is None or any(type(layer) is not nn.Linear for _, layer in chain.layers):
        return None
    owned = {id(value) for _, layer in chain.layers for value in layer.parameters()}
    values = list(module.parameters())
    shared = len(owned) != sum(len(list(layer.parameters())) for _, layer in chain.layers)
    return None if shared or {id(value) for value in values} != owned else chain
