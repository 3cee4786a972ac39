"""What limits a model: rules in the order in which they are tried, each with its threshold.

The reasoning is always the same. If one linear solve removes most of the held-out error, then θ0 had a descent direction that training did
not take: the optimiser and the conditioning were in the way, not the landscape and not the capacity. If it removes little, then either the
network as linearised cannot do better (capacity, data, a stationary point) or another start would have led elsewhere (nonconvexity), which
only training anew can tell apart. The three failure signatures are those of Cao & Zhang (2026).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from lsr_core.diagnosis.evidence import Figures, figures
from lsr_core.diagnosis.restarts import restarts
from lsr_core.refinement.refine import Refinement
from lsr_core.refinement.results import LossPaths
from lsr_core.refinement.summary import Evidence, Limit, Verdict

ZERO_CORRECTION = 0.99  # of the residual left at every rank: nothing was corrected
DEGRADATION = 1.5  # times the smallest held-out error, at the largest rank
DIVERGED = 1.0  # times the base loss, of the network at θ0 + Δθ …
LINEAR_AT_ONE = 0.1  # … while the linear model is below this share
FITS = 0.5  # of the training residual left at some rank: the refinement fits the samples
LARGE_GAIN = 0.1  # of the held-out error left: training had much to gain
SMALL_GAIN = 0.5  # of the held-out error left: it had little
RESTART = 0.3  # of the held-out error left by another start: the valley is the problem
ROUNDING = 1e3  # times the spacing of numbers, relative error at which figures are rounding

SENTENCES: dict[Limit, str] = {
    "conditioning": "Ill-conditioning holds training back: a direct solve at these weights removes most of the error.",
    "nonconvexity": "Training is in the wrong valley: little can be gained from these weights, but much from others.",
    "capacity": "The network or its data are the limit: neither the solve nor training anew lowers the error much.",
    "precision": "Number precision is the limit: the error is of the size that rounding leaves.",
    "stationary": "Nothing is left to gain from these weights: the residual has no part that any small step could remove.",
    "overfitting": "The refinement overfits: it fits the training samples and loses the others.",
}
ADVICE: dict[Limit, str] = {
    "conditioning": "Use the refined predictor. To train on, change the conditioning: second-order steps, or another scale of the inputs.",
    "nonconvexity": "Train again from other initial weights, or nearer to the solution, and refine then.",
    "capacity": "Take a larger network or more (and cleaner) data; a larger rank will not help.",
    "precision": "Keep weights and data in float64 and refine in float64.",
    "stationary": "Take the network as it is. If its error is too large, enlarge it or look at its data.",
    "overfitting": "Take the rank with the smallest validation error, add damping or more samples.",
}
REACH = "Use Gauss-Newton steps in the response space, or bring the network closer by training, and refine then."


@dataclass(frozen=True)
class _Finding:
    """What a rule concludes; `advice` where it differs from that of the limit."""

    limit: Limit
    evidence: list[Evidence]
    certain: float
    advice: str = ""


def verdict_of(refinement: Refinement, paths: LossPaths | None = None) -> Verdict:
    """The verdict on a refinement; a few seconds of training anew are spent where nothing else can tell.

    Args:
        paths: loss paths of the refinement, for the signature "divergence on update".
    """
    known = figures(refinement, paths)
    if needs_restarts(known):
        found = restarts(refinement.problem, refinement.summary.seed)
        known = replace(known, restarted=found.fall if found is not None else None)
    return verdict(known)


def verdict(known: Figures) -> Verdict:
    """The verdict that follows from the figures: the first rule that applies."""
    finding = next(found for rule in RULES if (found := rule(known)) is not None)
    return Verdict(
        limit=finding.limit,
        confidence=round(finding.certain, 2),
        sentence=SENTENCES[finding.limit],
        evidence=finding.evidence,
        advice=finding.advice or ADVICE[finding.limit],
        signatures=signatures(known),
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


def needs_restarts(known: Figures) -> bool:
    """Whether only training from other starts can tell what limits the model."""
    return known.held_out > SMALL_GAIN and not _rounded(known) and not _overfits(known)


def _rounded(known: Figures) -> bool:
    return known.base_error is not None and known.base_error <= ROUNDING * known.epsilon


def _overfits(known: Figures) -> bool:
    worse = known.degradation >= DEGRADATION and known.held_out > SMALL_GAIN
    return known.has_held_out and worse and known.fitted <= FITS


def _diverges(known: Figures) -> bool:
    if known.linear_at_one is None or known.nonlinear_at_one is None:
        return False
    return known.nonlinear_at_one > DIVERGED and known.linear_at_one < LINEAR_AT_ONE


def _precision_of_results(known: Figures) -> _Finding | None:
    """The network's error is rounding already."""
    if known.base_error is None or not _rounded(known):
        return None
    limit = ROUNDING * known.epsilon
    words = (
        f"the network's relative error is {known.base_error:.1e}, at most {ROUNDING:.0e} times the spacing of numbers"
    )
    return _Finding("precision", [Evidence(name="base_error", value=known.base_error, threshold=limit, sentence=words)],
                    _certainty(limit / known.base_error))  # fmt: skip


