"""Whether a refinement is what its dense twin says, within what rounding can explain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.subspace import SketchedSubspace
from tests.fuzz.cases import Case
from tests.fuzz.twin import Twin

SAFETY = 300.0  # times what one rounding error of everything does
EXACT_ROUTES = ("row-blocks", "matrix-free")
TOLD = 0.1  # of the length of an image, that rounding may change of one that is told
MEANINGLESS = 1e-3  # of the size of the data: a tolerance beyond it tests little
SLACK = 30.0  # that such a comparison is given beside
ANY = 0.5  # rounding leaves nothing of it
ASKEW = 1e-6  # that V may be off an orthonormal one
SPLITS = {"train": "train", "validation": "val", "test": "test"}


@dataclass
class Judgement:
    """What was compared.

    Attributes:
        wrong: what differs by more than rounding, a sentence each.
        worst: largest difference found, against the size of the data, where rounding allows to tell.
        strain: largest difference in units of its tolerance.
        loose: comparisons whose tolerance had outgrown the data.
    """

    wrong: list[str] = field(default_factory=list)
    worst: float = 0.0
    strain: float = 0.0
    loose: int = 0
    count: int = 0

    def compare(self, what: str, found: float, right: float, tolerance: float, size: float) -> None:
        """Two values that should be equal."""
        self.count += 1
        difference = abs(found - right)
        if not math.isfinite(found) and not math.isfinite(right):
            return
        if tolerance > MEANINGLESS * size:
            self.loose += 1
            tolerance *= SLACK
        elif math.isfinite(difference) and tolerance > 0:
            self.worst = max(self.worst, difference / size)
            self.strain = max(self.strain, difference / tolerance)
        if not difference <= tolerance:
            self.wrong.append(f"{what}: {found:.6e}, dense {right:.6e}, tolerance {tolerance:.1e}")

    def require(self, what: str, holds: bool) -> None:
        self.count += 1
        if not holds:
            self.wrong.append(what)


def judge(case: Case, problem: SupervisedProblem, result: Refinement, twin: Twin) -> Judgement:
    """All comparisons of one refinement."""
    found = Judgement()
    solved = twin.divided(result.setting.function.sizes)
    basis, solved_basis = Basis(result, twin), Basis(result, solved)
    for rank in _ranks(result):
        _errors(found, result, twin, basis, rank)
        _optimum(found, case, result, solved, solved_basis, rank)
    _predictor(found, problem, result, twin)
    _subspace(found, case, result, solved, solved_basis)
    _settings(found, case, result)
    return found


class Basis:
    """V (m_total, R) as the run has it, and J V on the training rows, by the twin and by its neighbour.

    Of a factored basis V = Ω C it has the random directions Ω as well.
    """

    def __init__(self, result: Refinement, twin: Twin) -> None:
        rank, function = result.subspace.rank, result.setting.function
        self._expand, self._dtype, self._twin = function.expand, function.dtype, twin
        own = result.subspace.delta(torch.eye(rank, dtype=function.dtype))
        self.scale = result.subspace.scale.double()
        self.directions = self._whole(own.unbind(1)) if rank else None
        self.images = self.nearby = None
        if self.directions is not None:
            self.images, self.nearby = (part["train"].jacobian @ self.directions for part in (twin.splits, twin.nearby))
        self._omega, self._lengths = None, {}
        if isinstance(result.subspace, SketchedSubspace):
            drawn = result.subspace.directions
            one_by_one = torch.eye(drawn.count, dtype=function.dtype).unbind(0)
            self._omega = self._whole([drawn.combination(one) for one in one_by_one])
            self._lengths = {name: (rows.jacobian @ self._omega).norm(dim=0) for name, rows in twin.splits.items()}

    def noise(self, split: str, delta: Tensor) -> float:
        """Rounding of an error that comes out of a factorisation: relative to norms, not to entries.

        A step Δθ = Ω w in random directions is a sum that cancels where parameters have very different sizes.
        """
        twin = self._twin
        norms = float(twin.splits[split].jacobian.norm()) + float(twin.splits["train"].jacobian.norm())
        parts = norms * float(delta.norm())
        parts += float(self.cancelled(split, delta[:, None]))
        return twin.noise(split, delta) + twin.rounding * parts

    @property
    def askew(self) -> float:
        """What rounding leaves of orthonormality: random directions are made orthonormal by their Gram matrix, whose κ is that of Ω squared."""
        if self._omega is None:
            return SAFETY * self._twin.rounding
        values = torch.linalg.svdvals(self._omega)
        kept = values[values > 0.1 * math.sqrt(self._twin.rounding) * values[0]]
        return min(ANY, SAFETY * self._twin.rounding * float(kept[0] / kept[-1]) ** 2)

    def cancelled(self, split: str, steps: Tensor) -> Tensor:
        """Σ ‖J ω‖ |w| of steps Ω w (m, k): (k,)."""
        if self._omega is None or not bool(steps.any()):
            return steps.new_zeros(steps.shape[1])
        weights = torch.linalg.lstsq(self._omega, steps, driver="gelsd").solution
        return self._lengths[split] @ weights.abs()

    def _whole(self, steps: Sequence[Tensor]) -> Tensor:
        return torch.stack([self._expand(step) for step in steps], 1).double()


def _ranks(result: Refinement) -> list[int]:
    """A few that were solved, the chosen one among them."""
    top = result.sweep.max_rank
    wanted = {0, 1, 2, top // 2, top - 1, top, result.rank}
    return sorted(r for r in wanted if 0 <= r <= top and result.sweep.solved[r])


def _size(twin: Twin, split: str) -> float:
    rows = twin.splits[split]
    return float(rows.outputs.norm() + rows.targets.norm()) / math.sqrt(len(rows.targets))


def _errors(found: Judgement, result: Refinement, twin: Twin, basis: Basis, rank: int) -> None:
    """The sweep's errors against those of q + J Δθ."""
    delta = result.delta_at(rank).double()
    for split, short in SPLITS.items():
        if split not in twin.splits:
            continue
        rows = twin.splits[split]
        right = float((rows.predicted(delta) - rows.targets).norm()) / math.sqrt(len(rows.targets))
        said = float(getattr(result.sweep, f"{short}_mse")[rank]) ** 0.5
        tolerance = SAFETY * basis.noise(split, delta) / math.sqrt(len(rows.targets))
        found.compare(f"{split} error of the sweep at rank {rank}", said, right, tolerance, _size(twin, split))


