"""The uses of a network's parameters at any inputs: one forward pass, and one backward pass an output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.uses.factors import Factors
from lsr_core.networks.uses.graph import Graph, trace
from lsr_core.networks.uses.products import LinearUse, Use
from lsr_core.networks.uses.rules import RULES, Site
from lsr_core.networks.uses.search import FEWEST, Planned, of_length, search

SIGNAL_BYTES = 64 * 2**20  # of gradients that are held at a time; those of one output at least


class UsedNetwork:
    """Knows the uses of a network's parameters, and records them.

    Args:
        example: a few inputs, to see what the network does with them.

    Attributes:
        names: of the parameters that all uses of have a rule.
        rest: of the others that outputs depend on.
        form: of directions.
        why_not: by name of the others, what is done with them.
        signals: numbers that operations with a parameter give for a sample.
        places: the most places of a sample at one of them.
        factors: numbers that a factored direction is multiplied with for a sample.

    Raises:
        ValueError, RuntimeError: a network that cannot be watched, such as one for a fixed number of samples.
    """

    def __init__(self, function: ParametricFunction, example: Tensor) -> None:
        self.function = function
        self._found = search(function, example)
        self.form, self.why_not = self._found.form, self._found.why_not
        self.rest = [name for name in function.shapes if name in self.why_not]
        self.signals, self.places, self.factors = self._found.signals, self._found.places, self._found.factors

    @property
    def names(self) -> list[str]:
        return [name for name in self.function.shapes if name not in self.why_not and name not in self.form.still]

    @property
    def share(self) -> float:
        """Share of the parameters that all uses of have a rule."""
        if not self.names:
            return 0.0
        rest = sum(self.function.shapes[name].numel() for name in self.rest)
        return 1 - rest / sum(shape.numel() for shape in self.function.shapes.values())

    def capture(self, inputs: Tensor) -> Iterator[tuple[slice, Factors]]:
        """The Jacobian by all parameters but `rest` at the inputs, for some of the outputs at a time: which, and their factors.

        Fewer than three samples come with others behind them.

        Raises:
            InputError: these samples do not go the way that the first ones went.
        """
        if len(inputs) < FEWEST:
            inputs = of_length(inputs, FEWEST)
        graph = trace(self.function, inputs)
        if graph.names != self._found.operations:
            raise InputError(
                "some samples go another way through the network than others; use matrix-free or auto", key="strategy"
            )
        numbers = sorted({use.number for use in self._found.uses})
        n_outputs = graph.outputs.shape[1]
        held = self.signals * len(inputs) * self.function.dtype.itemsize
        group = max(1, min(n_outputs, SIGNAL_BYTES // max(1, held)))
        with torch.enable_grad():
            totals = graph.outputs.sum(0).unbind()
        for start in range(0, n_outputs, group):
            part = range(start, min(start + group, n_outputs))
            slopes = [_gradients(totals[j], graph, numbers) for j in part]
            signals = dict(zip(numbers, zip(*slopes, strict=True), strict=True))
            uses = [self._use(graph, planned, signals[planned.number]) for planned in self._found.uses]
            yield slice(part.start, part.stop), Factors(uses, len(inputs), len(part))

    def _use(self, graph: Graph, planned: Planned, signals: tuple[Tensor, ...]) -> Use:
        site = Site(graph.nodes[planned.number], planned.operand, planned.layout, signals)
        use = RULES[graph.names[planned.number]][planned.slot](site)
        if planned.bias is not None:
            assert isinstance(use, LinearUse)
            use = replace(use, bias=planned.bias)
        return use


def _gradients(total: Tensor, graph: Graph, numbers: list[int]) -> list[Tensor]:
    """Of one output's sum by what operations give; zeros where it does not depend on that."""
    edges = [graph.edge(number) for number in numbers]
    found = torch.autograd.grad(total, edges, retain_graph=True, allow_unused=True) if edges else ()
    return [graph.zeros(number) if slope is None else slope for number, slope in zip(numbers, found, strict=True)]
