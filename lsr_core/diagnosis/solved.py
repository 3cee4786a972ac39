"""Whether the refined field solves its equation: residuals beside the terms they are made of, and how far other fields with no larger
residual lie from it.

A small residual alone proves little: it may be small beside terms that are smaller still, and where the equation amplifies errors (a field
that grows from a small start, an eigenvalue, a condition that is missing) fields far apart share it. So the second question is asked of the
linearised problem in the subspace: of all c with ‖G c‖ ≤ ‖r‖, how large can Φ c be beside u? Generalised singular values of (Φ, G) answer it
(Golub & Van Loan 2013, § 6.1.6), taken from one singular value decomposition of both, stacked.

That is the worst case: all of the residual in the direction that moves the field most. A linear equation whose solution the subspace resolves
shows by its course over ranks how far it has come: error and residual fall together, so that of two ranks whose fields lie d apart and whose
residuals have the ratio q the better has an error of about q d / (1 - q) left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import pad

from lsr_core.diagnosis.conditions import is_inside, outputs_read
from lsr_core.networks.rows_about import rows_about
from lsr_core.problems.physics.residuals import BlockRows
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.relative_residual import is_zero, jets_of, relative_residual_of

ROWS_A_DIRECTION = 5  # of the residual, from which its derivative along the directions is taken
FEW_ROWS = 600
POINTS = 300  # at which fields are compared
RESOLVED = 1e-9  # of the size of the terms: a residual below it counts as this large
MODE = 1e-4  # of the terms, that a mode may leave which the subspace resolves no better; zero itself leaves nothing
NEGLIGIBLE = 1e-12  # of the largest singular value of both, below which a direction moves neither
LEVEL = 0.1  # of the size of an output: its variation counts as at least this large
SMALL_OUTPUT = 1e-3  # of the largest output: the size that a smaller one is compared with
COURSE = (0.5, 0.7, 0.85)  # of the rank: lower ones whose fields and residuals tell how the error falls
DIRECTION_BYTES = 2**28  # of directions; where a subspace is larger its leading ones are taken


@dataclass(frozen=True)
class Solved:
    """What is measured on the refined field of an equation, at points that the solve has not seen.

    Attributes:
        relative_residual: root mean square of a row over that of the sum of the sizes of its terms, the largest of all blocks.
        block: where that is.
        ambiguity: largest change of the field, relative to its variation or a tenth of its size, that leaves a residual no larger than its
            own, by the linearised equation in the subspace; None where nothing was solved for.
        nonlinear: whether the derivatives of the rows by the field depend on the field.
        zero: whether zero solves everything and the field is zero, so that both are beside the size of the network's field.
        course: error that is left by the course over ranks, relative as the ambiguity is; None where the equation is not linear.
    """

    relative_residual: float
    block: str
    ambiguity: float | None
    nonlinear: bool = False
    zero: bool = False
    course: float | None = None


def solved(refinement: Refinement) -> Solved:
    """Measure the refined field of an equation; about the work of one Gauss-Newton step.

    Where zero solves everything and the refined field is zero but for rounding, both measures are beside the size of the network's field.
    """
    setting = cast(PhysicsSetting, refinement.setting)
    alpha = refinement.solutions.at(refinement.rank)
    delta = refinement.subspace.delta(alpha)
    found = relative_residual_of(setting, delta)
    norms = refinement.summary.residual_norm
    residual = max(norms.nonlinear or 0.0, norms.fresh_nonlinear or 0.0)
    if len(alpha) == 0:
        return Solved(found.worst, found.block, None, found.bent)
    directions = _directions(refinement, alpha)
    if not is_zero(setting, delta, _known_at(setting)[0][0]):
        change = _ambiguity(setting, directions, delta, max(residual, RESOLVED * found.terms))
        course = None if found.bent else _course(refinement, alpha)
        return Solved(found.worst, found.block, change, found.bent, course=course)
    terms = relative_residual_of(setting, torch.zeros_like(delta)).terms
    change = _ambiguity(setting, directions, delta, max(residual, MODE * terms), zero=True)
    return Solved(residual / max(terms, 1e-300), found.block, change, found.bent, zero=True)


def _ambiguity(
    setting: PhysicsSetting, directions: Tensor, delta: Tensor, residual: float, *, zero: bool = False
) -> float | None:
    """How far other fields lie from u0 + J Δθ whose residual is no larger, beside the variation of that field, or of the network's."""
    if not residual > 0:
        return None
    at = directions.new_zeros(directions.shape[1])
    at[-1] = 0.0 if zero else delta.norm()
    moved = _triangle(_slopes(setting, directions, delta)) / residual
    fields = _triangle(_field_modes(setting, directions, at))
    if zero:  # what solves it as well would be lost beside far longer columns
        lengths = torch.cat([moved, fields]).norm(dim=0).clamp_min(1e-300)
        moved, fields = moved / lengths, fields / lengths
    return _farthest(moved, fields)


