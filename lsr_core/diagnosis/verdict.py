"""What limits a model: rules in the order in which they are tried, each with its threshold.

The reasoning is always the same. If one linear solve removes most of the held-out error, then θ0 had a descent direction that training did
not take: the optimiser and the conditioning were in the way, not the landscape and not the capacity. If it removes little, then either the
network as linearised cannot do better (capacity, data, idle units, a stationary point) or another start would have led elsewhere
(nonconvexity), which only training anew can tell apart. Of an equation the first question is whether the field solves it at all. The three
failure signatures are those of Cao & Zhang (2026).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lsr_core.diagnosis import statements, words
from lsr_core.diagnosis.certainty import confidence
from lsr_core.diagnosis.equation_rules import needs_other_starts, not_solved, untested_starts
from lsr_core.diagnosis.evidence import Figures, figures
from lsr_core.diagnosis.finding import Finding
from lsr_core.diagnosis.further import further
from lsr_core.diagnosis.gain_rules import (
    RESTART,
    SMALL_GAIN,
    SOME_GAIN,
    better_valley,
    gain,
    needs_further,
    reachable,
    still_falling,
)
from lsr_core.diagnosis.other_starts import other_starts, sign_turned
from lsr_core.diagnosis.restarts import restarts
from lsr_core.diagnosis.roughness import ROUGH, TOLD
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import LossPaths
from lsr_core.refinement.summary import Limit, Verdict

ZERO_CORRECTION = 0.99  # of the residual left at every rank: nothing was corrected
DEGRADATION = 1.5  # times the smallest held-out error, at the largest rank
DIVERGED = 1.0  # times the base loss, of the network at θ0 + Δθ …
LINEAR_AT_ONE = 0.1  # … while the linear model is below this share
SOARS = 10.0  # times it: no more needs to be asked than that the training residual falls
FALLS = 0.9  # of the training residual left at some rank: it falls
ROUNDING = 1e3  # times the spacing of numbers, relative error at which figures are rounding
NOISY = 0.5  # of the network's residual on its training values, from which their noise is what a fit is left with
IDLE = 0.5  # of the units of a layer do nothing …
MOSTLY_IDLE = 0.75  # … or, where few samples are overfitted, on which a good network has many idle ones too


def verdict_of(refinement: Refinement, paths: LossPaths | None = None) -> Verdict:
    """The verdict on a refinement; some training anew is spent where nothing else can tell, bounded by work and not by time.

    Args:
        paths: loss paths of the refinement, for the signature "divergence on update".
    """
    known = figures(refinement, paths)
    if needs_other_starts(known):
        assert known.solved is not None
        residual = known.solved.relative_residual
        found = sign_turned(refinement, residual)
        known = replace(known, others=found if found or known.no_other else other_starts(refinement, residual))
    if needs_restarts(known) and not known.no_restart:
        here = reachable(known) <= SMALL_GAIN
        known = replace(known, restarted=restarts(refinement.problem, refinement.summary.seed, here=here))
    if needs_further(known, verdict(known).limit) and not known.no_further:
        known = replace(known, further=further(refinement.problem))
    return verdict(known)


def verdict(known: Figures) -> Verdict:
    """The verdict that follows from the figures: the first rule that applies."""
    finding = next(found for rule in RULES if (found := rule(known)) is not None)
    word, because = confidence(finding.margin, finding.sure, finding.doubt)
    evidence = [*finding.evidence]
    said = {item.sentence for item in evidence}
    evidence += [
        item for item in (*statements.idle_units(known), *statements.worse(known)) if item.sentence not in said
    ]
    return Verdict(
        limit=finding.limit,
        confidence=word,
        because=because,
        sentence=words.sentence(finding.limit, known),
        evidence=evidence,
        advice=finding.advice or words.ADVICE[finding.limit],
        signatures=signatures(known),
        rank=known.rank,
        use=finding.use,
        untested=untested(known, finding.limit),
    )


def signatures(known: Figures) -> list[str]:
    """The published failure signatures that these figures show."""
    found = []
    if known.has_held_out and known.degradation >= DEGRADATION:
        found.append("degradation")
    if _diverges(known):
        found.append("divergence on update")
    if known.fitted > ZERO_CORRECTION:
        found.append("zero correction")
    return found


def untested(known: Figures, limit: Limit) -> list[str]:
    """What this run has not looked at, of what could change its verdict."""
    found = []
    if needs_restarts(known) and known.restarted is None:
        found.append(f"whether another start would do better: {known.no_restart or 'no start was tried'}")
    if not known.has_held_out:
        found.append("samples that the solve has not seen: none were held out")
    if known.is_equation and known.refined_error is None:
        found.append("the error of the field: no solution is known")
        if known.solved is not None and known.solved.nonlinear:
            found += untested_starts(known)
    if known.last_rank is not None:
        found.append(f"ranks beyond {known.last_rank}: the smallest error lies near that end")
    if known.units is None:
        found.append("units that do nothing: this network does not let them be counted")
    if known.linear_at_one is None:
        found.append("the network at θ0 + Δθ: no loss path was taken at this rank")
    if known.further is None and needs_further(known, limit):
        found.append(f"whether training had come to a halt by itself: {known.no_further or 'it was not gone on with'}")
    elif known.further is not None and limit == "unfinished":
        found.append("where training comes to a halt, and whether conditioning is what stops it there")
    return found


def needs_restarts(known: Figures) -> bool:
    """Whether only training from other starts can tell what limits the model."""
    told = _rounded(known) or _overfits(known) or _noisy(known) is not None or bool(statements.rough(known))
    enough = (
        SOME_GAIN if known.has_held_out else SMALL_GAIN
    )  # of training samples a start that overfits them has the least error
    return reachable(known) > enough and not (known.is_equation or told or words.untold(known))


def _rounded(known: Figures) -> bool:
    return known.base_error is not None and known.base_error <= ROUNDING * known.epsilon


def _overfits(known: Figures) -> bool:
    worse = known.degradation >= DEGRADATION and reachable(known) > SMALL_GAIN
    return known.has_held_out and worse and known.fitted <= _fits(known)


def _fits(known: Figures) -> float:
    """Of the training residual left: where rounding ends the directions early, no rank fits the samples, and the others are lost all the same."""
    return FALLS if known.degradation >= SOARS else words.FITS


def _diverges(known: Figures) -> bool:
    if known.linear_at_one is None or known.nonlinear_at_one is None:
        return False
    return known.nonlinear_at_one > DIVERGED and known.linear_at_one < LINEAR_AT_ONE


def _precision_of_results(known: Figures) -> Finding | None:
    """The network's error is rounding already."""
    if known.base_error is None or not _rounded(known):
        return None
    limit = ROUNDING * known.epsilon
    return Finding("precision", [statements.base_error(known, limit)], limit / max(known.base_error, 1e-300))


