"""Sentences and advice of a verdict: each is chosen by what was measured, and none speaks of what was not."""

from __future__ import annotations

from lsr_core.diagnosis import statements
from lsr_core.diagnosis.evidence import OF_CLASSES, VALIDATION, Figures
from lsr_core.refinement.summary import Limit

WRONG = 0.1  # relative error of the refined predictor above which nobody is told to use it
UNTRAINED = 0.95  # times the error of the best constant
FITS = 0.5  # of the training residual left at some rank: the refinement fits the samples
MUCH_BETTER = 0.5  # of what the rank leaves: another rank is worth a word

SENTENCES: dict[Limit, str] = {
    "conditioning": "Ill-conditioning holds training back: {solve} at these weights {removes} most of the {what}.",
    "unfinished": "Training has not ended: {solve} {removes} most of the {what}, and so would plain gradient steps before long.",
    "nonconvexity": "Training is in the wrong valley: little can be gained from these weights, but much from others.",
    "units": "Most units of a layer do nothing, and the solve leaves much of the error.",
    "capacity": "The network or its data are the limit: the solve leaves more than half of the error, and training anew does not do far better.",
    "open": "A direct solve at these weights gains little; why was not decided.",
    "precision": "Number precision is the limit: the error is of the size that rounding leaves.",
    "stationary": "Nothing is left to gain from these weights: no direction of the subspace lowers the residual.",
    "overfitting": "The refinement overfits: it {fits} the training samples and loses the others.",
    "noise": "Noise in the data is the limit: a value is off by about {sigma:.2g}, and the refined mean, by that noise, still by about {error:.2g}.",
    "unsolved": "The equation is not solved: the refined field is not shown to be near a solution.",
    "undetermined": "The equation does not settle the field: other fields satisfy what is written as well.",
}
ROUGH_SENTENCE = (
    "Noise in the data is the limit, or detail finer than the samples lie: what the network misses, about {sigma:.2g} a value, does not "
    "follow from the inputs, and no rank lowers it much."
)
ROUGH = (
    "Take more values, or less noisy ones; no larger network fits noise to a purpose. Smoothing tells the noise and may take back what was "
    "learnt from it (regularise=auto, with prior=weights where the network was trained on these samples)."
)
NOISE_FIRST = "What the network misses is noise of about {sigma:.2g} a value, or detail finer than the samples lie. "
UNTRAINED_SENTENCE = (
    "The network is no better than a constant, as before training; {solve} at its weights {removes} most of the {what}."
)
UNTOLD_SENTENCE = "Nothing tells what limits the network: no samples were held out, and a gain on those that were fitted may be one of their noise."
UNTOLD = "Hold samples out, or let smoothing judge by samples left out one at a time (regularise), before you believe a gain."
KEPT_SENTENCE = (
    "Smoothing keeps the network as it is: no correction was shown to do better on samples left out one at a time. What limits it is "
    "not told."
)
KEPT = (
    "Take the network as it is, or more samples. A network that was trained on these very samples may gain with prior=weights, which also "
    "takes back what it learnt from their noise."
)
KEPT_BY_WEIGHTS = (
    "Take the network as it is, or more samples; its standard deviations are those of the prior of its weights."
)
IN_THE_WAY = "Ill-conditioning stands in the way of training: {solve} at these weights {removes} most of the {what}."
EARLY_SENTENCE = (
    "Training was ended early: a few more of its steps lower the error much by themselves. {Solve} {removes} most of the {what} now; "
    "what would hold training back later was not seen."
)
BETTER_VALLEY = "Training is in the wrong valley: {solve} {removes} most of the {what}, and the same network from other weights comes much further."
OVERFITTING_BEYOND = (
    "Ranks beyond {best} overfit: they {fit} the training samples and lose the others. The refinement, at rank {rank}, does not, and "
    "no other rank gains much more."
)
OVERFITTING_ALL = (
    "Ranks beyond {best} overfit: they {fit} the training samples and lose the others. No smaller one gains enough to be shown, so the "
    "network is kept."
)
KEEP = "Keep rank {rank}; more or cleaner samples, or smoothing in place of a rank (regularise), could gain more."
JUMP_SENTENCE = "What is written leaves open what holds where a coefficient jumps, and the field depends on it."
OTHER_SENTENCE = "The refined field satisfies what is written and is not the known solution."
ANOTHER_SENTENCE = (
    "The equation has several solutions: a refinement from another start satisfies it as well and is another field."
)
MISSING_SENTENCE = (
    "The equation does not settle the field: conditions are missing, and other fields satisfy what is written as well."
)
TURNED_SENTENCE = "The equation has several solutions: the field with its sign turned satisfies it as well."
WHICH = "Do not rely on the field before you know which solution it is. Start near the one that is wanted, or add a condition that it alone meets."
ADVICE: dict[Limit, str] = {
    "conditioning": "To train on, change the conditioning: second-order steps, or another scale of the inputs.",
    "unfinished": "To train on, go on as before, or take second-order steps.",
    "nonconvexity": "Train again from other initial weights, or nearer to the solution, and refine then.",
    "units": "Give these units new weights (another initialisation, smaller steps) and train again, before you take a larger network.",
    "capacity": "Take a larger network or more (and cleaner) data; no rank of this subspace halves the error.",
    "open": "Train again from other initial weights; if that ends no better, take a larger network or more data.",
    "precision": "Keep weights and data in float64 and refine in float64.",
    "stationary": "Take the network as it is. If its error is too large, train it from another start, enlarge it or look at its data.",
    "overfitting": "Take the rank with the smallest validation error, add damping or more samples.",
    "noise": "Take more values, or less noisy ones: their noise, not the training, sets what is left.",
    "unsolved": "Do not rely on the field. Take more points, another scale of the inputs or a larger network, or train it closer, and refine then; "
    "or solve the equation from scratch, which goes by windows where it has a time.",
    "undetermined": "Do not rely on the field. Add the condition that is missing (a value, a norm, what holds at the jump), and refine then.",
}
STEPS = "Do not rely on the field. Use Gauss-Newton steps in the response space, or bring the network closer by training, and refine then."
ROUNDED = "Store the weights in float64 (or float32 at least) and refine in float64."


