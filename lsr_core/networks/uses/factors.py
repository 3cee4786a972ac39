"""The Jacobian at some samples as the uses of the parameters, never written out unless asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lsr_core.networks.directions import FactoredDirections
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.uses.products import Use


@dataclass(frozen=True)
class Factors:
    """q outputs at n samples; row i·q + j belongs to output j of sample i."""

    uses: Sequence[Use]
    n_samples: int
    n_outputs: int

    def add_images(self, directions: FactoredDirections, images: Tensor) -> None:
        """Add J Ω to images (n, q, p)."""
        for use in self.uses:
            use.add_images(directions, images)

    def images(self, directions: FactoredDirections) -> Tensor:
        """J Ω, (n·q, p)."""
        like = next(iter(directions.left.values()))
        images = like.new_zeros(self.n_samples, self.n_outputs, directions.count)
        self.add_images(directions, images)
        return images.flatten(0, 1)

    def write_rows(self, function: ParametricFunction, rows: Tensor) -> None:
        """Write J into rows (n, q, all scalars of the parameters that may move), with zeros for parameters that have no use here."""
        columns, written = function.columns, set()
        for use in self.uses:
            for operand, gradients in use.gradients():
                name = operand.name
                part = rows[:, :, columns[name]]
                gradients = gradients.reshape(*part.shape[:2], *operand.shape)
                if operand.index is not None:
                    if name not in written:
                        part.zero_()
                    part.index_add_(2, operand.index.reshape(-1).to(part.device), gradients.flatten(2))
                else:
                    lying = gradients.transpose(2, 3) if operand.flipped else gradients
                    whole = part.view(*part.shape[:2], *operand.whole)
                    (whole.add_ if name in written else whole.copy_)(lying.reshape(whole.shape))
                written.add(name)
        for name, where in columns.items():
            if name not in written:
                rows[:, :, where] = 0