def _precision_of_weights(known: Figures) -> Finding | None:
    """A step no longer than the rounding of the weights removes the error."""
    step, rounding = known.first_step, known.weight_rounding
    if step is None or step > rounding or rounding <= known.epsilon:
        return None
    advice, use = words.advice_on_gain(known, "precision", first=words.ROUNDED)
    evidence = [statements.first_step(known), *statements.at_rank(known)]
    return Finding("precision", evidence, rounding / max(step, 1e-300), advice=advice, use=use)


def _overfitting(known: Figures) -> Finding | None:
    if not _overfits(known):
        return None
    evidence = [
        statements.degradation(known, DEGRADATION),
        statements.fitted(known, _fits(known)),
        statements.best_rank(known, SMALL_GAIN),
        *statements.rough(known),
    ]
    advice = words.KEEP.format(rank=known.rank) if words.spared(known) else ""
    margin = min(known.degradation / DEGRADATION, reachable(known) / SMALL_GAIN)
    return Finding("overfitting", evidence, margin, 1.5, advice=advice)


def _noisy(known: Figures) -> Finding | None:
    """Much of what the network misses of its training values is their noise, as a smoothing has found."""
    found = known.noise
    if found is None or not found.residual > 0 or found.sigma < NOISY * found.residual:
        return None
    evidence = [*statements.noise(known, NOISY), *statements.at_rank(known)]
    against = words.against_use(known)
    use = against or f"Use the refined predictor at rank {known.rank}."
    share = found.sigma / (NOISY * found.residual)
    return Finding("noise", evidence, share, 1.2, advice=f"{use} {words.ADVICE['noise']}", use=not against)