def sentence(limit: Limit, known: Figures) -> str:
    if limit == "noise" and known.noise is not None:
        return SENTENCES[limit].format(sigma=known.noise.sigma, error=known.noise.error)
    if limit == "noise" and known.rough is not None:
        return ROUGH_SENTENCE.format(sigma=known.rough.sigma)
    fit, fits = ("fit", "fits") if known.fitted <= FITS else ("come nearer to", "comes nearer to")
    if limit == "overfitting":
        return _overfitting(known, fit, fits)
    if limit == "open" and untold(known):
        return KEPT_SENTENCE if known.kept else UNTOLD_SENTENCE
    if limit == "undetermined" and known.jump:
        return JUMP_SENTENCE
    if limit == "undetermined" and known.refined_error is not None:
        return OTHER_SENTENCE
    if limit == "undetermined" and known.others is not None and known.others.disagree:
        return TURNED_SENTENCE if known.others.mirrored else ANOTHER_SENTENCE
    if limit == "undetermined" and (known.missing or known.bare):
        return MISSING_SENTENCE
    what = "residual" if known.is_equation else "held-out error" if known.has_held_out else "training error"
    many = known.n_solves > 1
    solve = "Gauss-Newton steps" if many else "a direct solve"
    return _pattern(limit, known).format(
        what=what, fits=fits, solve=solve, Solve=solve[0].upper() + solve[1:], removes="remove" if many else "removes"
    )


