"""Products with the Jacobian at a few samples, against plain reverse mode.

One backward pass through the network as it stands, outside of every transform, is what autograd guarantees. For random row weights u it gives
Jᵀu; whatever way takes J v has to satisfy u·(J v) = (Jᵀu)·v for random v, which a Jacobian that is wrong somewhere meets with probability zero.
The backward pass itself is compared with differences of outputs, because a function of the user's own may have a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.factored import FactoredJacobian
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import FEW_COLUMNS, Differentiable, JacobianOperator, RowJacobian
from lsr_core.networks.pushes import Derivatives
from lsr_core.networks.taking import in_precision

SAMPLES = 8
GROUPS = 12  # of samples, tried until one shows the outputs to move
PAIRS = 2
DRAWN = 2**20  # numbers in double precision that are made at a time
KNOWN = 1e3  # multiples of eps beyond which outputs have changed
TOLERANCE = 1e5  # multiples of eps that two right ways may differ by
STEPS = {
    torch.float64: (1e-6, 1e-4, 1e-3, 1e-5, 1e-7),
    torch.float32: (1e-3, 1e-2, 1e-4),
}  # relative, of differences of outputs
CLOSE = {torch.float64: 1e-3, torch.float32: 5e-2}  # what they may differ from the gradient by, at the best step


@dataclass(frozen=True)
class Reference:
    """At a few samples: weights of rows u (n·o, k), their Jᵀu (m, k) by plain reverse mode, and directions v (m, k).

    `size` is what ‖J v‖ would be without cancellation between the terms of a row: where all of it cancels there is rounding to compare only.
    """

    inputs: Tensor
    n_outputs: int
    weights: Tensor
    pulled: Tensor
    directions: Tensor
    size: float = 0.0

    @classmethod
    def of(cls, function: Differentiable, inputs: Tensor, n_outputs: int, generator: torch.Generator) -> Reference:
        """Raises RuntimeError where the outputs have no gradient."""
        theta = function.theta0.detach().requires_grad_()
        with torch.enable_grad():
            outputs = function(theta, inputs).reshape(-1)
        weights = _gaussian(len(outputs), theta, generator)
        pulled = theta.new_empty(PAIRS, len(theta))
        for row, column in zip(pulled, weights.unbind(1), strict=True):
            row.copy_(torch.autograd.grad(outputs, theta, column, retain_graph=True, materialize_grads=True)[0])
        del outputs  # and the graph, before more vectors of parameters are made
        return cls(inputs, n_outputs, weights, pulled.T, _gaussian(len(theta), theta, generator))

    def defect_of(self, images: Tensor, directions: Tensor | None = None, *, slopes: Tensor | None = None) -> float:
        """Relative difference of u·(J v) and (Jᵀu)·v, for J v as some way gives it; `slopes` are the latter where they are known."""
        if slopes is None:
            slopes = self.pulled.T @ (self.directions if directions is None else directions)
        weights = self.weights.to(images)
        found = weights.T @ images
        size = torch.outer(weights.norm(dim=0), images.norm(dim=0).clamp_min(self.size)).maximum(slopes.abs())
        return _largest((found - slopes).abs() / size.clamp_min(torch.finfo(size.dtype).tiny))

    def adjoint_defect_of(self, preimages: Tensor) -> float:
        """Relative difference of Jᵀu as some way gives it."""
        size = self.pulled.norm(dim=0).clamp_min(max(self.size, torch.finfo(self.pulled.dtype).tiny))
        return _largest((preimages - self.pulled).norm(dim=0) / size)

    def slope_defect(self, function: ParametricFunction) -> float:
        """The same for differences of outputs along the parameters that have a gradient at all, at the best of a few step lengths."""
        theta = function.theta0
        moving = (self.pulled != 0).any(dim=1)
        unit = self.directions[:, 0] * moving
        if bool(moving.any()):
            unit *= theta[moving].norm().clamp_min(1e-3) / unit.norm()
        best = torch.inf
        for step in STEPS.get(theta.dtype, STEPS[torch.float32]):
            ahead, behind = (function.outputs(self.inputs, theta.add(unit, alpha=sign * step)) for sign in (1, -1))
            best = min(best, self.defect_of(((ahead - behind) / (2 * step)).reshape(-1, 1), unit[:, None]))
            if best <= CLOSE.get(theta.dtype, CLOSE[torch.float32]):
                break
        return best

    def held_back(self, function: ParametricFunction) -> list[str]:
        """Names of parameters that move the outputs although these have no gradient by any value of them."""
        if function.picked is not None:
            return []
        still = {name: place for name, place in function.columns.items() if not bool((self.pulled[place] != 0).any())}
        theta, step = function.theta0, STEPS.get(function.theta0.dtype, STEPS[torch.float32])[0]
        known = function.outputs(self.inputs, theta)
        least = KNOWN * torch.finfo(theta.dtype).eps * known.abs().max().clamp_min(torch.finfo(theta.dtype).tiny)

        def moves(*places: slice) -> bool:
            change = torch.zeros_like(theta)
            for place in places:
                change[place] = step * theta[place].norm().clamp_min(1e-3) * self.directions[place, 0]
            ahead, behind = (function.outputs(self.inputs, theta + sign * change) for sign in (1, -1))
            slope, bend = (ahead - behind).abs().max(), (ahead + behind - 2 * known).abs().max()
            return bool(slope > least) and bool(
                bend < 0.1 * slope
            )  # a kink, as of a unit at rest, has no gradient to keep back

        if not still or not moves(*still.values()):
            return []
        return [name for name, place in still.items() if moves(place)]


@dataclass(frozen=True)
class Twin:
    """A function of float32 in float64, where a difference that single precision would hide is seen; its directions are those of `reference`.

    Attributes:
        slopes: of the outputs that each weight mixes along each direction, by plain reverse mode (k, k).
    """

    function: ParametricFunction
    reference: Reference
    slopes: Tensor

    @classmethod
    def of(cls, function: ParametricFunction, reference: Reference) -> Twin | None:
        """None for what computes in float64 itself, or cannot on this device or by its own code."""
        if function.dtype != torch.float32 or function.module is None or function.device.type == "mps":
            return None
        try:
            other = function.in_precision(torch.float64)
            return cls(other, reference, _slopes(other, reference))
        except (RuntimeError, TypeError, ValueError):  # its forward insists on single precision
            return None

    def defect(self, way: Derivatives) -> float:
        """The same as `push_defect`, for J v taken in this way; direction by direction, for each is twice as long as in float32."""
        function, inputs = self.function.by(way), in_precision(self.reference.inputs, self.function.dtype)
        columns = self.reference.directions.split(1, dim=1)
        images = torch.cat([function.along(inputs, column.to(function.theta0)) for column in columns], dim=1)
        return self.reference.defect_of(images, slopes=self.slopes)


def _slopes(function: ParametricFunction, reference: Reference) -> Tensor:
    """Uᵀ J V (k, k) by plain reverse mode with a leaf for each parameter, so that gradients are not put together to vectors."""
    leaves = [value.detach().requires_grad_() for value in function.real_values(function.shapes)]
    weights, inputs = reference.weights.to(function.dtype), in_precision(reference.inputs, function.dtype)
    with torch.enable_grad():
        outputs = function.with_some(dict(zip(function.shapes, leaves, strict=True)), inputs).to(weights).reshape(-1)
    steps = [function.over_names(column) for column in reference.directions.unbind(1)]
    found = weights.new_zeros(len(weights.T), len(steps))
    for row, column in zip(found, weights.unbind(1), strict=True):
        pulled = torch.autograd.grad(outputs, leaves, column, retain_graph=True, allow_unused=True)
        for where, slope in zip(function.columns.values(), pulled, strict=True):
            for k, step in enumerate(steps if slope is not None else ()):
                pairs = zip(slope.reshape(-1).split(DRAWN), step[where].split(DRAWN), strict=True)
                row[k] += sum(part @ along.to(part) for part, along in pairs)
        del pulled, slope  # before the next ones are made
    return found


def operator_defect(operator: JacobianOperator, reference: Reference, *, wide: bool = True, rows: bool = True) -> float:
    """The largest defect of everything that an operator's rows and products are used for.

    Args:
        wide: whether many columns are multiplied by Jᵀ, which without rows is another computation than for a few.
        rows: whether rows are made; where layer factors serve in their place they need not be.
    """
    weights, directions = reference.weights, reference.directions
    defects = []
    if isinstance(operator, FactoredJacobian) and operator.network.function.picked is None:
        defects.append(_factor_defect(operator, reference))
    elif isinstance(operator, RowJacobian):
        rows = True
    else:
        defects.append(reference.defect_of(operator.matmat(directions)))
    if rows and isinstance(operator, RowJacobian):
        made = torch.cat([part for _, part in operator.row_blocks()])
        defects += [reference.defect_of(made @ directions), reference.adjoint_defect_of(made.T @ weights)]
        defects.append(reference.defect_of(operator.matmat(directions)))  # few columns go without rows
    elif wide:
        more = weights.new_ones(len(weights), FEW_COLUMNS)
        defects.append(reference.adjoint_defect_of(operator.rmatmat(torch.cat([weights, more], dim=1))[:, :PAIRS]))
    return max(defects)


def _factor_defect(operator: FactoredJacobian, reference: Reference) -> float:
    """Of images of factored directions, those that share factors and those that do not, with a size of its own in each parameter."""
    network, function = operator.network, operator.network.function
    unequal = {name: 2.0 ** (place % 3) for place, name in enumerate(function.shapes)}
    few = [
        FactoredDirections.random(
            function.shapes, PAIRS, torch.Generator().manual_seed(1), function.theta0, form=network.form, sizes=sizes
        )
        for sizes in (None, unequal)
    ]
    images = operator.times(*few).split(PAIRS, dim=1)
    return max(
        reference.defect_of(image, slopes=torch.stack([directions.against(row) for row in reference.pulled.unbind(1)]))
        for image, directions in zip(images, few, strict=True)
    )


def push_defect(function: Differentiable, reference: Reference) -> float:
    """Of J v one by one, as the refined predictor takes it."""
    return reference.defect_of(function.along(reference.inputs, reference.directions))


def few(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Some samples, others for every generator."""
    return groups(inputs, generator)[0]


def groups(inputs: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Up to `GROUPS` times some samples, none of them twice; the first is what `few` gives."""
    order = torch.randperm(len(inputs), generator=generator)[: GROUPS * SAMPLES].to(inputs.device)
    return [inputs[part] for part in order.split(SAMPLES)]


def _gaussian(rows: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """(rows, PAIRS), each column in one piece, drawn in double precision some at a time."""
    found = like.new_empty(PAIRS, rows)
    for part in found.view(-1).split(DRAWN):
        part.copy_(torch.randn(len(part), generator=generator, dtype=torch.float64))
    return found.T


def _largest(defects: Tensor) -> float:
    return float(defects.nan_to_num(nan=torch.inf).max())
