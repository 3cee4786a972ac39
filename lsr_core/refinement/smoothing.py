"""How strong the penalty of a refinement is: by the rule that its config names, from the factor that the solve has anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lsr_core.linalg.averaging import Average
from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.linalg.taken_up import taken_up
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.held_out import HeldOut
from lsr_core.refinement.noise_level import FEWEST_REPEATS, noise_level
from lsr_core.refinement.penalised import family_of, penalised, share_of_weights
from lsr_core.refinement.shared_noise import SharedNoise
from lsr_core.refinement.solve import LinearSolve
from lsr_core.refinement.strengths import strength

CHANCE = 0.16  # of a gain by chance, of training samples left out: about one standard error, as they err on the side of the network
EVEN = 0.5
SAMPLES_SHOW = 5  # samples that make a gain of a hundred thousandfold sure
CLEAR = 1e-5


@dataclass(frozen=True, eq=False)
class Smoothing:
    """A strength and what follows from it.

    Attributes:
        rule: that was asked for, and `used` the one that chose: auto stands for another, a number for itself.
        strength: λ, absolute; 0 = none, infinite = the network as it is; of an average the one that spends as many degrees of freedom.
        average: over strengths, where the rule takes one.
        rank: directions it belongs to.
        seen: whether the network counts as trained on these samples.
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
    average: Average | None
    rank: int
    seen: bool
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
    def averaged(self) -> list[tuple[float, float]]:
        """Strengths of the average, as `value`, and their weights; empty where there is none."""
        if self.average is None:
            return []
        strengths = (self.average.strengths / self.largest).tolist()
        return list(zip(strengths, self.average.weights.tolist(), strict=True))

    @property
    def penalty(self) -> float | Tensor:
        """λ, or of an average what stands for it in each singular direction (k,)."""
        return self.strength if self.average is None else self.average.penalties(self.family.values)

    @property
    def at(self) -> Tensor:
        """The penalty as the family takes it: (1,) or (1, k), finite, and above 0 by next to nothing where there is none."""
        if self.average is not None:
            return self.average.penalties(self.family.values)[None]
        return self.family.values.new_tensor([self.strength or self.largest * 1e-300])

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
        return self.refines or (self.seen and math.isfinite(self.strength))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of what is delivered."""
        if not self.refines or self.largest == 0:
            return 0.0
        return float(self.family.degrees_of_freedom(self.at)[0])

    @property
    def left_out_at(self) -> float | Tensor:
        """The penalty, or, where nothing of a sample is left to the others there, the next one of the grid where something is.

        A fit that goes through every sample has no other way to be held against samples that it does not see.
        """
        if self.held_out is None:
            return self.penalty
        later = (value for value in self.family.grid().tolist() if value > self.strength)
        return next((at for at in (self.penalty, *later) if self.held_out.tells(at)), self.penalty)

    @property
    def known_to_network(self) -> Tensor:
        """λ of a solution that has taken up as much of the samples as the network has, as its residual shows.

        Of one that counts as trained on them it is as much as this solution at least, of any other at most.
        """
        at = torch.as_tensor(self.left_out_at).to(self.family.values)
        shown = taken_up(self.family, float(self.family.noise(self.at)[0]))
        return torch.minimum(shown, at) if self.seen else torch.maximum(shown, at)

    def in_force(self, solve: LinearSolve) -> LinearSolve:
        """The solve with this penalty at every rank."""
        if not self.refines or self.strength == 0:
            return solve
        return penalised(solve, self.family, self.strength, self.average)


NOT_STRETCHED = "Nothing was refined, so bands=conformal has no effect: there are no misses of a refinement by which bands could be stretched."


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
    family = family_of(solve, rank, share_of_weights(config))
    in_pairs = config.regularise == "auto"
    held_out = HeldOut.of(setting, solve.subspace, family, in_pairs=in_pairs) if rank > 0 else None
    sizes = float(setting.part_sizes.square().reciprocal().mean())
    shared = SharedNoise.of(family, held_out, setting.train.inputs) if in_pairs and held_out is not None else None
    taken = strength(
        config.regularise, family, held_out, share=sizes, eps=torch.finfo(setting.function.dtype).eps, shared=shared
    )
    found = Smoothing(
        family=family, held_out=held_out, rule=config.regularise, used=taken.used, strength=taken.value, average=taken.average, rank=rank,
        seen=config.prior == "weights",
        noise=family.values.new_zeros(setting.n_outputs), noise_by="", repeated=False, optima=taken.optima, shown=True, why="", notes=[],
    )  # fmt: skip
    level = noise_level(setting.train, found.penalty, found.at, family, held_out, shared)
    found = replace(found, noise=level.sigma, noise_by=level.how, repeated=level.repeated)
    found = replace(found, notes=_notes(solve, held_out, family, shared, level.spare))
    return _as_asked(_judged(found), config)


def _judged(found: Smoothing) -> Smoothing:
    """With the answer whether to refine at all: samples that the solution does not see must gain by it."""
    if not math.isfinite(found.strength):
        return replace(found, shown=False, why=f"auto: do not refine, {_nothing_to_do(found)}")
    how = (
        "without a penalty"
        if found.strength == 0
        else "smoothed"
        if found.average is None
        else "averaged over strengths"
    )
    chose = f"auto: all directions, {how} by {found.used}"
    if found.held_out is None:
        estimate = float(found.family.gcv(found.at)[0])
        shown = estimate < found.family.base or found.strength == 0
        if shown:
            return replace(found, why=chose)
        return replace(
            found,
            shown=False,
            why="auto: do not refine, its estimated error is not below the network's (by cross-validation)",
        )
    known = found.known_to_network
    gains = found.held_out.gains(found.rank, found.left_out_at, known)
    tells = "linear model" if found.seen else "residual"
    own = f", of the network's own training too as far as its {tells} tells" if bool(known.isfinite().any()) else ""
    count, out = (
        len(found.held_out.places),
        "left out in turn" + (", neighbours together" if found.rule == "auto" else ""),
    )
    if _shows(gains, found.rank, count, found.seen):
        return replace(found, why=f"{chose}, better on {count} training samples {out}{own}")
    if gains.count < 2:
        one = "a single training sample" if count == 1 else f"{count} training samples at one place"
        return replace(found, shown=False, why=f"auto: do not refine, {one} cannot show a gain")
    gain = f"its gain is {gains.errors(found.rank):.1f} standard errors by {count} training samples {out}"
    return replace(found, shown=False, why=f"auto: do not refine, {gain}, which may be chance")


def _as_asked(found: Smoothing, config: RefineConfig) -> Smoothing:
    """A rank that was asked for is taken whether or not a gain is shown, and a setting without effect is told."""
    if isinstance(config.rank, int) and found.rank > 0:
        why = found.why.removeprefix("auto: ").removeprefix("all directions, ")
        if math.isfinite(found.strength):
            word = "" if found.shown else "left to itself: "
            found = replace(found, shown=True, why=f"fixed; {word}{why}")
        else:
            found = replace(found, why=f"not the {config.rank} asked for, as no correction is left of it: {why}")
    if config.bands == "conformal" and not found.refines:
        found = replace(found, notes=[*found.notes, NOT_STRETCHED])
    return found


def _nothing_to_do(found: Smoothing) -> str:
    if found.family.base == 0:
        return f"there is no residual (by {found.used})"
    if found.used.startswith("discrepancy:"):
        return f"the network as it is leaves no more than the noise that was given (by {found.used})"
    return f"the network as it is fits as well as any correction of it (by {found.used})"


def _shows(gains: Gains, rank: int, samples: int, seen: bool) -> bool:
    """Of a network that is said to have been trained on these samples neither error is more certain than the other, and the smaller one counts."""
    clear = samples >= SAMPLES_SHOW and gains.error(rank) <= CLEAR * gains.base
    return clear or gains.shows(rank, EVEN if seen else CHANCE)


def _notes(
    solve: LinearSolve, held_out: HeldOut | None, family: RidgeFamily, shared: SharedNoise | None, spare: int
) -> list[str]:
    """What the reader should know of what was counted as independent."""
    notes = []
    outputs = solve.setting.n_outputs
    if outputs > 1:
        notes.append(
            f"The {outputs} outputs of a sample are counted as independent measurements by the evidence and by cross-validation; "
            "samples are left out with all of theirs."
        )
    if shared is not None:
        notes.append(
            f"Close neighbours seem to share their noise (a correlation of {shared.correlation} explains the values better than none) and are not "
            "counted as independent. What neighbours share is hard to tell from signal: between samples the error may be larger than it seems."
        )
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
