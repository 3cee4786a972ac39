"""What refinement takes off the errors of training samples that the solve does not see: each left out in turn, without solving again.

The residual of sample i in the solution of all others is (1 − Hᵢᵢ)⁻¹ eᵢ with eᵢ its residual in the solution of all and Hᵢᵢ its block of
the projection on the columns of G V (Allen 1974, "The relationship between variable selection and data augmentation"; with damping, of the
ridge solution). The network itself has seen these samples, so their error before refinement is too small: the gain errs on the side of the network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lsr_core.linalg.left_out_rows import SEEN_BY_ITSELF
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import Subspace
from lsr_core.refinement.sweep import RankSolutions

MOST_ROWS = 2000  # of the training rows, at random, beyond which more samples would only cost
MOST_OUTPUTS = 100  # of a sample, up to which its block is decomposed
PART = 6  # random stream


def left_out(setting: Setting, subspace: Subspace, solutions: RankSolutions, rank: int) -> Gains | None:
    """Gains of training samples left out one at a time, at this rank and those of the ladder.

    None where samples influence each other or have very many outputs, or where the solve does not take the rows themselves.
    """
    inputs, targets = setting.train
    outputs = targets.shape[1]
    if not setting.sample_wise or setting.config.published is not None or outputs > MOST_OUTPUTS:
        return None
    some = torch.randperm(len(inputs), generator=setting.generator(PART))[: MOST_ROWS // outputs].to(inputs.device)
    most = solutions.exact_rank
    ranks = ladder(most, required=(rank,) if rank <= most else ())
    some = some[setting.reduction.part(len(some))]
    errors = setting.function.outputs(inputs[some]) - targets[some]
    modes = subspace.modes(inputs[some])[:, :most]
    projected = solutions.solver.orthonormal(modes * setting.weight).unflatten(0, errors.shape)
    losses = []
    for count in ranks:
        found = errors + (modes[:, :count] @ solutions.at(count)).view_as(errors)
        losses.append(_without_itself(found.double(), projected[..., :count].double()).square().mean(dim=1))
    return Gains.of(ranks, torch.stack(losses, dim=1)).over(setting.reduction)


def _without_itself(errors: Tensor, rows: Tensor) -> Tensor:
    """(1 − Q Qᵀ)⁻¹ e for residuals e (n, o) and rows Q (n, o, r) of an orthonormal basis; infinite where nothing is left."""
    shares, vectors = torch.linalg.eigh(rows @ rows.mT)
    rest = 1 - shares
    solved = (vectors @ ((vectors.mT @ errors[..., None]) / rest[..., None]))[..., 0]
    return torch.where((rest > SEEN_BY_ITSELF).all(dim=1, keepdim=True), solved, torch.inf)
