"""Residuals: pointwise functions of a network's jets, and their Jacobian rows by one reverse pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from lsr_core.networks.directions import DirectionForm
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import (
    BLOCK_BYTES,
    CACHED_BYTES,
    JacobianOperator,
    MatrixFreeJacobian,
    RowJacobian,
)
from lsr_core.networks.jets import JetFunction
from lsr_core.networks.pushes import Derivatives, pushed
from lsr_core.networks.uses.factors import Factors
from lsr_core.networks.uses.operands import Operand
from lsr_core.networks.uses.products import LinearUse

Pointwise = Callable[[Tensor, Tensor], Tensor]
CACHED_POINTS = 512  # at which jets are evaluated together: what the caches hold


class ResidualFunction:
    """r(θ, points): rows (n, k) from the jets of a network at n places, for operators that take any function of θ.

    Args:
        jets: the network's jets.
        pointwise: maps points (n, s, d) and jets (n, s, c, o) to rows (n, k), each place by itself; s is 1, or 2 for pairs.
        scale: what the rows are multiplied by.
        used: positions of the jet's components that `pointwise` reads; None = all.
        apart: whether each of the s places has rows of its own, so that operators take them one by one.
    """

    def __init__(
        self,
        jets: JetFunction,
        pointwise: Pointwise,
        scale: float = 1.0,
        used: Sequence[int] | None = None,
        *,
        apart: bool = False,
    ) -> None:
        self.jets, self.pointwise, self.scale, self.apart = jets, pointwise, scale, apart
        self.used = tuple(range(jets.spec.size)) if used is None else tuple(used)
        self.function = jets.function
        self._components: ResidualFunction | None = None

    @property
    def theta0(self) -> Tensor:
        return self.function.theta0

    @property
    def n_params(self) -> int:
        return self.function.n_params

    @property
    def dtype(self) -> torch.dtype:
        return self.function.dtype

    @property
    def device(self) -> torch.device:
        return self.function.device

    @property
    def derivatives(self) -> Derivatives:
        return self.function.derivatives

    def along(self, points: Tensor, directions: Tensor) -> Tensor:
        """∂r/∂θ times directions (m, k), as (n·k, k'), one after the other in the way of the network's function."""
        slopes, everywhere = self.slopes(points), torch.arange(len(points), device=points.device)

        def call(at: Sequence[Tensor], some: Tensor) -> Tensor:
            return contract(slopes[some], self.jets(at[0], points[some].reshape(-1, points.shape[-1])))

        steps = [[v] for v in directions.unbind(1)]
        images = pushed(call, [self.theta0], steps, everywhere, self.derivatives)[1]
        return torch.stack([image.detach().reshape(-1) for image in images], dim=1)

    def __call__(self, theta: Tensor, points: Tensor) -> Tensor:
        """Rows (n, k) at the flat parameters, for points (n, d) or pairs (n, 2, d)."""
        return self.of_jets(points, self.jets(theta, points.reshape(-1, points.shape[-1])))

    def fixed(self, points: Tensor) -> Callable[[Tensor], Tensor]:
        """θ ↦ rows (n, k) at these points, with what does not depend on θ computed now."""
        jets = self.jets.fixed(points.reshape(-1, points.shape[-1]))
        return lambda theta: self.of_jets(points, jets(theta))

    def slopes(self, points: Tensor) -> Tensor:
        """∂r/∂jets at θ0, (n, k, s, c, o); by plain reverse mode, so a residual may be written in any torch functions."""
        jets = self.jets.fixed(points.reshape(-1, points.shape[-1]))(self.theta0)
        return _slopes(lambda at: self.of_jets(points, at), jets, len(points)).transpose(0, 1)

    def differential(self, points: Tensor) -> Callable[[Tensor], Tensor]:
        """A function θ ↦ (n, k) that is linear in the jets and has the derivative of the rows at θ0."""
        slopes = self.slopes(points)
        jets = self.jets.fixed(points.reshape(-1, points.shape[-1]), lifted=False)
        return lambda theta: contract(slopes, jets(theta))

    def of_jets(self, points: Tensor, jets: Tensor) -> Tensor:
        """Rows (n, k) from jets (n·s, c, o) that are known already, such as those of a refined field."""
        places = points[:, None] if points.ndim == 2 else points
        rows = self.pointwise(places, jets.unflatten(0, places.shape[:2]))
        return rows.reshape(len(points), -1) * self.scale

    def outputs(self, points: Tensor, theta: Tensor | None = None, chunk: int = CACHED_POINTS) -> Tensor:
        """Rows at θ0 or at `theta`, without a graph."""
        at = self.theta0 if theta is None else theta
        with torch.no_grad():
            return torch.cat([self.fixed(part)(at) for part in points.split(chunk)])

    def components(self) -> ResidualFunction:
        """The components of the jets that are read, (n, s·used·o): linear in the field where the rows may not be.

        Always the same function: what a pass through it takes is measured once.
        """
        if self._components is None:
            used = list(self.used)
            self._components = ResidualFunction(
                self.jets, lambda places, jets: jets[:, :, used].flatten(1), used=self.used, apart=True
            )
        return self._components

    def of_components(self, points: Tensor, components: Tensor) -> Tensor:
        """Rows (n, k) from what `components` gives."""
        places = 1 if points.ndim == 2 else points.shape[1]
        parts = components.reshape(len(points) * places, len(self.used), -1)
        jets = parts.new_zeros(len(parts), self.jets.spec.size, parts.shape[-1])
        jets[:, list(self.used)] = parts
        return self.of_jets(points, jets)

    def component_slopes(self, points: Tensor, components: Tensor) -> Tensor:
        """∂r/∂components (n, k, s·used·o) of any field, given what `components` gives of it."""
        slopes = _slopes(lambda at: self.of_components(points, at), components, len(points))
        return slopes.flatten(2).transpose(0, 1)

    def single_precision(self) -> ResidualFunction:
        """The same rows computed in float32."""
        jets = JetFunction(self.function.single_precision(), self.jets.spec)
        return ResidualFunction(jets, self.pointwise, self.scale, self.used)

    def moved(self, theta: Tensor) -> ResidualFunction:
        """The same rows with another θ0."""
        jets = JetFunction(self.function.moved(theta), self.jets.spec)
        return ResidualFunction(jets, self.pointwise, self.scale, self.used)

    def scaled(self, factor: float) -> ResidualFunction:
        """The same rows, multiplied by a factor."""
        return ResidualFunction(self.jets, self.pointwise, self.scale * factor, self.used)

    def at(
        self, points: Tensor, n_rows: int, name: str, *, block_bytes: int = BLOCK_BYTES, keep: bool = False
    ) -> JacobianOperator:
        """∂r/∂θ at points, applied as `name` says: matrix-free, or row-blocks (jets where there are layers).

        Args:
            n_rows: k, rows of one point.
        """
        if self.apart and points.ndim == 3:  # together each of an integral's nodes would be a pass over all of them
            n_rows //= points.shape[1]
            points = points.reshape(-1, points.shape[-1])
        if name == "matrix-free":
            places = 1 if points.ndim == 2 else points.shape[1]
            activations = 4 * places * self.jets.spec.size * _widest(self.function)
            return MatrixFreeJacobian(self, points, n_rows, block_bytes=block_bytes, activations=activations)
        kind = PointwiseJacobian if self.jets.chain is None else JetJacobian
        return kind(self, points, n_rows, block_bytes=block_bytes, keep=keep)


def _slopes(rows_of: Callable[[Tensor], Tensor], at: Tensor, count: int) -> Tensor:
    """Derivatives (k, n, …) of rows (n, k) by `at`, whose values belong to `count` points, each to itself."""
    with torch.enable_grad():
        at = at.detach().requires_grad_()
        rows = rows_of(at)
        width = rows.shape[1] if rows.requires_grad else 0
        found = [
            torch.autograd.grad(rows[:, j].sum(), at, retain_graph=j + 1 < width, materialize_grads=True)[0]
            for j in range(width)
        ]
    slopes = torch.stack(found or [torch.zeros_like(at)] * rows.shape[1])
    return slopes.unflatten(1, (count, -1)).detach()


def contract(slopes: Tensor, jets: Tensor) -> Tensor:
    """Σ over places, components and outputs of slopes (n, k, s, c, o) and jets (n·s, c, o): (n, k)."""
    return torch.einsum("nkf,nf->nk", slopes.flatten(2), jets.reshape(len(slopes), -1))


class PointwiseJacobian(RowJacobian):
    """Rows of ∂r/∂θ for any network: reverse mode over forward mode for each point under vmap."""

    function: ResidualFunction

    def rows_at(self, inputs: Tensor, slopes: Tensor | None = None) -> Tensor:
        """Rows; `slopes` by the jets (n, k, s, c, o) stand in for those of the network's own."""
        residual = self.function
        slopes = residual.slopes(inputs) if slopes is None else slopes

        def one(theta: Tensor, point: Tensor, slope: Tensor) -> Tensor:
            jets = residual.jets(theta, point.reshape(-1, point.shape[-1]))
            return contract(slope[None], jets)[0]

        rows = residual.theta0.new_empty(len(inputs), self.n_outputs, self.shape[1])
        samples = self.rows_together(inputs)
        for points, slope, out in zip(inputs.split(samples), slopes.split(samples), rows.split(samples), strict=True):
            out.copy_(vmap(jacrev(one), in_dims=(None, 0, 0))(residual.theta0, points, slope).detach())
        return rows.flatten(0, 1)


class JetJacobian(RowJacobian):
    """Rows of ∂r/∂θ for networks of layers: one reverse pass to the pre-activations, then outer products.

    With pre-activation jets z_c = W a_c (+ b for the value), a row is Σ_c ∂r/∂z_c ⊗ a_c for W and ∂r/∂z_0 for b. Components and
    places are summed in one batched product.
    """

    function: ResidualFunction

    def rows_at(self, inputs: Tensor, slopes: Tensor | None = None) -> Tensor:
        """Rows; `slopes` by the jets (n, k, s, c, o) stand in for those of the network's own."""
        function = self.function.function
        entries = sum(shape.numel() for shape in function.shapes.values())
        rows = inputs.new_empty(len(inputs), self.n_outputs, self.shape[1])
        samples = max(1, CACHED_BYTES // (entries * self.n_outputs * self.dtype.itemsize))
        for start in range(0, len(inputs), samples):
            some = slice(start, start + samples)
            part, out = inputs[some], rows[some]
            factors = factors_of(self.function, part, None if slopes is None else slopes[some])
            if function.picked is None:
                factors.write_rows(function, out)
            else:
                whole = out.new_empty(len(part), self.n_outputs, entries)
                factors.write_rows(function, whole)
                out.copy_(whole[:, :, function.picked])
        return rows.flatten(0, 1)


def factors_of(residual: ResidualFunction, points: Tensor, by_jets: Tensor | None = None) -> Factors:
    """∂r/∂θ at points by layer, for networks of layers: one forward pass of the jets, one reverse pass for each row of a point.

    Args:
        by_jets: slopes (n, k, s, c, o) that stand in for those of the network's own.
    """
    jets, function = residual.jets, residual.function
    chain = jets.chain
    assert chain is not None
    count = len(points)
    named = {name: value.detach() for name, value in function.named(function.theta0).items()}
    with torch.enable_grad():
        context = jets.context(points.reshape(-1, points.shape[-1]))
        field, seen, sent = jets.along_chain(chain, named, context, track=True)
        values = residual.of_jets(points, field) if by_jets is None else contract(by_jets, field)
    n_rows = values.shape[1]
    slopes = [
        torch.autograd.grad(values[:, j].sum(), sent, retain_graph=j + 1 < n_rows, materialize_grads=True)
        for j in range(n_rows)
    ]
    uses = []
    for place, name in enumerate(chain.names):
        inputs = seen[place].detach()
        inside = inputs.shape[0] * inputs.shape[1] // count
        signals = torch.stack([slope[place].reshape(count, inside, slope[place].shape[-1]) for slope in slopes], dim=1)
        biased = tuple(component == 0 for component in range(inputs.shape[1])) * (len(inputs) // count)
        inputs = inputs.reshape(count, inside, 1, inputs.shape[-1])
        weight, bias = (_operand(function, f"{name}.{part}") for part in ("weight", "bias"))
        uses.append(LinearUse(inputs, signals.unsqueeze(3), weight, bias, biased))
    return Factors(uses, count, n_rows)


def form_of(residual: ResidualFunction) -> DirectionForm:
    """How directions stand in a network of layers."""
    assert residual.jets.chain is not None
    pairs = [(f"{name}.bias", f"{name}.weight") for name in residual.jets.chain.names]
    shapes = residual.function.shapes
    used = {name for pair in pairs for name in pair}
    return DirectionForm(
        tied={bias: weight for bias, weight in pairs if bias in shapes and weight in shapes},
        still=frozenset(name for name in shapes if name not in used),
    )


def _operand(function: ParametricFunction, name: str) -> Operand | None:
    """A weight or bias of a layer; None where it does not move."""
    shape = function.shapes.get(name)
    if shape is None:
        return None
    return Operand(name, shape, torch.Size(reversed(shape)), flipped=len(shape) > 1)


def _widest(function: ParametricFunction) -> int:
    return max((max(shape) for shape in function.shapes.values() if len(shape) > 0), default=1)