FACTORED = 1e6  # roundings of the longest direction, below which one of factored directions may be rounding


def _optimum(found: Judgement, case: Case, result: Refinement, twin: Twin, basis: Basis, rank: int) -> None:
    """Δθ solves the least-squares problem in the span of the first `rank` directions, its damping as rows of their own."""
    if rank == 0 or basis.images is None or basis.nearby is None or case.settings.get("published") in (3, 4):
        return
    rows, delta = twin.splits["train"], result.delta_at(rank).double()
    images = basis.images / basis.scale
    coefficients = result.solutions.at(rank).double() * basis.scale[:rank] if result.solutions.is_solved(rank) else None
    penalty = float(str(case.settings.get("damping", 0.0))) * float(torch.linalg.matrix_norm(images, 2))
    matrix = torch.cat([images[:, :rank], penalty * torch.eye(rank, dtype=images.dtype)])
    residual = torch.cat([rows.residual, images.new_zeros(rank)])
    missed = float((rows.predicted(delta) - rows.targets).norm())
    reached = math.hypot(missed, 0.0 if coefficients is None else penalty * float(coefficients.norm()))
    least = _least(matrix, residual, 0.0)
    lengths = images.norm(dim=0)
    cut = 3 * float(str(case.settings.get("rcond") or 0.0))
    factored = (
        result.setting.strategy.name == "factored"
    )  # its directions are sums of long terms, and leave less to be told
    short = max(cut, (FACTORED if factored else SAFETY) * twin.rounding)
    moved = (basis.nearby - basis.images).norm(dim=0) / basis.scale
    # what is shorter is rounding, other in each computation; so is what a rounding error of the inputs moves by much of itself
    strong = (lengths >= short * lengths.max()) & (moved <= TOLD * lengths)
    most = _least(matrix[:, strong[:rank]], residual, max(30 * result.setting.rcond, 1e4 * twin.rounding))
    tolerance = SAFETY * (basis.noise("train", delta) + twin.rounding * penalty * float(delta.norm()))
    size = _size(twin, "train") * math.sqrt(len(rows.targets))
    nearest = min(max(reached, least), most)
    found.compare(f"what the step at rank {rank} minimises", reached, nearest, tolerance, size)


def _least(images: Tensor, residual: Tensor, cut: float) -> float:
    """min ‖A c + f‖ with columns scaled to length one and singular values below the cut left out."""
    lengths = images.norm(dim=0)
    left, values, _ = torch.linalg.svd(images / torch.where(lengths > 0, lengths, 1.0), full_matrices=False)
    kept = left[:, values > max(cut, torch.finfo(torch.float64).eps) * values[:1].clamp_min(1e-300)]
    return float((residual - kept @ (kept.T @ residual)).norm())


