"""Residuals: pointwise functions of a network's jets, and their Jacobian rows by one reverse pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import (
    BLOCK_BYTES,
    JacobianOperator,
    MatrixFreeJacobian,
    RowBlockJacobian,
    RowJacobian,
)
from lsr_core.networks.jets import JetFunction

Pointwise = Callable[[Tensor, Tensor], Tensor]


class ResidualFunction:
    """r(θ, points): rows (n, k) from the jets of a network at n places, for operators that take any function of θ.

    Args:
        jets: the network's jets.
        pointwise: maps points (n, s, d) and jets (n, s, c, o) to rows (n, k), each place by itself; s is 1, or 2 for pairs.
        scale: what the rows are multiplied by.
        used: positions of the jet's components that `pointwise` reads; None = all.
    """

    def __init__(
        self, jets: JetFunction, pointwise: Pointwise, scale: float = 1.0, used: Sequence[int] | None = None
    ) -> None:
        self.jets, self.pointwise, self.scale = jets, pointwise, scale
        self.used = tuple(range(jets.spec.size)) if used is None else tuple(used)
        self.function = jets.function

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

    def __call__(self, theta: Tensor, points: Tensor) -> Tensor:
        """Rows (n, k) at the flat parameters, for points (n, d) or pairs (n, 2, d)."""
        return self.of_jets(points, self.jets(theta, points.reshape(-1, points.shape[-1])))

    def of_jets(self, points: Tensor, jets: Tensor) -> Tensor:
        """Rows (n, k) from jets (n·s, c, o) that are known already, such as those of a refined field."""
        places = points[:, None] if points.ndim == 2 else points
        rows = self.pointwise(places, jets.unflatten(0, places.shape[:2]))
        return rows.reshape(len(points), -1) * self.scale

    def outputs(self, points: Tensor, theta: Tensor | None = None, chunk: int = 4096) -> Tensor:
        """Rows at θ0 or at `theta`, without a graph."""
        at = self.theta0 if theta is None else theta
        with torch.no_grad():
            return torch.cat([self(at, part) for part in points.split(chunk)])

    def components(self) -> ResidualFunction:
        """The components of the jets that are read, (n, s·used·o): linear in the field where the rows may not be."""
        used = list(self.used)
        return ResidualFunction(self.jets, lambda places, jets: jets[:, :, used].flatten(1), used=self.used)

    def of_components(self, points: Tensor, components: Tensor) -> Tensor:
        """Rows (n, k) from what `components` gives."""
        places = 1 if points.ndim == 2 else points.shape[1]
        parts = components.reshape(len(points) * places, len(self.used), -1)
        jets = parts.new_zeros(len(parts), self.jets.spec.size, parts.shape[-1])
        jets[:, list(self.used)] = parts
        return self.of_jets(points, jets)

    def single_precision(self) -> ResidualFunction:
        """The same rows computed in float32."""
        jets = JetFunction(self.function.single_precision(), self.jets.spec)
        return ResidualFunction(jets, self.pointwise, self.scale, self.used)

    def scaled(self, factor: float) -> ResidualFunction:
        """The same rows, multiplied by a factor."""
        return ResidualFunction(self.jets, self.pointwise, self.scale * factor, self.used)

    def at(
        self, points: Tensor, n_rows: int, name: str, *, block_bytes: int = BLOCK_BYTES, keep: bool = False
    ) -> JacobianOperator:
        """∂r/∂θ at points, applied as `name` says: matrix-free, or row-blocks (jets where there are layers).

        Args:
            n_rows: k, rows of one place.
        """
        if name == "matrix-free":
            places = 1 if points.ndim == 2 else points.shape[1]
            activations = 4 * places * self.jets.spec.size * _widest(self.function)
            return MatrixFreeJacobian(self, points, n_rows, block_bytes=block_bytes, activations=activations)
        kind = RowBlockJacobian if self.jets.chain is None else JetJacobian
        return kind(self, points, n_rows, block_bytes=block_bytes, keep=keep)


class JetJacobian(RowJacobian):
    """Rows of ∂r/∂θ for networks of layers: one reverse pass to the pre-activations, then outer products.

    With pre-activation jets z_c = W a_c (+ b for the value), a row is Σ_c ∂r/∂z_c ⊗ a_c for W and ∂r/∂z_0 for b. Components and
    places are summed in one batched product.
    """

    function: ResidualFunction

    def rows_at(self, inputs: Tensor) -> Tensor:
        residual = self.function
        jets, function = residual.jets, residual.function
        chain = jets.chain
        assert chain is not None
        count = len(inputs)
        named = {name: value.detach() for name, value in function.named(function.theta0).items()}
        with torch.enable_grad():
            context = jets.context(inputs.reshape(-1, inputs.shape[-1]))
            field, layer_inputs, signals = jets.along_chain(chain, named, context, track=True)
            values = residual.of_jets(inputs, field)
        rows = values.new_empty(count, self.n_outputs, sum(shape.numel() for shape in function.shapes.values()))
        columns = function.columns
        for j in range(self.n_outputs):
            grads = torch.autograd.grad(
                values[:, j].sum(), signals, retain_graph=j + 1 < self.n_outputs, materialize_grads=True
            )
            for (name, _), before, after in zip(chain.layers, layer_inputs, grads, strict=True):
                size = after.shape[1]
                back = after.reshape(count, -1, after.shape[-1])
                weight, bias = columns.get(f"{name}.weight"), columns.get(f"{name}.bias")
                if weight is not None:
                    ahead = before.detach().reshape(count, -1, before.shape[-1])
                    rows[:, j, weight] = torch.bmm(back.transpose(1, 2), ahead).flatten(1)
                if bias is not None:
                    rows[:, j, bias] = back[:, ::size].sum(dim=1)
        picked = function.picked
        whole = rows.flatten(0, 1)
        return whole if picked is None else whole[:, picked]


def _widest(function: ParametricFunction) -> int:
    return max((max(shape) for shape in function.shapes.values() if len(shape) > 0), default=1)
