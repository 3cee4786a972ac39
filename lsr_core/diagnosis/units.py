"""Hidden units that do nothing, counted on the data: dead, saturated, copies of one another, unread, and parameters without effect.

A unit is one pre-activation of a layer that is called once. Whether the outputs depend on it anywhere is asked of plain reverse mode, so no
activation needs to be known by name; what follows the layer element by element, as an activation does, tells saturated units and copies too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.problems.problem import Problem

SAMPLES = 1024
BLOCK = 16  # samples at a time: activations of convolutions are large
KEPT = 64  # rows of a block by which units are compared with one another
FLAT = 0.05  # of the steepest slope in the layer: below it a unit is saturated at a sample
MOSTLY = 0.9  # of the samples, from which it counts as saturated
VISIBLE = 1e-3  # of the largest activation in the layer: a smaller one is off, not saturated
SAME = 1e-8  # relative, up to which two activations are one
WIDEST = 4096  # units of a layer that are compared with one another
SEED = 20260129


@dataclass(frozen=True)
class LayerUnits:
    """Units of one layer, on all samples looked at.

    Attributes:
        name: of the layer.
        width: units.
        dead: those whose pre-activation no output depends on at any sample.
        saturated: those that hardly answer to their pre-activation at nine of ten samples.
        copies: those that are a multiple of another one; of k equal units k − 1.
    """

    name: str
    width: int
    dead: int
    saturated: int
    copies: int

    @property
    def idle(self) -> int:
        return self.dead + self.saturated + self.copies


@dataclass(frozen=True)
class Units:
    """What does nothing in a network.

    Attributes:
        samples: on which it was counted.
        layers: those whose units could be counted.
        unused: parameters (scalars) on which no output depends at any sample.
        n_params: all of them.
    """

    samples: int
    layers: tuple[LayerUnits, ...]
    unused: int
    n_params: int

    @property
    def idlest(self) -> LayerUnits | None:
        """The layer with the largest share of units that do nothing."""
        return max(self.layers, key=lambda one: one.idle / one.width, default=None)


def units(problem: Problem) -> Units | None:
    """Count them on at most 1,024 training samples; None for a network that plain reverse mode does not see through."""
    inputs = _inputs(problem)
    model = copy.deepcopy(problem.model)
    model.requires_grad_(True)
    like = next((value for value in model.parameters() if value.is_floating_point()), None)
    if like is not None and inputs.is_floating_point():
        inputs = inputs.to(like)
    try:
        return _counted(model, inputs)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError):
        return None  # a foreign forward may do anything; that nothing was counted is said by the verdict


def _inputs(problem: Problem) -> Tensor:
    inputs = problem.fitted_inputs()
    chosen = torch.linspace(0, len(inputs) - 1, min(SAMPLES, len(inputs))).round().long()
    return inputs[chosen.to(inputs.device)]


def _counted(model: nn.Module, inputs: Tensor) -> Units:
    watch = _Watch(model)
    parameters = [value for value in model.parameters() if value.is_floating_point() or value.is_complex()]
    touched = [torch.zeros_like(value, dtype=torch.bool) for value in parameters]
    layers: dict[str, _Layer] = {}
    generator = torch.Generator().manual_seed(SEED)
    with torch.enable_grad():
        for block in inputs.split(BLOCK):
            calls = watch.calls(block)
            outputs = calls.outputs
            mix = torch.randn(outputs.shape, generator=generator, dtype=torch.float64).to(outputs)
            wanted = [*(call.before for call in calls.layers), *(after for _, after in calls.paired), *parameters]
            slopes = torch.autograd.grad((mix * outputs).sum(), wanted, allow_unused=True)
            count, paired = len(calls.layers), len(calls.paired)
            for seen, slope in zip(touched, slopes[count + paired :], strict=True):
                if slope is not None:
                    seen |= slope != 0
            by_after = dict(zip((name for name, _ in calls.paired), slopes[count : count + paired], strict=True))
            for call, slope in zip(calls.layers, slopes[:count], strict=True):
                layers.setdefault(call.name, _Layer(call.name)).add(call, slope, by_after.get(call.name))
    watch.close()
    return Units(
        samples=len(inputs),
        layers=tuple(found for layer in layers.values() if (found := layer.counted()) is not None),
        unused=sum(int((~seen).sum()) for seen in touched),
        n_params=sum(seen.numel() for seen in touched),
    )


@dataclass
class _Call:
    """One layer at work: its pre-activations, and what the next layer was given where that follows from them element by element."""

    name: str
    channel: int
    before: Tensor
    after: Tensor | None = None


@dataclass(frozen=True)
class _Calls:
    outputs: Tensor
    layers: list[_Call]

    @property
    def paired(self) -> list[tuple[str, Tensor]]:
        """Names of the layers with what follows them element by element."""
        return [(call.name, call.after) for call in self.layers if call.after is not None]


class _Watch:
    """Hooks on the layers of a network."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._seen: list[_Call] = []
        self._handles = [
            part.register_forward_hook(self._hook(name, -1 if isinstance(part, nn.Linear) else 1))
            for name, part in model.named_modules()
            if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
        ]

    def calls(self, inputs: Tensor) -> _Calls:
        """Run once; the layers that were called once, but for the last, whose units are outputs."""
        self._seen = []
        outputs = self._model(inputs)
        names = [call.name for call in self._seen]
        once = [call for call in self._seen[:-1] if names.count(call.name) == 1]
        return _Calls(outputs, [call for call in once if call.before.requires_grad])

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _hook(self, name: str, channel: int) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            given = inputs[0]
            last = self._seen[-1] if self._seen else None
            if last is not None and given.shape == last.before.shape and _elementwise(given, last.before):
                last.after = given
            self._seen.append(_Call(name, channel, output))
            return output.clone()  # an activation that works in place changes the copy

        return hook


