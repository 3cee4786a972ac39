"""Noise that close neighbours share: told by the evidence of the rows as correlated pairs beside that of the rows as independent ones.

Where two measurements have one error, both lie off by the same amount, and a fit that counts them as independent takes the error for signal: it is
there twice. The evidence asks which of the two explains the values better, and what follows from it then weighs strengths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from lsr_core.linalg.left_out_rows import LeftOutRows
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.refinement.held_out import HeldOut
from lsr_core.refinement.neighbours import close_to

CORRELATIONS = (0.9, 0.99)  # that are tried: next to 1 of noise that is the same, and less where it is much alike
SURE = 3.0  # of the logarithm of the evidence, above which the noise counts as shared (Kass & Raftery 1995: strong)
MOST_VALUES = 250  # beyond which strengths are well enough told by pairs that are left out together


@dataclass(frozen=True, eq=False)
class SharedNoise:
    """The same least-squares problem with rows that have independent noise of one size.

    Attributes:
        correlation: of the noise of two samples that are close to each other.
        family: of the new rows: evidence and noise; its directions are not those of the old rows.
        held_out: the same groups, in their new rows.
        close: the partner (n,) of each sample, −1 where there is none.
    """

    correlation: float
    family: RidgeFamily
    held_out: HeldOut
    close: Tensor

    @classmethod
    def of(cls, family: RidgeFamily, held_out: HeldOut, inputs: Tensor) -> SharedNoise | None:
        """None where noise does not show as shared, no samples are close, or they are too many to ask.

        Args:
            held_out: all samples, neighbours together.
            inputs: of all samples (n, …).
        """
        if not 0 < held_out.errors.numel() == family.n_rows <= MOST_VALUES or family.base == 0:
            return None
        close = close_to(inputs)
        if close is None or not bool((close >= 0).any()):
            return None
        grid = family.grid()
        if not len(grid):
            return None
        alone = _evidence(family, grid)
        found = max((_correlated(family, held_out, close, at) for at in CORRELATIONS), key=lambda pair: pair[1])
        return found[0] if found[1] - alone > SURE else None

    def spent(self, held_out: HeldOut, penalty: float | Tensor) -> float:
        """ρ Σ H_ij over close neighbours i ≠ j: what the fit takes of their noise beyond its degrees of freedom, as E ‖residual‖² = σ² tr (1 − H) C.

        Args:
            held_out: the rows as they are.
            penalty: λ of the fit, one or one for each direction.
        """
        outputs, found = held_out.errors.shape[1], 0.0
        for places, block in held_out.groups:
            together = self.close[places[:, 0]] == places[:, -1]
            if places.shape[1] == 2 and bool(together.any()):
                map_ = block.maps(penalty)[together].unflatten(2, (2, outputs)).unflatten(1, (2, outputs))
                found += 2 * float(map_[:, 0, :, 1].diagonal(dim1=1, dim2=2).sum())
        return self.correlation * found


def _correlated(family: RidgeFamily, held_out: HeldOut, close: Tensor, correlation: float) -> tuple[SharedNoise, float]:
    """The problem at one correlation, and the logarithm of its evidence over all strengths."""
    outputs = held_out.errors.shape[1]
    parts, pairs = [], 0
    for places, block in held_out.groups:
        errors, rows = block.errors_and_rows()
        if places.shape[1] == 2:
            together = close[places[:, 0]] == places[:, 1]
            pairs += int(together.sum())
            errors, rows = (_apart(values, together, correlation, outputs) for values in (errors, rows))
        parts.append((places, errors, rows))
    weight = 1 / math.sqrt(family.n_rows)
    stacked = torch.cat(
        [torch.cat([rows, errors[..., None] * weight], dim=-1).flatten(0, 1) for _, errors, rows in parts]
    )
    new = RidgeFamily(torch.linalg.qr(stacked, mode="r").R, family.n_rows)
    groups = [(places, LeftOutRows(new, rows, errors, weight)) for places, errors, rows in parts]
    # what the change of variables takes off the density
    volume = -0.5 * pairs * outputs * math.log((1 + correlation) * (1 - correlation))
    found = SharedNoise(correlation, new, HeldOut(groups, held_out.errors, held_out.places), close)
    return found, _evidence(new, family.grid()) + volume


def _apart(values: Tensor, together: Tensor, correlation: float, outputs: int) -> Tensor:
    """Values (n, 2·o, …) of pairs whose noise is correlated, as ones of independent noise: times C^(−½) for C = [[1, ρ], [ρ, 1]]."""
    pair = values.unflatten(1, (2, outputs))
    mean, difference = 1 / math.sqrt(1 + correlation), 1 / math.sqrt(1 - correlation)
    own, other = (mean + difference) / 2, (mean - difference) / 2
    mixed = (own * pair + other * pair.flip(1)).flatten(1, 2)
    return torch.where(together.view(-1, *[1] * (values.ndim - 1)), mixed, values)


def _evidence(family: RidgeFamily, grid: Tensor) -> float:
    """Logarithm of the mean evidence over strengths."""
    return float(torch.logsumexp(family.log_evidence(grid), dim=0)) - math.log(len(grid))
