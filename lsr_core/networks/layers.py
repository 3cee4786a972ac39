"""Per-sample gradients of a network in factored form.

For a linear layer z = W a + b the gradient of an output of one sample is the outer product δ ⊗ a of the back-propagated signal
δ = ∂q/∂z and the layer input a, so inner products of Jacobian rows need no row: ⟨δ ⊗ a, δ' ⊗ a'⟩ = (δ·δ')(a·a')
(Goodfellow 2015, arXiv 1510.01799; in kernel language the empirical tangent kernel of Jacot et al. 2018). Parameters outside
such layers have their rows taken by reverse mode under vmap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.recording import LayerCall, Record, recordable, recording
from lsr_core.networks.rest_rows import rest_rows

SPREAD = 1e3  # between the sizes of random directions in different layers


@dataclass(frozen=True)
class LinearFactor:
    """Layer inputs a (n, in) and signals δ (n, o, out) of one linear layer.

    Where a layer's weights serve several components of a sample, such as a value and its derivatives, `inputs` is (n, c, in) and
    `signals` (n, o, c, out): the gradient is Σ_c δ_c ⊗ a_c, and that of the bias the sum over the components it is added to.

    Attributes:
        biased: whether the bias is added, by component.
    """

    inputs: Tensor
    signals: Tensor
    biased: tuple[bool, ...] = (True,)

    @property
    def components(self) -> Iterator[tuple[Tensor, Tensor, bool]]:
        """Inputs (n, in), signals (n·o, out) and whether there is a bias, component by component."""
        if self.inputs.ndim == 2:
            yield self.inputs, self.signals.flatten(0, 1), True
            return
        for place, biased in enumerate(self.biased):
            yield self.inputs[:, place], self.signals[:, :, place].flatten(0, 1), biased


@dataclass(frozen=True)
class Factors:
    """The Jacobian of the outputs at n samples, by layer; row i·o + j belongs to output j of sample i."""

    linear: dict[str, LinearFactor]
    rest: Tensor | None  # (n·o, parameters outside the linear layers)

    @property
    def n_samples(self) -> int:
        return len(next(iter(self.linear.values())).inputs)

    @property
    def n_rows(self) -> int:
        """n·o."""
        first = next(iter(self.linear.values())).signals
        return first.shape[0] * first.shape[1]

    def gram(self, other: Factors, parts: FactoredNetwork, out: Tensor | None = None) -> Tensor:
        """J(x) J(x')ᵀ, (n·o, n'·o').

        Args:
            out: where to write it; its rows contiguous.
        """
        like = next(iter(self.linear.values()))
        total = like.signals.new_empty(self.n_rows, other.n_rows) if out is None else out
        total.zero_() if self.rest is None or other.rest is None else torch.mm(self.rest, other.rest.T, out=total)
        signals, inputs = torch.empty_like(total), like.inputs.new_empty(len(like.inputs), other.n_samples)
        for name, mine in self.linear.items():
            theirs = other.linear[name]
            for seen, sent, biased in mine.components:
                biased = biased and parts.free_bias(name)
                torch.mm(sent, theirs.signals.flatten(0, 1).T, out=signals)
                if parts.free_weight(name):
                    _products(seen, theirs.inputs, one_more=biased, out=inputs)
                    split = (len(seen), -1, len(theirs.inputs), theirs.signals.shape[1])
                    total.view(split).addcmul_(signals.view(split), inputs[:, None, :, None])
                elif biased:
                    total.add_(signals)
        return total

    def images(self, vectors: Tensor, parts: FactoredNetwork) -> Tensor:
        """J @ vectors for a few dense parameter directions (m, k), (n·o, k)."""
        total = vectors.new_zeros(self.n_rows, vectors.shape[1])
        count = vectors.shape[1]
        for name, factor in self.linear.items():
            for seen, sent, biased in factor.components:
                moved = vectors.new_zeros(len(seen), sent.shape[1], count)
                if parts.free_weight(name):
                    weight = vectors[parts.columns[parts.weight_name(name)]].view(sent.shape[1], -1, count)
                    moved += (seen @ weight.transpose(0, 1).flatten(1)).view_as(moved)
                if biased and parts.free_bias(name):
                    moved += vectors[parts.columns[parts.bias_name(name)]]
                total += torch.bmm(sent.view(len(seen), -1, sent.shape[1]), moved).flatten(0, 1)
        if self.rest is not None:
            total += self.rest @ torch.cat([vectors[parts.columns[name]] for name in parts.rest])
        return total

    def random_directions(self, count: int, generator: torch.Generator) -> Factors:
        """`count` random parameter directions, in every layer an outer product g ⊗ h of Gaussian vectors (a Khatri–Rao sketch).

        g and h have the sizes that δ and a have in this layer, so every layer has the weight it has in J. J times such directions is as
        cheap as inner products of rows, and keeps the spectrum of J where J times its own rows would square it. Sizes differ by a factor of
        `SPREAD` at most: directions of parameters that have little effect would else cancel when they are made orthonormal.
        """

        def gaussian(like: Tensor, size: float) -> Tensor:
            return torch.randn(count, like.shape[-1], generator=generator, dtype=torch.float64).to(like) * size

        seen = {name: min(max(_size(factor.inputs), 1 / SPREAD), SPREAD) for name, factor in self.linear.items()}
        sent = {name: _size(factor.signals) for name, factor in self.linear.items()}
        rest = 0.0 if self.rest is None else _size(self.rest)
        least = max(rest, *(sent[name] * max(1.0, seen[name]) for name in seen)) / SPREAD
        linear = {
            name: LinearFactor(
                gaussian(factor.inputs, seen[name]),
                gaussian(factor.signals, max(sent[name], least / max(1.0, seen[name])))[:, None, :],
            )
            for name, factor in self.linear.items()
        }
        return Factors(linear, None if self.rest is None else gaussian(self.rest, max(rest, least)))

    def combination(self, weights: Tensor, parts: FactoredNetwork) -> Tensor:
        """Jᵀ w for one vector of row weights (n·o,), flat (m,)."""
        total = weights.new_zeros(parts.function.n_params)
        for name, factor in self.linear.items():
            weighted = factor.signals.flatten(0, 1) * weights[:, None]
            if parts.free_weight(name):
                inputs = factor.inputs.repeat_interleave(factor.signals.shape[1], 0)
                total[parts.columns[parts.weight_name(name)]] = (weighted.T @ inputs).flatten()
            if parts.free_bias(name):
                total[parts.columns[parts.bias_name(name)]] = weighted.sum(0)
        if self.rest is not None:
            product, start = self.rest.T @ weights, 0
            for name in parts.rest:
                columns = parts.columns[name]
                total[columns] = product[start : (start := start + columns.stop - columns.start)]
        return total

    def rows(self, parts: FactoredNetwork) -> Tensor:
        """The Jacobian itself, (n·o, m) by all scalars of the parameters that may move, picked or not."""
        first = next(iter(self.linear.values())).signals
        rows = first.new_empty(self.n_rows, sum(shape.numel() for shape in parts.function.shapes.values()))
        for name, factor in self.linear.items():
            signals = factor.signals.flatten(0, 1)
            if parts.free_weight(name):
                inputs = factor.inputs.repeat_interleave(factor.signals.shape[1], 0)
                view = rows[:, parts.columns[parts.weight_name(name)]].unflatten(1, (signals.shape[1], inputs.shape[1]))
                torch.mul(signals[:, :, None], inputs[:, None, :], out=view)
            if parts.free_bias(name):
                rows[:, parts.columns[parts.bias_name(name)]] = signals
        for name in parts.still:
            rows[:, parts.columns[name]] = 0
        if self.rest is not None:
            start = 0
            for name in parts.rest:
                columns = parts.columns[name]
                width = columns.stop - columns.start
                rows[:, columns] = self.rest[:, start : start + width]
                start += width
        return rows


class FactoredNetwork:
    """Knows which parameters of a module are linear layers that can be factored, and captures their factors.

    A linear layer is factored when its parameters are its own, enter nowhere else, and each sample passes through it once, as a vector.

    Attributes:
        layers: names of the factored layers.
        still: parameters of linear layers that no input passes; their columns of J are zero.
        rest: parameters whose rows are taken one by one.
    """

    def __init__(self, function: ParametricFunction, example: Tensor) -> None:
        assert function.module is not None
        self.function = function
        self.module = function.module
        self.columns = _columns(function)
        found = recordable(self.module, example)
        self.layers = [name for name in found.layers if self.free_weight(name) or self.free_bias(name)]
        self.why_not = found.why
        self._unused = sorted(found.unused)
        self.still = self._parameters(self._unused)
        owned = {*self._parameters(self.layers), *self.still}
        self.rest = [name for name in function.shapes if name not in owned]

    @property
    def factored_share(self) -> float:
        """Share of the parameters that are factored."""
        if not self.layers:
            return 0.0
        rest = sum(self.function.shapes[name].numel() for name in self.rest)
        return 1 - rest / self.function.n_params

    def capture(self, inputs: Tensor) -> Factors:
        """Factors of the Jacobian at `inputs`: one forward pass and one backward pass per output.

        Raises:
            InputError: a layer is not passed as it was by the first samples.
        """
        with torch.enable_grad(), recording(self._modules([*self.layers, *self._unused])) as record:
            outputs = self.function.flattened(self.module(inputs.clone()), len(inputs)).to(self.function.dtype)
        calls = self._passages(record, len(inputs))
        edges, n_outputs = [call.edge for call in calls.values() if call.edge is not None], outputs.shape[1]
        with torch.enable_grad():
            totals = outputs.sum(0).unbind()
        signals = [
            torch.autograd.grad(total, edges, retain_graph=j + 1 < n_outputs, allow_unused=True)
            for j, total in enumerate(totals)
        ]
        linear = {}
        for (name, call), sent in zip(calls.items(), zip(*signals, strict=True), strict=True):
            width = next(iter(self.module.get_submodule(name).parameters(recurse=False))).shape[0]
            nothing = outputs.new_zeros(len(inputs), width)
            linear[name] = LinearFactor(
                call.inputs, torch.stack([nothing if signal is None else signal for signal in sent], dim=1)
            )
        return Factors(linear, self._rest_rows(inputs) if self.rest else None)

    def _passages(self, record: Record, count: int) -> dict[str, LayerCall]:
        """The one passage through each factored layer."""
        passed = {name: record.calls.get(name, []) for name in self.layers}
        for name, calls in passed.items():
            if len(calls) != 1 or calls[0].edge is None or calls[0].changed or len(calls[0].inputs) != count:
                raise InputError(
                    f"layer {name!r} is not passed by all samples in the same way; use matrix-free or auto",
                    key="strategy",
                )
        if any(name in record.calls for name in self._unused):
            raise InputError("some samples pass layers that others do not; use matrix-free or auto", key="strategy")
        return {name: calls[0] for name, calls in passed.items()}

    def free_weight(self, layer: str) -> bool:
        return self.weight_name(layer) in self.columns

    def free_bias(self, layer: str) -> bool:
        return self.bias_name(layer) in self.columns

    @staticmethod
    def weight_name(layer: str) -> str:
        return f"{layer}.weight" if layer else "weight"

    @staticmethod
    def bias_name(layer: str) -> str:
        return f"{layer}.bias" if layer else "bias"

    def _parameters(self, layers: list[str]) -> list[str]:
        """Names of those of their parameters that may move."""
        names = [name for layer in layers for name in (self.weight_name(layer), self.bias_name(layer))]
        return [name for name in names if name in self.columns]

    def _modules(self, names: list[str]) -> list[tuple[str, nn.Module]]:
        return [(name, self.module.get_submodule(name)) for name in names]

    def _rest_rows(self, inputs: Tensor) -> Tensor:
        """Rows of the parameters that are not factored, (n·o, their scalars)."""
        return rest_rows(self.function, self.rest, inputs)


def _size(values: Tensor) -> float:
    """Root mean square; 1 for nothing but zeros."""
    return float(values.square().mean().sqrt()) or 1.0


def _products(left: Tensor, right: Tensor, *, one_more: bool, out: Tensor) -> None:
    """left @ rightᵀ, plus one everywhere for the bias: a column of ones is cheaper than another pass over the result."""
    if one_more:
        left, right = (torch.cat([part, part.new_ones(len(part), 1)], dim=1) for part in (left, right))
    torch.mm(left, right.T, out=out)


def _columns(function: ParametricFunction) -> dict[str, slice]:
    columns, start = {}, 0
    for name, shape in function.shapes.items():
        columns[name] = slice(start, start + shape.numel())
        start += shape.numel()
    return columns
