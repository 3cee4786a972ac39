"""One forward pass as autograd recorded it: operations in a fixed order, and who takes what from whom.

What an operation saves for its own backward pass is what the gradient of a parameter in it is made of, and the gradient of what it gave is found
at its *edge*. Both stay right whatever is done to the tensors later (an activation in place, a hook, y *= 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from lsr_core.networks.functions import ParametricFunction

LEAF = "torch::autograd::AccumulateGrad"


class Taken(NamedTuple):
    """That operation `by` takes output `output` of another one as its operand `slot`."""

    by: int
    slot: int
    output: int


@dataclass(frozen=True)
class Graph:
    """Outputs (n, o) of a network and the operations behind them, numbered in an order that is the same for equal graphs."""

    outputs: Tensor
    nodes: list[Node]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(node.name() for node in self.nodes)

    @cached_property
    def takers(self) -> list[list[Taken]]:
        """By number of an operation: who takes what it gives."""
        number = {node: place for place, node in enumerate(self.nodes)}
        found: list[list[Taken]] = [[] for _ in self.nodes]
        for place, node in enumerate(self.nodes):
            for slot, (source, output) in enumerate(node.next_functions):
                if source is not None:
                    found[number[source]].append(Taken(place, slot, output))
        return found

    def leaves(self) -> Iterator[tuple[int, Tensor]]:
        """Numbers of the parameters that the outputs depend on, and the parameters."""
        for place, node in enumerate(self.nodes):
            if node.name() == LEAF:
                yield place, node.variable  # type: ignore[attr-defined]

    def shape(self, number: int, output: int = 0) -> torch.Size:
        """Of what an operation gave."""
        return torch.Size(self.nodes[number]._input_metadata[output].shape)

    def zeros(self, number: int) -> Tensor:
        """Of the shape and kind of what an operation gave."""
        metadata = self.nodes[number]._input_metadata[0]
        return self.outputs.new_zeros(tuple(metadata.shape), dtype=metadata.dtype)

    def edge(self, number: int, output: int = 0) -> GradientEdge:
        return GradientEdge(self.nodes[number], output)


def trace(function: ParametricFunction, inputs: Tensor) -> Graph:
    """The network called at its parameters, with gradients."""
    assert function.module is not None
    with torch.enable_grad():
        outputs = function.flattened(function.module(inputs.clone()), len(inputs)).to(function.dtype)
    return Graph(outputs, _ordered(outputs.grad_fn))


def _ordered(root: Node | None) -> list[Node]:
    """All operations below one, each once."""
    found: dict[Node, None] = {}
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found[node] = None
        waiting.extend(source for source, _ in reversed(node.next_functions) if source is not None)
    return list(found)