def _course(refinement: Refinement, alpha: Tensor) -> float | None:
    """Error that is left if it goes on falling as the residual at fresh points does: the largest that a lower rank tells."""
    rank, squares = len(alpha), refinement.sweep.val_mse
    lower = sorted({round(share * rank) for share in COURSE})
    lower = [one for one in lower if one > 0 and refinement.solutions.is_solved(one)]
    if not lower or not math.isfinite(squares[rank]):
        return None
    steps = torch.stack([alpha, *(pad(refinement.solutions.at(one), (0, rank - one)) for one in lower)], dim=1)
    directions = refinement.subspace.delta(torch.cat([steps[:, :1], steps[:, 1:] - steps[:, :1]], dim=1))
    at = directions.new_zeros(len(lower) + 1)
    at[0] = 1.0
    apart = _field_modes(cast(PhysicsSetting, refinement.setting), directions, at).norm(dim=0)[1:].tolist()
    shares = [math.sqrt(squares[rank] / max(squares[one], 1e-300)) for one in lower]
    return max(d * q / (1 - q) if q < 1 else math.inf for d, q in zip(apart, shares, strict=True))


def _farthest(moved: Tensor, fields: Tensor) -> float:
    """max ‖fields c‖ for ‖moved c‖ ≤ 1."""
    left, values, _ = torch.linalg.svd(torch.cat([moved, fields]), full_matrices=False)
    kept = values > NEGLIGIBLE * values[0]
    share = float(torch.linalg.matrix_norm(left[len(moved) :, kept], 2))
    return share / math.sqrt(max(1 - share**2, 1e-30))


def _directions(refinement: Refinement, alpha: Tensor) -> Tensor:
    """The leading directions of the subspace that have room, and the step itself in the last column, at unit length, (m, k + 1)."""
    size = refinement.setting.function.n_params * alpha.dtype.itemsize
    count = max(1, min(len(alpha), DIRECTION_BYTES // size))
    leading = refinement.subspace.delta(torch.eye(count).to(alpha))
    step = refinement.subspace.delta(alpha)
    return torch.cat([leading, (step / step.norm().clamp_min(1e-300))[:, None]], dim=1)


def _slopes(setting: PhysicsSetting, directions: Tensor, delta: Tensor) -> Tensor:
    """∂r/∂c (N, k) of the refined field u0 + J Δθ, at some of the fitted points, weighted as all of them are."""
    wanted = max(FEW_ROWS, ROWS_A_DIRECTION * directions.shape[1])
    total = sum(block.n_rows for block in setting.fitted)
    some = []
    for block in setting.fitted:
        count = len(block.points)
        share = max(
            wanted / total, wanted / (len(setting.fitted) * count * block.width)
        )  # an edge has few points, and all matter
        some.append(block.restricted(_spread(count, share).to(block.points.device)))
    return torch.cat([part for block in some for part in _slopes_of(setting, block, directions, delta)])


def _slopes_of(setting: PhysicsSetting, block: BlockRows, directions: Tensor, delta: Tensor) -> Iterator[Tensor]:
    """The same of one block, some points at a time."""
    size = directions.shape[0] * block.width * directions.dtype.itemsize
    for points in block.points.split(max(1, setting.plan.block_bytes // size)):
        part = BlockRows(block.block, points, block.residual, block.width)
        field = jets_of(setting, part, delta)
        if setting.strategy.name == "matrix-free":
            modes = block.residual.components().at(points, field.shape[1], "matrix-free").matmat(directions)
            slopes = block.residual.component_slopes(points, field)
            yield torch.bmm(slopes, modes.unflatten(0, field.shape)).flatten(0, 1)
        else:
            yield rows_about(block.residual, points, field, block.width) @ directions


def _field_modes(setting: PhysicsSetting, directions: Tensor, at: Tensor) -> Tensor:
    """Φ (P, k) of the outputs, each at points where an equation reads it, so that ‖Φ c‖ is the change of the field beside its variation."""
    parts, sizes = [], []
    for points, outputs in _known_at(setting):
        modes = setting.strategy.at(points).matmat(directions)
        field = setting.function.outputs(points) + (modes @ at).reshape(len(points), -1)
        by_output = modes.reshape(len(points), field.shape[1], -1)
        for output in outputs:
            values = field[:, output]
            sizes.append(torch.maximum(values.std(correction=0), LEVEL * values.square().mean().sqrt()))
            parts.append(by_output[:, output] / math.sqrt(len(points)))
    largest = torch.stack(sizes).max()
    scaled = [
        part / torch.maximum(size, SMALL_OUTPUT * largest).clamp_min(1e-300)
        for part, size in zip(parts, sizes, strict=True)
    ]
    return torch.cat(scaled)


def _known_at(setting: PhysicsSetting) -> list[tuple[Tensor, list[int]]]:
    """Points with the outputs that are asked for there: those shown, or where equations hold in parts of the domain only their own points."""
    problem, shown = setting.problem, setting.splits[setting.display].inputs
    everywhere = shown[_spread(len(shown), POINTS / len(shown)).to(shown.device)]
    inside = [part for part in setting.fitted if part.block.needs and is_inside(problem, part.block)]
    readers = [
        [part for part in inside if output in outputs_read(problem, part.block)]
        for output in range(len(problem.outputs))
    ]
    if all(len(found) in (0, len(inside)) for found in readers):
        return [(everywhere, list(range(len(problem.outputs))))]
    found = []
    for output, parts in enumerate(readers):
        points = torch.cat([part.places() for part in parts]) if parts else everywhere
        found.append((points[_spread(len(points), POINTS / len(points)).to(points.device)], [output]))
    return found


def _spread(count: int, share: float) -> Tensor:
    wanted = min(count, max(1, math.ceil(count * share)))
    return torch.linspace(0, count - 1, wanted).round().long()


def _triangle(matrix: Tensor) -> Tensor:
    return torch.linalg.qr(matrix, mode="r").R
