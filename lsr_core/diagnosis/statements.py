"""What a verdict may say: one function for each kind of statement, written from the figures it names and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lsr_core.diagnosis.evidence import HELD_OUT, TRAINING, VALIDATION, Figures
from lsr_core.diagnosis.roughness import ROUGH
from lsr_core.diagnosis.units import LayerUnits
from lsr_core.refinement.summary import Evidence

SHOWN_LAYERS = 3


def at_rank(known: Figures, threshold: float | None = None) -> list[Evidence]:
    """Before and after at the rank of the run: what was held out, else the training samples."""
    found = []
    for name in [name for name in HELD_OUT if name in known.errors] or list(known.errors):
        before, after = known.errors[name]
        if not before > 0:
            continue
        words = f"at rank {known.rank} the {_measured(name)} goes from {before:.2e} to {after:.2e} ({after / before:.2g} of it is left)"
        numbers = {"rank": known.rank, "before": before, "after": after}
        found.append(said(name.replace(" ", "_"), after / before, threshold, words, numbers))
    return found


def worse(known: Figures) -> list[Evidence]:
    """Errors that the refinement raises, of those measured."""
    found = []
    for name, (before, after) in known.errors.items():
        if before > 0 and after > WORSE * before:
            words = f"the {_measured(name)} rises at rank {known.rank}, from {before:.2e} to {after:.2e}"
            numbers = {"rank": known.rank, "before": before, "after": after}
            found.append(said("worse", after / before, WORSE, words, numbers))
    return found


WORSE = 1.02


def best_rank(known: Figures, threshold: float | None) -> Evidence:
    words = f"one solve at the best rank, {known.best_rank}, leaves {_of(known.best)} the network's {known.compared}"
    return said("best", known.best, threshold, words, {"rank": known.best_rank, "left": known.best})


def fitted(known: Figures, threshold: float) -> Evidence:
    fits = known.fitted <= threshold
    words = f"{'some rank leaves' if fits else 'no rank leaves less than'} {known.fitted:.2g} of the training residual"
    return said("fitted", known.fitted, threshold, words, {"left": known.fitted})


def degradation(known: Figures, threshold: float) -> Evidence:
    words = f"the held-out error at the largest rank is {known.degradation:.3g} times its smallest value (degradation from {threshold:g})"
    return said("degradation", known.degradation, threshold, words, {"rise": known.degradation})


def noise(known: Figures, threshold: float) -> list[Evidence]:
    """What the data leave to claim, of a smoothing that found their noise."""
    found = known.noise
    if found is None:
        return []
    words = f"the noise of a value is about {found.sigma:.3g}, {found.by}, and the network is {found.residual:.3g} off its training values"
    claim = (
        f"the refinement spends {found.freedom:.3g} degrees of freedom on {found.values:,} values, so by the noise its mean is off by about "
        f"{found.error:.2g}; to halve that takes at least {4 * found.values:,} values, {3 * found.values:,} more"
    )
    return [
        said(
            "noise", found.sigma / found.residual, threshold, words, {"noise": found.sigma, "residual": found.residual}
        ),
        said(
            "claim", found.error, None, claim, {"error": found.error, "values": found.values, "freedom": found.freedom}
        ),
    ]


def rough(known: Figures) -> list[Evidence]:
    """Whether what the network misses follows from the inputs, where the targets do."""
    found = known.rough
    if found is None or not found.is_noise:
        return []
    words = (
        f"what the network misses differs between nearest samples by {found.residual:.2g} of what it would between any two, the targets by "
        f"{found.target:.2g}: it is noise of about {found.sigma:.2g} a value, or detail finer than the samples lie"
    )
    numbers = {"samples": found.samples, "target": found.target, "residual": found.residual, "sigma": found.sigma}
    return [said("rough", found.residual, ROUGH, words, numbers)]


def base_error(known: Figures, threshold: float) -> Evidence:
    assert known.base_error is not None
    words = f"the network's relative error is {known.base_error:.1e}, and rounding reaches up to {threshold:.0e}"
    return said("base_error", known.base_error, threshold, words, {"error": known.base_error})


def refined_error(known: Figures, threshold: float) -> list[Evidence]:
    """How far the refined predictor still is from what it should give."""
    if known.refined_error is None:
        return []
    what = "the known solution" if known.is_equation else "the held-out targets"
    words = f"the refined predictor at rank {known.rank} differs from {what} by {share(known.refined_error)}"
    numbers = {"rank": known.rank, "error": known.refined_error}
    return [said("refined_error", known.refined_error, threshold, words, numbers)]


def constant(known: Figures, threshold: float) -> list[Evidence]:
    if known.constant is None or known.constant < threshold:
        return []
    words = f"the network's error is {known.constant:.2g} times that of the best constant: it explains nothing of the data, as before training"
    return [said("constant", known.constant, threshold, words, {"ratio": known.constant})]


def first_step(known: Figures) -> Evidence:
    step, rounding = known.first_step, known.weight_rounding
    assert step is not None
    words = (
        f"the weights are stored with a relative rounding of {rounding:.1e}, and a step of relative size {step:.1e}, no longer than that, "
        "removes most of the error"
    )
    return said("first_step", step, rounding, words, {"step": step, "rounding": rounding})


def restarted(known: Figures, threshold: float) -> list[Evidence]:
    found = known.restarted
    if found is None or not math.isfinite(found.fall):
        return []
    comes = "reaches" if found.fall <= threshold else "comes to"
    words = (
        f"the same network, trained anew from {counted(found.starts, 'start')} by up to {counted(found.steps, 'Levenberg-Marquardt step')} each, "
        f"{comes} {found.fall:.2g} times its error"
    )
    numbers = {"starts": found.starts, "steps": found.steps, "best": found.best, "base": found.base}
    return [said("restarted", found.fall, threshold, words, numbers)]


def onward(known: Figures) -> list[Evidence]:
    found = known.restarted
    if found is None or found.here is None or not math.isfinite(found.fall):
        return []
    steps = counted(found.steps, "Levenberg-Marquardt step")
    words = f"up to {steps} from the weights as they are leave {found.here / found.base:.2g} of the network's error"
    numbers = {"steps": found.steps, "here": found.here, "base": found.base}
    return [said("onward", found.here / found.base, None, words, numbers)]


def further(known: Figures, threshold: float) -> list[Evidence]:
    """What plain training comes to where it is gone on with."""
    found = known.further
    if found is None:
        return []
    what = VALIDATION if known.compared == VALIDATION else TRAINING  # the samples that it is judged on there
    words = f"{counted(found.steps, 'further step')} of Adam at the rate {found.rate:g} leave {_of(found.left)} the network's {what}"
    numbers = {"steps": found.steps, "rate": found.rate, "left": found.left}
    return [said("further", found.left, threshold, words, numbers)]


def conditioning(known: Figures) -> list[Evidence]:
    """What gradient steps meet, and what was solved: two matrices, each with its name."""
    found = []
    if known.condition_number is not None:
        words = f"in the coordinates of the weights the condition number κ(G V) at rank {known.rank} is {_plain(known.condition_number)}"
        numbers = {"rank": known.rank, "kappa": known.condition_number}
        found.append(said("condition_number", known.condition_number, None, words, numbers))
    if known.solved_condition_number is not None:
        words = f"the problem that was solved has its columns scaled, and the condition number {_plain(known.solved_condition_number)}"
        numbers = {"rank": known.rank, "kappa": known.solved_condition_number}
        found.append(said("solved_condition_number", known.solved_condition_number, None, words, numbers))
    return found


def gradient_steps(known: Figures, threshold: float) -> list[Evidence]:
    if known.gradient_steps is None:
        return []
    steps = known.gradient_steps
    count = counted(round(steps), "step") if steps < 1e4 else f"about {steps:.1e} steps"
    words = f"on the linearised problem plain gradient descent would take {count} to come near what one solve gives"
    return [said("gradient_steps", steps, threshold, words, {"rank": known.best_rank, "steps": steps})]


def idle_units(known: Figures) -> list[Evidence]:
    """Layers with units that do nothing, those with most of them first, and parameters without effect."""
    seen = known.units
    if seen is None:
        return []
    layers = sorted((one for one in seen.layers if one.idle), key=lambda one: one.idle / one.width, reverse=True)
    found = [_layer(one, seen.samples) for one in layers[:SHOWN_LAYERS]]
    if seen.unused:
        words = (
            f"{seen.unused:,} of {seen.n_params:,} parameters have no effect on any output at {seen.samples:,} samples"
        )
        numbers = {"unused": seen.unused, "parameters": seen.n_params, "samples": seen.samples}
        found.append(said("unused_parameters", seen.unused / seen.n_params, None, words, numbers))
    return found


def _layer(one: LayerUnits, samples: int) -> Evidence:
    parts = [
        (one.dead, "dead (no output depends on them)"),
        (one.saturated, "saturated"),
        (one.copies, "copy of another" if one.copies == 1 else "copies of others"),
    ]
    listed = ", ".join(f"{count} {what}" for count, what in parts if count)
    words = f"of the {one.width} units of layer {one.name}, counted on {samples:,} samples, {listed}"
    numbers = {
        "width": one.width,
        "dead": one.dead,
        "saturated": one.saturated,
        "copies": one.copies,
        "samples": samples,
    }
    return said("idle_units", one.idle / one.width, None, words, numbers)


def said(name: str, value: float, threshold: float | None, sentence: str, numbers: Mapping[str, float]) -> Evidence:
    return Evidence(name=name, value=value, threshold=threshold, sentence=sentence, numbers=dict(numbers))


def share(value: float) -> str:
    """As a percentage where it reads as one."""
    if value >= 1000:
        return f"{100 * value:.1e} %"
    if value >= 10:
        return f"{100 * value:,.0f} %"
    return f"{100 * value:.2g} %" if value >= 1e-3 else f"{100 * value:.1e} %"


def _measured(name: str) -> str:
    """An error of data is told as a root mean square here, beside the relative L2 error that pages report."""
    return f"{name} (root mean square)" if name.endswith(" error") else name


def _of(share: float) -> str:
    """A share as one, and what is no less than all of it as that."""
    if share >= 1.005:
        return f"{share:.3g} times"
    return f"{share:.2g} of" if share < 0.995 else "all of"


def _plain(value: float) -> str:
    """Two digits, with a power of ten where there would be many more."""
    return f"{value:#.2g}".rstrip(".") if 0.01 <= value < 100 else f"{value:.1e}"


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
