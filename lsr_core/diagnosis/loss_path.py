"""Loss along θ0 + αΔθ: of the linearised model, and of the network itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.func import jvp, vmap

from lsr_core.errors import InputError
from lsr_core.networks.footprints import footprint, samples_within
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.jacobians import MatrixFreeJacobian
from lsr_core.networks.pushes import at_each
from lsr_core.networks.residuals import ResidualFunction
from lsr_core.problems.classification import refuse_classes
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import BlockRows, block_rows, residual_vector
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.problems.supervised import SupervisedProblem
from lsr_core.refinement.peaks import PATH_BYTES
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import AGREEMENT, Floats, LossPaths
from lsr_core.refinement.setting import Setting, converted, in_precision_of, relative_l2

BLOCK_VALUES = 2**24
JET_VALUES = 256  # about what a component of a jet takes on its way through the layers
CHUNK = 4096
AT_ONCE = 16  # directions in a forward-mode product; more gain nothing
SINGLE_ABOVE = 1e-4  # relative error of the network from which float32 is enough for its losses
FINE = np.concatenate([[0.0], np.geomspace(1e-8, 1, 65), [1.1, 1.25, 1.5]])
COARSE = np.concatenate([[0.0], np.geomspace(1e-5, 1, 18), [1.25, 1.5]])


@dataclass(frozen=True)
class LossPath:
    """Mean square losses (a,) at step lengths alpha (a,).

    `agreement` is the interval of α from 0 in which the two differ by at most 10 % of the linearised loss.
    """

    alpha: Floats
    linearised: Floats
    nonlinear: Floats
    agreement: tuple[float, float]


class PathRows(Protocol):
    """Rows whose loss is followed along a step."""

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (n,) at θ0, and their derivatives (n, d) along directions (m, d)."""
        ...

    def loss(self, rows: Tensor) -> Tensor:
        """The loss of rows of this kind."""
        ...

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """Losses (a,) of the network at θ0 + directions @ step, for directions (m, d) and steps (a, d)."""
        ...

    def gradient(self) -> Tensor:
        """Of the loss at θ0, (m,)."""
        ...

    def jacobian(self) -> Tensor:
        """Derivatives of all rows at θ0, (rows, m)."""
        ...


def loss_path(problem: Problem, delta: Tensor, alpha: Floats | None = None) -> LossPath:
    """Both losses on all training rows, for Δθ (m,) of any size, in its dtype and on its device.

    Args:
        alpha: step lengths (a,); by default 0, small ones down to 1e-8, 1, and a little beyond.

    Raises:
        InputError: Δθ does not have as many entries as the network has parameters.
    """
    refuse_classes(problem, "the loss path on all rows")
    function = ParametricFunction.from_module(problem.model, dtype=delta.dtype, device=delta.device)
    if delta.shape != (function.n_params,):
        raise InputError(f"has shape {tuple(delta.shape)}, the network has {function.n_params} parameters", key="delta")
    rows: PathRows
    if isinstance(problem, PhysicsProblem):
        rows = ResidualPathRows(block_rows(problem, function))
    else:
        assert isinstance(problem, SupervisedProblem)
        rows = DataPathRows(function, converted(problem.train, delta.dtype, delta.device))
    [path] = _paths(rows, delta[:, None], FINE if alpha is None else np.asarray(alpha, dtype=float))
    return path


def _paths(rows: PathRows, deltas: Tensor, alpha: Floats) -> list[LossPath]:
    """Along each column of `deltas` (m, d).

    The linearised loss ‖f + α G Δθ‖² is a parabola, known from one forward-mode product; the nonlinear one takes a forward pass for each α.
    """
    errors, pushed = rows.linear_parts(deltas)
    steps = torch.as_tensor(alpha, dtype=deltas.dtype, device=deltas.device)
    paths = []
    for delta, along in zip(deltas.unbind(1), pushed.unbind(1), strict=True):
        linearised = torch.stack([rows.loss(errors + step * along) for step in steps])
        nonlinear = rows.losses_at(delta[:, None], steps[:, None])
        first, second = linearised.cpu().double().numpy(), nonlinear.cpu().double().numpy()
        paths.append(LossPath(alpha, first, second, agreement_interval(alpha, first, second)))
    return paths


def loss_paths(refinement: Refinement, rows: int = 128, alpha: Floats = COARSE) -> LossPaths:
    """Paths for all ranks of the ladder, on at most about `rows` training samples spread evenly."""
    chosen, count = some_rows(refinement.setting, rows, refinement.sweep.train_mse[0])
    ranks = refinement.fields.ranks
    paths = [path for _, deltas in refinement.delta_blocks(ranks.tolist()) for path in _paths(chosen, deltas, alpha)]
    return LossPaths(
        ranks=ranks,
        alpha=alpha,
        linearised=np.stack([path.linearised for path in paths]),
        nonlinear=np.stack([path.nonlinear for path in paths]),
        agreement=np.array([path.agreement for path in paths]),
        n_rows=count,
    )


def some_rows(setting: Setting, most: int, refined_from: float) -> tuple[PathRows, int]:
    """Rows spread evenly over the training data, and how many samples they are; `refined_from` is the network's own loss."""
    if isinstance(setting, PhysicsSetting):
        total = sum(len(part.points) for part in setting.fitted)
        most = most // 2  # derivatives cost several times what values do
        parts = []
        for part in setting.fitted:
            wanted = max(1, round(len(part.points) * min(1.0, most / total)))
            parts.append(part.restricted(_spread(len(part.points), wanted, part.points)))
        return ResidualPathRows(parts), sum(len(part.points) for part in parts)
    train = setting.train
    chosen = _spread(len(train.inputs), min(most, len(train.inputs)), train.inputs)
    forward = setting.function
    if relative_l2(refined_from, train) > SINGLE_ABOVE and works_in_single(forward, train.inputs[:1]):
        forward = forward.single_precision()  # half the time, and errors far below what a figure shows
    return DataPathRows(setting.function, Split(train.inputs[chosen], train.targets[chosen]), forward), len(chosen)


