"""What a linear layer is given and gives, recorded on the way through a network, and which layers can be recorded at all.

The signal δ is taken at the *gradient edge* of what the layer returned: the tensor itself may be changed in place afterwards (an activation, a
hook, y *= 5) and then stands for something else. A layer whose input is changed later is not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge

TWICE = "its weight is used in two places"
SAME = 1e3  # multiples of eps that a sample may change by with the number of samples beside it
AGAIN = "samples pass it more than once"


@dataclass
class LayerCall:
    """One passage through a layer: its input, the input's version then, and where the gradient of its output is found."""

    inputs: Tensor
    version: int
    edge: GradientEdge | None

    @property
    def changed(self) -> bool:
        """Whether the input was changed in place since."""
        return _version(self.inputs) != self.version


@dataclass
class Record:
    """The passages through each layer, in order."""

    calls: dict[str, list[LayerCall]] = field(default_factory=dict)


@contextmanager
def recording(layers: Iterable[tuple[str, nn.Module]]) -> Iterator[Record]:
    """Within, passages through these layers are recorded, before any hook of the network's own has changed what they give."""
    record = Record()

    def hook_of(name: str):  # type: ignore[no-untyped-def]
        def hook(_module: nn.Module, args: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
            given = (args[0] if args else named["input"]).detach()
            edge = get_gradient_edge(output) if output.requires_grad else None
            record.calls.setdefault(name, []).append(LayerCall(given, _version(given), edge))

        return hook

    handles = [layer.register_forward_hook(hook_of(name), prepend=True, with_kwargs=True) for name, layer in layers]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class Recordable:
    """What a look at a network found.

    Attributes:
        layers: linear layers whose gradients are δ ⊗ a, by name.
        unused: linear layers that no input passes.
        why: of the other linear layers, in the user's terms.
    """

    layers: tuple[str, ...]
    unused: frozenset[str]
    why: dict[str, str]


def recordable(module: nn.Module, example: Tensor) -> Recordable:
    """Linear layers with parameters of their own, used nowhere else, that see each sample exactly once, as a vector.

    Args:
        example: a few inputs; the layers are watched with them, and with the first one again after them, as a layer of a fixed grid sees as
            many rows of both, and one that sees them in another order sees other rows.
    """
    candidates = [(name, part) for name, part in module.named_modules() if type(part) is nn.Linear]
    batches = (example, torch.cat([example, example[:1]]))
    seen, uses = [], {}
    for batch in batches:
        with torch.enable_grad(), recording(candidates) as record:
            outputs = module(batch.clone())
        seen.append(record)
        uses = _uses(outputs, module)
    found, unused, why = [], set(), {}
    for name, part in candidates:
        calls = [record.calls.get(name, []) for record in seen]
        if not any(calls):
            unused.add(name)
            continue
        reason = _reason(part, calls, [len(batch) for batch in batches], uses)
        if reason:
            why[name] = reason
        else:
            found.append(name)
    return Recordable(tuple(found), frozenset(unused), why)


def _reason(part: nn.Module, calls: list[list[LayerCall]], sizes: list[int], uses: dict[int, int]) -> str | None:
    """Why this layer cannot be recorded; None if it can."""
    weight = part._parameters.get("weight")
    if weight is None or not weight.is_floating_point() or "forward" in part.__dict__:
        return "its weight is made of other parameters, or its forward is another one"
    if any(len(passed) != 1 for passed in calls):
        return AGAIN
    if [passed[0].inputs.shape[:-1] for passed in calls] != [(size,) for size in sizes]:
        return "it does not see each sample once, as a vector"
    if any(passed[0].edge is None for passed in calls):
        return "no gradient reaches it"
    if any(passed[0].changed for passed in calls):
        return "its input is changed in place later"
    if any(uses.get(id(value), 1) > 1 for value in part.parameters(recurse=False)):
        return TWICE
    return None if _in_order(*(passed[0].inputs for passed in calls)) else "samples pass it in another order"


def _in_order(few: Tensor, more: Tensor) -> bool:
    """Whether the second rows are the first ones and then the first of them again, but for rounding."""
    difference = (more - torch.cat([few, few[:1]])).abs().max()
    return bool(difference <= SAME * torch.finfo(few.dtype).eps * few.abs().max())


def _uses(outputs: Tensor, module: nn.Module) -> dict[int, int]:
    """How often each parameter enters the computation of the outputs, by its id; a parameter that two modules hold counts as two."""
    uses: dict[int, int] = {}
    for part in module.modules():
        for value in part.parameters(recurse=False):
            uses[id(value)] = uses.get(id(value), 0) + 1
    held = {key: count for key, count in uses.items() if count > 1}
    entries: dict[int, int] = {}
    waiting: list[Node] = [outputs.grad_fn] if outputs.grad_fn is not None else []
    visited = set(waiting)
    while waiting:
        for node, _ in waiting.pop().next_functions:
            if node is None:
                continue
            if node.name() == "torch::autograd::AccumulateGrad":
                key = id(node.variable)  # type: ignore[attr-defined]
                entries[key] = entries.get(key, 0) + 1
            if node not in visited:
                visited.add(node)
                waiting.append(node)
    return {**entries, **{key: max(count, entries.get(key, 0)) for key, count in held.items()}}


def _version(tensor: Tensor) -> int:
    """Counts changes in place; inference tensors do not count them."""
    return 0 if tensor.is_inference() else tensor._version