def _predictor(found: Judgement, problem: SupervisedProblem, result: Refinement, twin: Twin) -> None:
    """What is delivered gives q + J Δθ, and the errors that are reported are its own."""
    delta, function = result.delta.double(), result.setting.function
    for split, short in SPLITS.items():
        if split not in twin.splits:
            continue
        rows, x = twin.splits[split], problem.splits()[split].inputs
        given = result.predictor(x.to(function.dtype) if x.is_floating_point() else x.clone())
        right = rows.predicted(delta)
        found.require(f"the predictor gives {given.shape} on {split}", given.numel() == right.numel())
        if given.numel() != right.numel():
            continue
        size, root = _size(twin, split), math.sqrt(len(right))
        tolerance = SAFETY * twin.noise(split, delta) / root
        difference = float((given.detach().double().reshape(-1) - right).norm()) / root
        found.compare(f"predictor on {split}", difference, 0.0, tolerance, size)
        for name, step in (("refined", delta), ("base", torch.zeros_like(delta))):
            said = getattr(getattr(result.summary, name), f"{short}_mse")
            right_error = float((rows.predicted(step) - rows.targets).norm()) / root
            noise = SAFETY * twin.noise(split, step) / root
            found.compare(f"{name} {split} error reported", math.sqrt(said), right_error, noise, size)


def _subspace(found: Judgement, case: Case, result: Refinement, twin: Twin, basis: Basis) -> None:
    """V is orthonormal, its images have the lengths reported, and these are the singular values where the sketch is wide enough."""
    if basis.directions is None or basis.images is None or "published" in case.settings:
        return
    config, free = result.setting.config, result.setting.function.n_params
    jacobian = twin.splits["train"].jacobian
    moving = basis.directions.abs().sum(1) > 0
    plain = basis.directions / basis.scale
    gram = plain.T @ plain
    askew = float((gram - torch.eye(len(gram), dtype=gram.dtype)).abs().max())
    found.require(f"V is orthonormal up to {askew:.1e} only", askew <= max(ASKEW, basis.askew) or basis.askew >= ANY)
    weight = 1.0 if config.source == "outputs" else 1 / math.sqrt(len(jacobian))
    said = result.subspace.singular_values.double()
    size = weight * float(jacobian.norm())
    change = float((twin.nearby["train"].jacobian - jacobian).norm())
    sums = float(jacobian.norm()) * math.sqrt(len(jacobian)) + float(basis.cancelled("train", plain).max())
    tolerance = weight * SAFETY * (change + twin.rounding * sums)
    lengths = weight * (basis.images / basis.scale).norm(dim=0)
    found.compare("lengths of the modes", float((lengths - said).abs().max()), 0.0, tolerance, size)
    dense = weight * torch.linalg.svdvals(jacobian[:, moving])
    dense = torch.cat([dense, dense.new_zeros(max(0, len(said) - len(dense)))])[: len(said)]
    found.compare(
        "singular values too large", max(0.0, float((said - dense).max())), 0.0, tolerance + askew * size, size
    )
    width = (config.max_rank or 0) + config.oversampling
    exact = result.setting.strategy.name in EXACT_ROUTES and width >= min(len(jacobian), free)
    if exact and config.basis_points is None:
        loss = max(tolerance, size * 1e-5) if config.sketch_dtype == "float32" else tolerance
        found.compare("singular values", float((said - dense).abs().max()), 0.0, loss, size)


def _settings(found: Judgement, case: Case, result: Refinement) -> None:
    """Rank, dtype and the parameters that may move are what was asked for."""
    settings, function = case.settings, result.setting.function
    rank, most = settings.get("rank"), settings.get("max_rank")
    if isinstance(rank, int):
        found.require(f"rank {result.rank} in place of {rank}", result.rank == rank)
    if isinstance(most, int):
        found.require(f"largest rank {result.sweep.max_rank} in place of {most}", result.sweep.max_rank <= most)
    dtype = "float32" if "published" in settings else str(settings.get("dtype", "float64"))
    found.require(f"{function.dtype} for {dtype}", str(function.dtype) == f"torch.{dtype}")
    asked = "auto" if "published" in settings else settings.get("strategy", "auto")
    found.require(f"route {result.setting.strategy.name} for {asked}", asked in ("auto", result.setting.strategy.name))
    share = settings.get("parameter_fraction")
    if isinstance(share, float):
        moved = int((result.delta != 0).sum())
        found.require(f"{moved} scalars moved", moved <= max(1, share * function.n_total))
