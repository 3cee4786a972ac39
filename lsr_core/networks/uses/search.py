"""Looking for the uses of every parameter in the graphs of two batches, and proving each before it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.networks.directions import DirectionForm, FactoredDirections
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.uses.graph import Graph, trace
from lsr_core.networks.uses.operands import Operand, Unruled, operand_at, operand_of
from lsr_core.networks.uses.places import SampleAxis, fitting, layouts
from lsr_core.networks.uses.rules import RULES, Site

FEWEST, MORE = 3, 5  # samples in the batches that are looked at
WEIGHTS = (1.0, 2.0, 4.0)  # of samples: powers of two, so that products with them are exact
CLOSE = 1e5  # multiples of eps that two right gradients may differ by

_Place = tuple[int, int]  # number of an operation, and of one of its outputs


@dataclass(frozen=True)
class Planned:
    """A use of a parameter: the operation, as which of its operands, and where samples stand in what it gives.

    Attributes:
        bias: the operand that the same operation adds, if there is one.
    """

    number: int
    slot: int
    operand: Operand
    layout: SampleAxis
    bias: Operand | None = None


@dataclass(frozen=True)
class Search:
    """What a look at a network found.

    Attributes:
        operations: names of all operations, by which another batch is known to go the same way.
        uses: of the parameters that all uses of have a rule.
        form: of directions.
        why_not: of the other parameters, what stands in the way.
        signals: numbers that the operations of `uses` give for a sample.
        places: the most places of a sample at one of them.
        factors: numbers that a factored direction is multiplied with, over all operations and places of a sample.
    """

    operations: tuple[str, ...]
    uses: tuple[Planned, ...]
    form: DirectionForm
    why_not: dict[str, str]
    signals: int
    places: int
    factors: int


def search(function: ParametricFunction, example: Tensor) -> Search:
    """Uses of the parameters that may move.

    Raises:
        ValueError: the network does not do the same for another number of samples.
    """
    few, more = (trace(function, of_length(example, count)) for count in (FEWEST, MORE))
    if few.names != more.names:
        raise ValueError("another number of samples takes another way through the network")
    look = _Look(function, few, more)
    planned, why_not, splits = [], {}, {}
    for name in function.shapes:
        try:
            uses, split = look.uses_of(name)
        except Unruled as reason:
            why_not[name] = str(reason)
            continue
        planned += uses
        splits[name] = split
    merged, tied = _with_biases(planned, few)
    form = DirectionForm(splits, tied, frozenset(look.still))
    numbers = {use.number for use in merged}
    return Search(
        few.names,
        tuple(merged),
        form,
        why_not,
        sum(few.shape(number).numel() for number in numbers) // FEWEST,
        max((_places(few, use) for use in merged), default=1),
        sum(_factors(few, use, form) for use in merged),
    )


def of_length(inputs: Tensor, count: int) -> Tensor:
    """As many samples, the first ones again where there are too few."""
    return inputs[torch.arange(count, device=inputs.device) % len(inputs)]


class _Look:
    """Both graphs, and gradients of a sum of outputs, plain and with a weight for each sample."""

    def __init__(self, function: ParametricFunction, few: Graph, more: Graph) -> None:
        assert function.module is not None
        self.function, self.few, self.more = function, few, more
        self.parameters = {name: value for name, value in function.module.named_parameters() if name in function.shapes}
        names = {id(value): name for name, value in self.parameters.items()}
        self.leaves = {names[id(value)]: place for place, value in few.leaves() if id(value) in names}
        self.still = [name for name in self.parameters if name not in self.leaves]
        generator = torch.Generator().manual_seed(0)
        mixed = torch.randn(few.outputs.shape[1], generator=generator, dtype=torch.float64).to(few.outputs)
        self.weights = torch.tensor(WEIGHTS).to(few.outputs)
        with torch.enable_grad():
            single = few.outputs @ mixed
            self.plain, self.weighted = single.sum(), single @ self.weights
        self._signals = self._all_gradients()
        self._slopes = self._all_slopes()

    def _all_gradients(self) -> dict[int, tuple[Tensor, Tensor]]:
        """Of both sums at what every operation gives that takes a parameter as it is: two passes for all of them."""
        numbers = sorted({taken.by for place in self.leaves.values() for taken in self.few.takers[place]})
        numbers = [number for number in numbers if self.few.names[number] in RULES and self._grows(number)]
        edges = [self.few.edge(number) for number in numbers]
        if not edges:
            return {}
        plain, weighted = (
            torch.autograd.grad(total, edges, retain_graph=True, allow_unused=True)
            for total in (self.plain, self.weighted)
        )
        found = zip(numbers, plain, weighted, strict=True)
        return {number: (one, other) for number, one, other in found if one is not None and other is not None}

    def _all_slopes(self) -> dict[str, Tensor]:
        """Of the weighted sum by every parameter, in one pass."""
        values = [self.parameters[name] for name in self.leaves]
        found = torch.autograd.grad(self.weighted, values, retain_graph=True) if values else ()
        real = [torch.view_as_real(slope) if slope.is_complex() else slope for slope in found]
        return dict(zip(self.leaves, real, strict=True))

    def uses_of(self, name: str) -> tuple[list[Planned], int]:
        """All uses of a parameter, proved, and the split of its outer products.

        Raises:
            Unruled: one of them has no rule, or one that is not right.
        """
        if name in self.still:
            return [], 1
        sites, reason = list(self._sites(name)), Unruled("")
        for split in DirectionForm.possible(self.function.shapes[name]):
            try:
                uses = [self._planned(number, slot, replace(operand, split=split)) for number, slot, operand in sites]
                self._prove(name, uses, split)
            except Unruled as error:
                reason = error
                continue
            return uses, split
        raise reason

    def _sites(self, name: str) -> Iterator[tuple[int, int, Operand]]:
        """Operations that samples pass, with the place and the entries of the parameter there."""
        start = (self.leaves[name], 0)
        is_complex = self.parameters[name].is_complex()
        operands = {start: operand_of(name, self.function.shapes[name], is_complex=is_complex)}
        sources: dict[_Place, _Place] = {}
        waiting = [start]
        while waiting:
            place = waiting.pop()
            for taken in self.few.takers[place[0]]:
                if taken.output != place[1]:
                    continue
                if self._grows(taken.by):
                    yield taken.by, taken.slot, self._at(place, name, operands, sources)
                    continue
                for output in {other.output for other in self.few.takers[taken.by]}:
                    if (taken.by, output) not in sources:
                        sources[taken.by, output] = place
                        waiting.append((taken.by, output))

    def _at(self, place: _Place, name: str, operands: dict[_Place, Operand], sources: dict[_Place, _Place]) -> Operand:
        """Read where it is asked for: many operations may stand between a parameter and its uses.

        No function inside `_sites`, which would hold itself, and with it both graphs and all gradients until garbage is collected.
        """
        if place not in operands:
            whole = self.function.shapes[name]
            turned = self.few.names[place[0]] == "TBackward0" and self._at(sources[place], name, operands, sources)
            if turned and turned.plain and turned.shape == whole:
                operands[place] = turned.transposed()
            else:
                operands[place] = operand_at(self.few.edge(*place), self.parameters[name], name, whole)
        return operands[place]

    def _grows(self, number: int) -> bool:
        """Whether samples pass an operation: what it gives is larger for more of them."""
        return self.few.shape(number) != self.more.shape(number)

    def _planned(self, number: int, slot: int, operand: Operand) -> Planned:
        name = self.few.names[number]
        if slot not in RULES.get(name, {}):
            raise Unruled(f"there is no rule for {_word(name)}")
        plain, weighted = self._gradients(number)
        possible = layouts(self.few.shape(number), self.more.shape(number), (FEWEST, MORE))
        layout = fitting(possible, plain, weighted, self.weights)
        if layout is None:
            raise Unruled(f"samples are mixed or out of order in {_word(name)}")
        return Planned(number, slot, operand, layout)

    def _gradients(self, number: int) -> tuple[Tensor, Tensor]:
        if number not in self._signals:
            edge = [self.few.edge(number)]
            self._signals[number] = tuple(  # type: ignore[assignment]
                torch.autograd.grad(total, edge, retain_graph=True)[0] for total in (self.plain, self.weighted)
            )
        return self._signals[number]

    def _prove(self, name: str, uses: list[Planned], split: int) -> None:
        """Compare products along two directions with the gradient of the weighted sum."""
        shapes = {name: self.function.shapes[name]}
        generator, like = torch.Generator().manual_seed(1), self.few.outputs.detach()
        directions = FactoredDirections.random(shapes, 2, generator, like, form=DirectionForm({name: split}))
        images = like.new_zeros(FEWEST, 1, directions.count)
        try:
            for use in uses:
                site = Site(self.few.nodes[use.number], use.operand, use.layout, (self._gradients(use.number)[0],))
                RULES[self.few.names[use.number]][use.slot](site).add_images(directions, images)
        except (
            RuntimeError,
            AttributeError,
            IndexError,
            TypeError,
            ValueError,
        ) as error:  # shapes that the rule does not expect
            raise Unruled(f"it is used in an unusual way in {_word(self.few.names[uses[0].number])}") from error
        wanted = directions.against(self._slopes[name].flatten())
        found = self.weights.to(images) @ images[:, 0]
        scale = (self.weights.to(images) @ images[:, 0].abs()).maximum(wanted.abs())
        if not bool(((found - wanted).abs() <= CLOSE * torch.finfo(images.dtype).eps * scale).all()):
            raise Unruled("its products differ from those of plain reverse mode")


def _with_biases(planned: list[Planned], graph: Graph) -> tuple[list[Planned], dict[str, str]]:
    """Biases joined with the weights of the same product, and those of them that are always added to the same weight's product."""
    added = {use.number: use for use in planned if graph.names[use.number] == "AddmmBackward0" and use.slot == 0}
    joined: set[int] = set()
    weights: dict[str, set[str]] = {}
    merged = []
    for use in planned:
        bias = added.get(use.number)
        if bias is not None and use.slot == 2 and use.operand.flipped and bias.operand.plain:
            merged.append(replace(use, bias=bias.operand))
            joined.add(use.number)
            weights.setdefault(bias.operand.name, set()).add(use.operand.name)
        else:
            merged.append(use)
    merged = [use for use in merged if not (use is added.get(use.number) and use.number in joined)]
    alone = {use.operand.name for use in merged}
    tied = {bias: next(iter(names)) for bias, names in weights.items() if len(names) == 1 and bias not in alone}
    return merged, {bias: weight for bias, weight in tied.items() if list(tied.values()).count(weight) == 1}


def _places(graph: Graph, use: Planned) -> int:
    shape = graph.shape(use.number)
    channels = shape[1] if graph.names[use.number] == "ConvolutionBackward0" else shape[-1]
    return max(1, shape.numel() // (FEWEST * channels))


def _factors(graph: Graph, use: Planned, form: DirectionForm) -> int:
    """Of a product with a matrix or kernel those of both sides at every place; of anything else those that the operation gives."""
    given = graph.shape(use.number).numel() // FEWEST
    rows, columns = form.sides(use.operand.name, use.operand.whole)
    multiplied = graph.names[use.number].startswith(("Addmm", "Mm", "Bmm", "Convolution")) and columns > 1
    return _places(graph, use) * (rows + columns) if multiplied else given


def _word(operation: str) -> str:
    """The name of an operation as a person reads it."""
    return operation.removesuffix("0").removesuffix("Backward").removeprefix("torch::autograd::")