MIXING = ("Norm", "Softmax", "mm", "Mm", "Conv", "Sum", "Mean", "Roll", "Index", "Permute", "Transpose")


def _elementwise(after: Tensor, before: Tensor) -> bool:
    """Whether `after` was made of `before` alone, element by element as far as names of operations tell."""
    start, goal = after.grad_fn, before.grad_fn
    if start is None or goal is None:
        return False
    waiting, seen, reached = [start], {start}, False
    while waiting and len(seen) < 64:
        node = waiting.pop()
        if node is goal:
            reached = True
            continue
        if any(word in node.name() for word in MIXING):
            return False
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return reached and not waiting


class _Layer:
    """What is summed up of a layer over the samples."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._slope: list[Tensor] = []  # of the outputs by pre-activations, largest in each block
        self._flat: list[Tensor] = []
        self._values: list[Tensor] = []
        self._low: list[Tensor] = []
        self._high: list[Tensor] = []
        self._whole = True

    def add(self, call: _Call, slope: Tensor | None, after: Tensor | None) -> None:
        before = _columns(call.before.detach(), call.channel)
        by_unit = torch.zeros_like(before) if slope is None else _columns(slope, call.channel)
        self._slope.append(by_unit.abs().amax(dim=0))
        if call.after is None or after is None:
            self._whole = False
            return
        values, beyond = _columns(call.after.detach(), call.channel), _columns(after, call.channel).abs()
        answer = torch.where(beyond > 0, by_unit.abs() / beyond.clamp_min(1e-300), torch.zeros_like(beyond))
        visible = (values.abs() > VISIBLE * values.abs().amax()) & (beyond > 0)
        flat = (answer <= FLAT * answer.amax().clamp_min(1.0)) & visible
        self._flat.append(flat.double().mean(dim=0))
        self._values.append(values[:: -(-len(values) // KEPT)])
        self._low.append(values.amin(dim=0))
        self._high.append(values.amax(dim=0))

    def counted(self) -> LayerUnits | None:
        if not self._slope:
            return None
        dead = torch.stack(self._slope).amax(dim=0) == 0
        width = len(dead)
        if not self._whole:
            return LayerUnits(self._name, width, int(dead.sum()), 0, 0)
        low, high = torch.stack(self._low).amin(dim=0), torch.stack(self._high).amax(dim=0)
        constant = high - low <= SAME * torch.maximum(low.abs(), high.abs()).amax().clamp_min(1e-300)
        values = torch.cat(self._values)
        saturated = torch.stack(self._flat).mean(dim=0) >= MOSTLY
        dead = dead & ~saturated
        others = values[:, ~(dead | saturated | constant)]
        return LayerUnits(self._name, width, int(dead.sum()), int(saturated.sum()), _copies(others))


def _columns(values: Tensor, channel: int) -> Tensor:
    """(samples and places, units), in double precision."""
    moved = values.movedim(channel, -1)
    return moved.reshape(-1, moved.shape[-1]).double()


def _copies(values: Tensor) -> int:
    """How many columns are a multiple of an earlier one."""
    if values.shape[1] < 2 or values.shape[1] > WIDEST:
        return 0
    unit = values / values.norm(dim=0)
    alike = 1 - (unit.T @ unit).abs() <= SAME
    return int(alike.tril(-1).any(dim=1).sum())
