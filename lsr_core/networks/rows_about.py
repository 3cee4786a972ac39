"""Rows of ∂r/∂θ about a field that is not the network's own, such as a refined one."""

from __future__ import annotations

from torch import Tensor

from lsr_core.networks.residuals import JetJacobian, PointwiseJacobian, ResidualFunction


def rows_about(residual: ResidualFunction, points: Tensor, components: Tensor, width: int) -> Tensor:
    """∂r/∂θ (n·k, m): one row for each residual, however much of the field it reads.

    An integral reads the field at many nodes; a row for each of them, contracted afterwards, would be a hundred times the work.

    Args:
        points: (n, d), or (n, s, d) with s places each.
        components: what `residual.components` gives of the field there (n, f).
        width: k, rows of one point.
    """
    operator = residual.at(points, width, "row-blocks")
    assert isinstance(operator, PointwiseJacobian | JetJacobian)
    return operator.rows_at(points, _by_jets(residual, points, components))


def _by_jets(residual: ResidualFunction, points: Tensor, components: Tensor) -> Tensor:
    """∂r/∂jets (n, k, s, c, o); zero for jets that are not read."""
    places = 1 if points.ndim == 2 else points.shape[1]
    parts = residual.component_slopes(points, components).unflatten(2, (places, len(residual.used), -1))
    slopes = parts.new_zeros(*parts.shape[:3], residual.jets.spec.size, parts.shape[-1])
    slopes[:, :, :, list(residual.used)] = parts
    return slopes
