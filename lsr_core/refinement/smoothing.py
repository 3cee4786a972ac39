"""How strong the penalty of a refinement is: by the rule that its config names, from the factor that the solve has anyway."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.linalg.smoothing import RidgeFamily, minima
from lsr_core.linalg.triangular import TriangularSolver, least_of
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.held_out import HeldOut, pure_error
from lsr_core.refinement.solve import LinearSolve

TOGETHER = (
    "evidence and loo"  # what auto stands for: seldom far off where the rules were compared (benchmarks/noise.py)
)
NOT_TOLD = "not told: the network is kept, and has seen its training data"
REPEATED = "from repeated measurements"
FEWEST_REPEATS = 5  # spare measurements from which they alone tell the noise
CHANCE = 0.16  # of a gain by chance, of training samples left out: about one standard error, as they err on the side of the network
SAMPLES_SHOW = 5  # samples that make a gain of a hundred thousandfold sure
CLEAR = 1e-5
ROUNDING = (
    4.0  # times the precision, relative to the largest singular value: below, the penalty would be lost in rounding
)


@dataclass(frozen=True, eq=False)
class Smoothing:
    """A strength and what follows from it.

    Attributes:
        rule: that was asked for, and `used` the one that chose: auto stands for another, a number for itself.
        strength: λ, absolute; 0 = none, infinite = the network as it is.
        rank: directions it belongs to.
        noise: σ (o,) of every output.
        noise_by: how that was found, in words.
        repeated: whether by repeated measurements alone.
        optima: other strengths at which the rule has a local optimum, relative to the largest singular value.
        shown: whether samples that were left out gain by it.
        why: the sentence on that.
    """

    family: RidgeFamily
    held_out: HeldOut | None
    rule: str
    used: str
    strength: float
    rank: int
    noise: Tensor
    noise_by: str
    repeated: bool
    optima: list[float]
    shown: bool
    why: str
    notes: list[str]

    @property
    def largest(self) -> float:
        """Singular value that strengths are relative to."""
        return float(self.family.values[0]) if len(self.family.values) else 0.0

    @property
    def value(self) -> float:
        """The strength as `regularise` and `damping` take it."""
        return self.strength / self.largest if self.largest > 0 and math.isfinite(self.strength) else 0.0

    @property
    def refines(self) -> bool:
        return self.shown and math.isfinite(self.strength)

    @property
    def knows_noise(self) -> bool:
        """Whether σ is more than the residual of a network on the data it was trained on, which is too small where it has fitted the noise."""
        return self.tells_spread or self.repeated or self.family.base == 0

    @property
    def tells_spread(self) -> bool:
        """Whether what is delivered has standard deviations: a refinement, and a network whose weights have a prior."""
        return self.refines or (self.family.apart is not None and math.isfinite(self.strength))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of what is delivered."""
        if not self.refines or self.largest == 0:
            return 0.0
        at = self.family.values.new_tensor([self.strength or self.largest * 1e-300])
        return float(self.family.degrees_of_freedom(at)[0])

    @property
    def left_out_at(self) -> float:
        """The strength, or, where nothing of a sample is left to the others there, the next one of the grid where something is.

        A fit that goes through every sample has no other way to be held against samples that it does not see.
        """
        if self.held_out is None:
            return self.strength
        later = (value for value in self.family.grid().tolist() if value > self.strength)
        return next((at for at in (self.strength, *later) if self.held_out.tells(at)), self.strength)

    def in_force(self, solve: LinearSolve) -> LinearSolve:
        """The solve with this penalty at every rank."""
        if not self.refines or self.strength == 0:
            return solve
        solver = TriangularSolver(
            solve.train.factor,
            rcond=solve.setting.rcond,
            damping=self.value,
            lengths=solve.subspace.scale,
            apart=self.family.whole_apart,
            least=least_of(solve.setting.config.rcond, solve.train.factor),
        )
        return replace(solve, solver=solver)