def _rough(known: Figures) -> Finding | None:
    """Little to gain, and what the network misses does not follow from the inputs, though the targets do."""
    said, found = statements.rough(known), known.rough
    if not said or found is None or reachable(known) <= SMALL_GAIN:
        return None
    evidence = [*said, statements.best_rank(known, SMALL_GAIN), *statements.restarted(known, RESTART)]
    margin = min(found.residual / ROUGH, TOLD / max(found.target, 1e-300))
    return Finding("noise", evidence, margin, 1.2, advice=words.ROUGH)


def _wrong_valley(known: Figures) -> Finding | None:
    """Little to gain from here, much from elsewhere."""
    found = known.restarted
    if found is None or reachable(known) <= SMALL_GAIN or found.fall > RESTART:
        return None
    evidence = [*statements.restarted(known, RESTART), statements.best_rank(known, SMALL_GAIN)]
    return Finding("nonconvexity", evidence, RESTART / max(found.fall, 1e-300))


def _idle(known: Figures) -> Finding | None:
    """Much error is left, and most of a layer is dead, saturated or copies."""
    layer = known.units.idlest if known.units is not None else None
    wrong = (known.refined_error or 0.0) > words.WRONG and not known.is_equation
    share = MOSTLY_IDLE if _overfits(known) else IDLE
    if layer is None or layer.idle < share * layer.width or not (wrong or reachable(known) > SMALL_GAIN):
        return None
    evidence = [
        *statements.idle_units(known),
        *([statements.degradation(known, DEGRADATION)] if _overfits(known) else []),
        statements.best_rank(known, SMALL_GAIN),
        *statements.refined_error(known, words.WRONG),
        *statements.restarted(known, RESTART),
    ]
    doubt = _no_other_start(known) if needs_restarts(known) else ""
    return Finding("units", evidence, layer.idle / (share * layer.width), min(1.5, 1 / share - 0.1), doubt)


def _stationary(known: Figures) -> Finding | None:
    if known.fitted <= ZERO_CORRECTION:
        return None
    evidence = [
        statements.fitted(known, ZERO_CORRECTION),
        *statements.rough(known),
        *statements.restarted(known, RESTART),
    ]
    room = (1 - ZERO_CORRECTION) / max(1 - known.fitted, 1e-300)
    return Finding("stationary", evidence, room, doubt=_no_other_start(known))


def _little_gain(known: Figures) -> Finding | None:
    if reachable(known) <= SMALL_GAIN or words.untold(known):
        return None
    evidence = [statements.best_rank(known, SMALL_GAIN), *statements.restarted(known, RESTART)]
    limit: Limit = "open" if known.restarted is None or known.last_rank is not None else "capacity"
    doubt = _no_other_start(known)
    if known.last_rank is not None:
        doubt = f"ranks beyond {known.last_rank} were not tried, and the smallest error lies near that end"
    elif known.is_equation:
        doubt = "neither another start nor another network was tried"
    return Finding(
        limit, evidence, reachable(known) / SMALL_GAIN, 1.5, doubt, advice=words.advice_on_little(known, limit)
    )


def _untold(known: Figures) -> Finding | None:
    """A gain on training samples, with none beside them to see whether it is one."""
    if not words.untold(known):
        return None
    evidence = [statements.best_rank(known, SMALL_GAIN), *statements.at_rank(known)]
    kept = words.KEPT_BY_WEIGHTS if known.of_weights else words.KEPT
    return Finding("open", evidence, 1.0, doubt="nothing was held out", advice=kept if known.kept else words.UNTOLD)


RULES: tuple[Callable[[Figures], Finding | None], ...] = (
    _precision_of_results,
    not_solved,
    _precision_of_weights,
    _noisy,
    _wrong_valley,
    _idle,
    _overfitting,
    _stationary,
    _rough,
    _little_gain,
    _untold,
    better_valley,
    still_falling,
    gain,
)


def _no_other_start(known: Figures) -> str:
    """Without another start tried, a bad valley cannot be ruled out."""
    if known.restarted is None and not (known.is_equation or statements.rough(known)):
        return "no other start was tried"
    return ""