def works_in_single(function: ParametricFunction, inputs: Tensor) -> bool:
    """Whether forward takes float32 throughout: it may hold tensors of its own in another precision."""
    single = function.single_precision()
    try:
        return single.outputs(in_precision_of(single, inputs)).dtype == torch.float32
    except RuntimeError:
        return False


def _spread(count: int, wanted: int, like: Tensor) -> Tensor:
    return torch.linspace(0, count - 1, wanted).long().to(like.device)


def agreement_interval(alpha: Floats, linearised: Floats, nonlinear: Floats) -> tuple[float, float]:
    """Largest interval of sampled α around 0 in which the losses differ by at most 10 % of the linearised one."""
    with np.errstate(invalid="ignore"):
        close = np.abs(nonlinear - linearised) <= AGREEMENT * np.abs(linearised)
    zero = int(np.argmin(np.abs(alpha)))
    low = high = zero
    while low > 0 and close[low - 1]:
        low -= 1
    while high + 1 < len(alpha) and close[high + 1]:
        high += 1
    return float(alpha[low]), float(alpha[high])


class DataPathRows:
    """Errors q − y on training samples; the loss is their mean square.

    Args:
        forward: the same function in the precision in which losses away from θ0 are taken.
    """

    def __init__(self, function: ParametricFunction, split: Split, forward: ParametricFunction | None = None) -> None:
        self._function, self._split, self._forward = function, split, forward or function

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        errors = self._function.outputs(self._split.inputs) - self._split.targets
        return errors.flatten(), self._jacobian().matmat(directions)

    def loss(self, rows: Tensor) -> Tensor:
        return rows.square().mean()

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By forward passes, several steps at a time."""
        function, split = self._forward, self._split
        inputs, along = in_precision_of(function, split.inputs), directions.to(function.dtype)
        taken = function.n_params * function.dtype.itemsize + len(inputs) * footprint(function, inputs).live
        width = samples_within(PATH_BYTES, taken, len(steps))

        def loss(step: Tensor) -> Tensor:
            return (function(function.theta0 + along @ step, inputs) - split.targets).square().mean()

        with torch.no_grad():
            return torch.cat([at_each(loss, part) for part in steps.to(function.dtype).split(width)])

    def gradient(self) -> Tensor:
        theta = self._function.theta0.detach().requires_grad_()
        loss = (self._function(theta, self._split.inputs) - self._split.targets).square().mean()
        return torch.autograd.grad(loss, theta)[0]

    def jacobian(self) -> Tensor:
        return self._jacobian().to_dense()

    def _jacobian(self) -> MatrixFreeJacobian:
        function, inputs = self._function, self._split.inputs
        return MatrixFreeJacobian(function, inputs, self._split.targets.shape[1], block_bytes=PATH_BYTES)


class ResidualPathRows:
    """Weighted residual rows of an equation; the loss is their squared norm."""

    def __init__(self, blocks: Sequence[BlockRows]) -> None:
        self._blocks = list(blocks)
        self._start = residual_vector(blocks)
        self._pieces = [
            _Piece(part.residual, points, part.residual.differential(points), part.residual.jets.fixed(_flat(points)))
            for part in blocks
            for points in part.points.split(CHUNK)
        ]

    def linear_parts(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        def pushed(piece: _Piece, delta: Tensor) -> Tensor:
            return jvp(piece.differential, (piece.residual.theta0,), (delta,))[1].reshape(-1)

        parts = [
            piece.residual.along(piece.points, directions)
            if piece.residual.derivatives != "forward"
            else vmap(partial(pushed, piece), in_dims=1, out_dims=1, chunk_size=AT_ONCE)(directions)
            for piece in self._pieces
        ]
        return self._start, torch.cat(parts).detach()

    def loss(self, rows: Tensor) -> Tensor:
        return rows.square().sum()

    def losses_at(self, directions: Tensor, steps: Tensor) -> Tensor:
        """By jets for several steps at a time, and the residual for each."""
        total = steps.new_zeros(len(steps))
        for piece in self._pieces:
            values = len(piece.points) * piece.residual.jets.spec.size * JET_VALUES
            width = max(1, BLOCK_VALUES // values)
            with torch.no_grad():
                moved = [
                    at_each(piece.jets, piece.residual.theta0 + part @ directions.T) for part in steps.split(width)
                ]
                found = [self.loss(piece.residual.of_jets(piece.points, jets)) for part in moved for jets in part]
            total += torch.stack(found)
        return total

    def gradient(self) -> Tensor:
        theta = self._pieces[0].residual.theta0.detach().requires_grad_()
        loss = torch.stack([piece.differential(theta).square().sum() for piece in self._pieces]).sum()
        return torch.autograd.grad(loss, theta)[0]

    def jacobian(self) -> Tensor:
        parts = [block.residual.at(block.points, block.width, "matrix-free").to_dense() for block in self._blocks]
        return torch.cat(parts)


class _Piece(NamedTuple):
    """Some points of a block, with what does not depend on the step made ready."""

    residual: ResidualFunction
    points: Tensor
    differential: Callable[[Tensor], Tensor]
    jets: Callable[[Tensor], Tensor]


def _flat(points: Tensor) -> Tensor:
    return points.reshape(-1, points.shape[-1])
