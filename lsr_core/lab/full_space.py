"""The linearised problem in all parameters, by products with G and Gᵀ over blocks of rows; no matrix is kept."""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.lab.coordinates import DTYPES
from lsr_core.lab.least_squares import Course, LinearLeastSquares
from lsr_core.lab.records import Precision
from lsr_core.linalg.operators import LinearOperator
from lsr_core.linalg.streaming_qr import StreamingQR
from lsr_core.refinement.kinds import rows_of
from lsr_core.refinement.rows import RowBlock
from lsr_core.refinement.setting import Setting

MOST_COLUMNS = 3000  # parameters up to which the right triangular factor of G is made


class RowsOperator(LinearOperator):
    """weight · J over all rows, one block after another."""

    def __init__(self, blocks: list[RowBlock], weight: float, n_columns: int) -> None:
        like = blocks[0].errors
        self.shape = (blocks[-1].rows.stop, n_columns)
        self.dtype, self.device = like.dtype, like.device
        self._blocks, self._weight = blocks, weight

    def matmat(self, block: Tensor) -> Tensor:
        return torch.cat([part.operator.matmat(block) for part in self._blocks]).mul_(self._weight)

    def rmatmat(self, block: Tensor) -> Tensor:
        total = block.new_zeros(self.shape[1], block.shape[1])
        for part in self._blocks:
            total += part.operator.rmatmat(block[part.rows])
        return total.mul_(self._weight)


class FullProblem:
    """min over Δθ of ‖f + G Δθ‖², the coordinates being the network's own parameters.

    Attributes:
        base_loss: of the network.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._rows = rows_of(setting)
        self.base_loss = float(setting.errors().square().sum()) * setting.weight**2
        self._reference = self._problem("float64")

    @property
    def n_columns(self) -> int:
        return self._setting.function.n_params

    def course(self, precision: Precision) -> Course:
        """The problem with products in this precision, judged in float64."""
        problem = self._reference if precision == "float64" else self._problem(precision)
        return Course(problem, self._reference, lambda y: y, 0.0, None)

    def _problem(self, precision: Precision) -> LinearLeastSquares:
        rows = self._rows if precision == "float64" else self._rows.single_precision()
        scale = self._setting.weight * self.base_loss**-0.5
        blocks = list(rows)
        errors = torch.cat([block.errors for block in blocks])[:, 0]
        assert errors.dtype == DTYPES[precision]
        return LinearLeastSquares(RowsOperator(blocks, scale, self.n_columns), errors * scale)


def has_right_factor(setting: Setting) -> bool:
    """Whether G is tall and narrow enough for its right triangular factor, by which its coordinates can be whitened."""
    return setting.function.n_params <= min(setting.n_residuals, MOST_COLUMNS)


def right_factor(setting: Setting) -> Tensor:
    """Triangular factor of [G, f] in all parameters, (m + 1, m + 1); for few parameters."""
    count = setting.function.n_params
    qr = StreamingQR(count + 1, dtype=setting.function.dtype, device=setting.function.device, gather=4 * (count + 1))
    for block in rows_of(setting):
        qr.update(block.operator.to_dense() * setting.weight, block.errors * setting.weight)
    return qr.factor