def _overfitting(known: Figures, fit: str, fits: str) -> str:
    """With what it is that is fitted, where neighbouring samples tell that."""
    lead = NOISE_FIRST.format(sigma=known.rough.sigma) if known.rough is not None and known.rough.is_noise else ""
    if not spared(known):
        return lead + SENTENCES["overfitting"].format(fits=fits)
    pattern = OVERFITTING_BEYOND if known.rank > 0 else OVERFITTING_ALL
    return lead + pattern.format(best=known.best_rank, rank=known.rank, fit=fit)


def _pattern(limit: Limit, known: Figures) -> str:
    if limit in ("conditioning", "unfinished") and (known.constant or 0.0) >= UNTRAINED:
        return UNTRAINED_SENTENCE
    if limit == "unfinished" and known.further is not None:
        return EARLY_SENTENCE
    if limit == "conditioning" and known.further is None:  # nobody knows whether it was trained, and had come to a halt
        return IN_THE_WAY
    if limit == "nonconvexity" and min(known.best, known.left) <= MUCH_BETTER:
        return BETTER_VALLEY
    return SENTENCES[limit]


def untold(known: Figures) -> bool:
    """Whether the gain of a fit is one on its own samples only; a smoothing judges by samples left out one at a time.

    One that keeps the network has said that what its ranks gain or lose on these samples tells nothing.
    """
    alone = not known.is_equation and not known.has_held_out and known.noise is None
    return alone and (known.best < MUCH_BETTER or known.kept)


def spared(known: Figures) -> bool:
    """Whether the rank of the run is none of those that overfit: no larger than the best, and no worse than the network."""
    return known.rank <= known.best_rank and known.left <= 1


def against_use(known: Figures) -> str:
    """Why the refined predictor is not recommended, though one solve gains much; empty where nothing measured speaks against it."""
    if known.rank == 0:
        return "No refinement was chosen: rank 0 is the network itself."
    if not known.has_held_out and known.noise is None:  # a smoothing judges by samples left out one at a time
        return "Nothing was held out, so that the gain is on training samples only: hold some out before you use the refined predictor."
    if known.refined_error is not None and known.refined_error > WRONG:
        other = "the known solution" if known.is_equation else "the held-out targets, noise in them included"
        far = f"differs by {100 * known.refined_error:.2g} % from {other}."
        return f"The refined predictor is nearer, but still {far}" if known.left < 1 else f"The refined predictor {far}"
    if known.refined_error is None and not known.is_equation and not any(name in known.errors for name in OF_CLASSES):
        return "No relative error is known, so that nothing says how far off the refined predictor still is."
    if statements.worse(known):
        return "Not all errors fall with the refinement; look at those that rise before you use it."
    if known.left > MUCH_BETTER:
        return f"Where it gains least, the refined predictor at rank {known.rank} still has {known.left:.2g} of the network's error."
    return ""


def advice_on_little(known: Figures, limit: Limit) -> str:
    """What to do where one solve gains little."""
    if known.last_rank is not None:
        return f"Take a larger rank than {known.last_rank} first; the smallest error lies near it."
    return ADVICE[limit]


def advice_on_gain(known: Figures, limit: Limit, *, first: str = "") -> tuple[str, bool]:
    """What to do where one solve gains much, and whether that is to use the refined predictor."""
    against = against_use(known)
    use = against or f"Use the refined predictor at rank {known.rank}."
    return " ".join(part for part in (use, _other_rank(known), first or ADVICE[limit]) if part), not against


def _other_rank(known: Figures) -> str:
    """Another rank that the validation samples prefer by far; nothing where none are held out, as test samples choose no rank."""
    another = known.rank not in (0, known.best_rank)  # rank 0 was chosen because no gain was shown
    if not another or known.compared != VALIDATION or known.best >= MUCH_BETTER * known.at_rank:
        return ""
    both = f"rank {known.best_rank} leaves {known.best:.2g} of the validation error and rank {known.rank} {known.at_rank:.2g}"
    if known.rank_given:
        return f"R{both[1:]}: take rank {known.best_rank}."
    return f"By validation samples alone {both}; more than they chose the rank, so compare the two."