def _precision_of_weights(known: Figures) -> _Finding | None:
    """A step no longer than the rounding of the weights removes the error."""
    step, rounding = known.first_step, known.weight_rounding
    if step is None or step > rounding or rounding <= known.epsilon:
        return None
    words = (
        f"the weights are stored with a relative rounding of {rounding:.1e}, and a step of relative size {step:.1e}, no longer than that, "
        "removes most of the error"
    )
    return _Finding(
        "precision",
        [Evidence(name="first_step", value=step, threshold=rounding, sentence=words)],
        _certainty(rounding / step),
        "Store the weights in float64 (or float32 at least) and refine in float64; the refined predictor has undone the rounding.",
    )


def _beyond_reach(known: Figures) -> _Finding | None:
    """The linear model removes the residual of an equation, the true residual does not follow."""
    true = known.true_residual
    if true is None or not (known.fitted <= LARGE_GAIN and true >= DIVERGED and known.held_out > SMALL_GAIN):
        return None
    words = (
        f"the linear model leaves {known.fitted:.1e} of the residual, the true residual of the refined field is {true:.1e} times that of "
        "the network: the equation is too nonlinear for one step of this length"
    )
    evidence = Evidence(name="true_residual", value=true, threshold=DIVERGED, sentence=words)
    return _Finding("nonconvexity", [evidence], _certainty(true / DIVERGED), REACH)


def _overfitting(known: Figures) -> _Finding | None:
    if not _overfits(known):
        return None
    rise = (
        f"the held-out error at the largest rank is {known.degradation:.3g} times its smallest value "
        f"(degradation from {DEGRADATION:g})"
    )
    return _Finding(
        "overfitting",
        [
            Evidence(name="degradation", value=known.degradation, threshold=DEGRADATION, sentence=rise),
            Evidence(
                name="fitted",
                value=known.fitted,
                threshold=FITS,
                sentence=f"the training residual falls to {known.fitted:.2g} of its size",
            ),
            _held_out(known, SMALL_GAIN),
        ],
        min(_certainty(known.degradation / DEGRADATION), _certainty(known.held_out / SMALL_GAIN, 1.5)),
    )


def _wrong_valley(known: Figures) -> _Finding | None:
    """Little to gain from here, much from elsewhere."""
    if known.restarted is None or known.held_out <= SMALL_GAIN or known.restarted > RESTART:
        return None
    words = f"the same network, trained anew for seconds, reaches {known.restarted:.2g} of its error"
    return _Finding(
        "nonconvexity",
        [
            Evidence(name="restarted", value=known.restarted, threshold=RESTART, sentence=words),
            _held_out(known, SMALL_GAIN),
        ],
        _certainty(RESTART / max(known.restarted, 1e-300)),
    )


def _stationary(known: Figures) -> _Finding | None:
    if known.fitted <= ZERO_CORRECTION:
        return None
    words = (
        f"the residual keeps {known.fitted:.2%} of its size at every rank (zero correction above {ZERO_CORRECTION:.0%})"
    )
    evidence = [Evidence(name="fitted", value=known.fitted, threshold=ZERO_CORRECTION, sentence=words)]
    room = (1 - ZERO_CORRECTION) / max(1 - known.fitted, 1e-300)
    return _Finding("stationary", [*evidence, *_tried(known)], _capped(_certainty(room), known))


def _capacity(known: Figures) -> _Finding | None:
    if known.held_out <= SMALL_GAIN:
        return None
    evidence = [_held_out(known, SMALL_GAIN), *_tried(known)]
    return _Finding("capacity", evidence, _capped(_certainty(known.held_out / SMALL_GAIN, 1.5), known))


def _conditioning(known: Figures) -> _Finding:
    """What remains: the solve gains where training did not."""
    evidence = [_held_out(known, LARGE_GAIN)]
    if known.condition_number is not None:
        words = f"the condition number of the problem that was solved is {known.condition_number:.1e}"
        evidence.append(Evidence(name="condition_number", value=known.condition_number, threshold=None, sentence=words))
    return _Finding("conditioning", evidence, _certainty(SMALL_GAIN / max(known.held_out, 1e-300), 10.0))


RULES: tuple[Callable[[Figures], _Finding | None], ...] = (
    _precision_of_results,
    _precision_of_weights,
    _beyond_reach,
    _overfitting,
    _wrong_valley,
    _stationary,
    _capacity,
    _conditioning,
)


def _held_out(known: Figures, threshold: float) -> Evidence:
    what = "held-out" if known.has_held_out else "training"
    words = f"the best rank leaves {known.held_out:.2g} of the {what} error"
    return Evidence(name="held_out", value=known.held_out, threshold=threshold, sentence=words)


def _tried(known: Figures) -> list[Evidence]:
    if known.restarted is None or not math.isfinite(known.restarted):
        return []
    words = f"the same network, trained anew for seconds, comes to {known.restarted:.2g} times its error, no better"
    return [Evidence(name="restarted", value=known.restarted, threshold=RESTART, sentence=words)]


def _capped(certainty: float, known: Figures) -> float:
    """Without another start tried, a bad valley cannot be ruled out."""
    return certainty if known.restarted is not None else min(certainty, 0.6)


def _certainty(margin: float, sure: float = 3.0) -> float:
    """0.5 at a threshold (margin 1), 0.95 from `sure` times beyond it, in the logarithm between."""
    if not margin > 1:
        return 0.5
    return 0.5 + 0.45 * min(1.0, math.log(margin) / math.log(sure))