def smoothed(solve: LinearSolve) -> Smoothing | None:
    """The strength by the rule of the config; None where it names none.

    Raises:
        InputError: the rule needs single samples, and these cannot be left out.
    """
    config, setting = solve.setting.config, solve.setting
    if config.regularise == "none":
        return None
    rank = config.rank if isinstance(config.rank, int) else solve.subspace.rank
    if rank > solve.subspace.rank:
        rank = solve.subspace.rank  # refused with the reason where all solutions are made
    apart = solve.subspace.coordinates(setting.function.theta0) if config.prior == "weights" else None
    family = RidgeFamily(
        solve.train.factor, setting.n_residuals, lengths=solve.subspace.scale, rank=rank, apart=apart,
        least=least_of(config.rcond, solve.train.factor),
    )  # fmt: skip
    held_out = HeldOut.of(setting, solve.subspace, family) if rank > 0 else None
    used = config.regularise
    if used == "auto":
        used = "evidence" if held_out is None else TOGETHER
    strength, optima = _chosen(used, family, held_out, float(setting.part_sizes.square().reciprocal().mean()))
    eps = torch.finfo(setting.function.dtype).eps
    largest = float(family.values[0]) if len(family.values) else 0.0
    if strength <= ROUNDING * eps * largest:
        strength = 0.0
    noise, noise_by = _noise(solve, family, held_out, strength)
    found = Smoothing(
        family=family, held_out=held_out, rule=config.regularise, used=used, strength=strength, rank=rank, noise=noise,
        noise_by=noise_by, repeated=noise_by.startswith(REPEATED), optima=optima, shown=True, why="", notes=_notes(solve, held_out, family),
    )  # fmt: skip
    return _judged(found)


def _chosen(rule: str, family: RidgeFamily, held_out: HeldOut | None, share: float) -> tuple[float, list[float]]:
    """λ, and the other optima of its criterion relative to the largest singular value.

    Args:
        share: what a mean square of outputs as they are has of that of the outputs as the solve takes them, for errors of one size.
    """
    grid = family.grid()
    if len(grid) == 0 or family.base == 0:
        return math.inf, []
    largest = float(family.values[0])
    if rule.startswith("discrepancy:"):
        return family.discrepant(float(rule.partition(":")[2]) ** 2 * share), []
    if rule not in ("gcv", "loo", "evidence", TOGETHER):
        return float(rule) * largest, []
    if rule == "loo" and held_out is None:
        raise InputError(
            "is 'loo', but samples of this problem cannot be left out one at a time (they influence each other, or have too many "
            "values); use gcv or evidence",
            key="regularise",
        )
    found = minima(_criterion(rule, family, held_out), grid)
    if not found:
        return 0.0, []
    strength = found[0][0]
    if strength >= float(grid[-1]):
        strength = math.inf
    inner = [other for other, _ in found[1:] if float(grid[0]) < other < float(grid[-1])]
    return strength, [other / largest for other in inner]


def _criterion(rule: str, family: RidgeFamily, held_out: HeldOut | None) -> Callable[[Tensor], Tensor]:
    """What is smallest at the best λ.

    Evidence hardly ever fails but smooths a little too much where the prior does not fit; the density of samples left out in turn does not ask
    for a prior but varies with the samples. Both are log-densities of the same rows; evidence counts twice.
    """
    if rule == "gcv":
        return family.gcv
    if rule == "evidence" or held_out is None:
        return lambda at: -family.log_evidence(at)
    if rule == "loo":
        return held_out.mean_square
    return lambda at: -2 * family.log_evidence(at) - family.n_rows * held_out.log_density(at)


def _noise(solve: LinearSolve, family: RidgeFamily, held_out: HeldOut | None, strength: float) -> tuple[Tensor, str]:
    """σ of every output, and how it was found."""
    train = solve.setting.train
    variance, spare = pure_error(*train)
    if spare >= FEWEST_REPEATS:
        return variance.sqrt(), f"{REPEATED} ({spare} to spare)"
    outputs = train.targets.shape[1]
    if not math.isfinite(strength) or len(family.values) == 0:
        return variance.new_full((outputs,), math.sqrt(family.base)), NOT_TOLD
    at = family.values.new_tensor([strength or float(family.values[0]) * 1e-300])
    pooled = float(family.noise(at)[0])
    how = "from what the fit leaves and the degrees of freedom it has not spent"
    if outputs == 1 or held_out is None:
        return variance.new_full((outputs,), math.sqrt(pooled)), how
    left = held_out.fitted_errors(strength).square().sum(dim=0)
    free = (1 - held_out.leverages(strength)).sum(dim=0)
    single = torch.where(free > 0, left / free.clamp_min(1e-12), pooled)
    return single.sqrt(), f"{how}, of each output by itself"


def _judged(found: Smoothing) -> Smoothing:
    """With the answer whether to refine at all: samples that the solution does not see must gain by it."""
    if not math.isfinite(found.strength):
        return replace(found, shown=False, why=f"auto: do not refine, {_nothing_to_do(found)}")
    chose = f"auto: all directions, {'smoothed' if found.strength > 0 else 'without a penalty'} by {found.used}"
    if found.held_out is None:
        at = found.family.values.new_tensor([found.strength or found.largest * 1e-300])
        estimate = float(found.family.gcv(at)[0])
        shown = estimate < found.family.base or found.strength == 0
        if shown:
            return replace(found, why=chose)
        return replace(
            found,
            shown=False,
            why="auto: do not refine, its estimated error is not below the network's (by cross-validation)",
        )
    gains = found.held_out.gains(found.rank, found.left_out_at, seen=found.family.apart is not None)
    own = "" if found.family.apart is None else ", of the network's own training too as far as its linear model tells"
    if _shows(gains, found.rank):
        return replace(found, why=f"{chose}, better on {gains.count} training samples left out in turn{own}")
    if gains.count < 2:
        return replace(found, shown=False, why="auto: do not refine, a single training sample cannot show a gain")
    gain = (
        f"its gain is {gains.errors(found.rank):.1f} standard errors by {gains.count} training samples left out in turn"
    )
    return replace(found, shown=False, why=f"auto: do not refine, {gain}, which may be chance")


def _nothing_to_do(found: Smoothing) -> str:
    if found.family.base == 0:
        return f"there is no residual (by {found.used})"
    if found.used.startswith("discrepancy:"):
        return f"the network as it is leaves no more than the noise that was given (by {found.used})"
    return f"the network as it is fits as well as any correction of it (by {found.used})"


def _shows(gains: Gains, rank: int) -> bool:
    clear = gains.count >= SAMPLES_SHOW and gains.error(rank) <= CLEAR * gains.base
    return clear or gains.shows(rank, CHANCE)


def _notes(solve: LinearSolve, held_out: HeldOut | None, family: RidgeFamily) -> list[str]:
    """What the reader should know of what was counted as independent."""
    train, notes = solve.setting.train, []
    outputs = train.targets.shape[1]
    if outputs > 1:
        notes.append(
            f"The {outputs} outputs of a sample are counted as independent measurements by the evidence and by cross-validation; "
            "samples are left out with all of theirs."
        )
    _, spare = pure_error(*train)
    if spare:
        notes.append(
            f"{spare} training samples repeat a measurement at the place of another; those of a place are left out together"
            + ("." if spare >= FEWEST_REPEATS else f", and are too few to tell the noise (below {FEWEST_REPEATS}).")
        )
    if family.beyond == 0 and len(family.values) >= family.n_rows and held_out is not None:
        notes.append(
            "There are as many directions as training values: without the penalty the fit would go through every one of them."
        )
    return notes
