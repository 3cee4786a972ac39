"""Every word of the lesson."""

from __future__ import annotations

import math
from typing import NamedTuple

from lsr_app.words import formats

PREDICT = "Your prediction"
RUN = "Run the experiment"
AGAIN = "Predict again"
PREDICT_FIRST = "Choose an answer; then the experiment can run."
PREPARING = "Computing…"
PREVIOUS, NEXT = "Previous step", "Next step"
PRESENT = "Presenter’s mode"
PREDICTED, MEASURED = "You predicted", "Measured"
AGREES = "As you predicted."
DIFFERS = "Not as you predicted."


class Question(NamedTuple):
    """One step of the lesson as it is asked.

    Attributes:
        title: short, for the list of steps.
        task: what is given and what will be done.
        question: what is to be predicted.
        options: the possible answers; they cover everything that can be measured.
        conclusions: what follows from each, should it be the right one.
    """

    title: str
    task: str
    question: str
    options: tuple[str, ...]
    conclusions: tuple[str, ...]


QUESTIONS = (
    Question(
        "Is it stuck?",
        "A network with 1,153 weights is trained on 200 values of the curve sin(2πx)·exp(−x): 3,000 steps of Adam, here and now.",
        "How much lower is the smallest loss after all 3,000 steps than after the first 1,500?",
        ("Less than 3 times lower", "3 to 30 times lower", "More than 30 times lower"),
        (
            "The second half of the training has brought next to nothing: the network looks stuck.",
            "It still falls, but only by such a factor whenever the number of steps is doubled. Slow, or a valley from which there is no way on?",
            "It falls fast still; there is no sign that anything is in its way.",
        ),
    ),
    Question(
        "One direct solve",
        "Training ends here. At these weights the network is made linear, and one least-squares problem is solved directly in the 30 directions "
        "of weight space that move its outputs most.",
        "How much lower is the error of the refined predictor than that of the network?",
        ("Less than 10 times lower", "10 to 100 times lower", "More than 100 times lower"),
        (
            "There was little to gain close to these weights.",
            "There was something to gain close to these weights, and training did not reach it.",
            "The weights were no dead end: next to them lay a far better model, and training did not reach it.",
        ),
    ),
    Question(
        "Into the weights?",
        "The solve found a step Δθ. The refined predictor adds it to the linear model, q(θ0, x) + J(x) Δθ, and leaves the weights alone. "
        "Now the step is put into the weights instead.",
        "What becomes of the network’s loss at θ0 + Δθ?",
        (
            "It falls as the linear model says, or nearly so",
            "It falls, but far less than the linear model says",
            "It rises",
        ),
        (
            "The step is short enough for the network to follow its linear model.",
            "The step leaves the region in which the network follows its linear model.",
            "LSR is no update of weights: the step is right for the linear model, and far too long for the network.",
        ),
    ),
    Question(
        "Why not found?",
        "The step was there to be found: the solve found it among 30 directions. Gradient descent follows all of them at once, but it is slow "
        "along directions with small singular values: it takes (σ₁/σ)² steps to come a good part of the way.",
        "The training took 3,000 steps. How many would gradient descent need along the slowest of the 30 directions?",
        ("Up to a hundred thousand", "A hundred thousand to a hundred million", "More than a hundred million"),
        (
            "A longer training would come there.",
            "A far longer training would come there.",
            "Training was on its way, but along these directions it is far too slow to arrive.",
        ),
    ),
    Question(
        "Other coordinates",
        "The linear problem of the solve is convex: it has no wrong valleys. Optimisers run on it twice, once in the original coordinates, once in "
        "coordinates in which its condition number is one. The problem and the optimisers stay the same.",
        "Where is the best Adam after at most 1,000 iterations?",
        (
            "Far above the smallest loss in both",
            "At the smallest loss (within a factor of two) in the new coordinates only",
            "At the smallest loss (within a factor of two) in both",
        ),
        (
            "The coordinates do not decide it here.",
            "The problem and the optimiser are the same, and convex. It was the conditioning that held the optimiser up, not nonconvexity.",
            "The conditioning of this problem is good enough for Adam.",
        ),
    ),
    Question(
        "When it does not help",
        "Now another network of the same kind, and 72 observations with noise. Refinement may use up to 72 directions, as many as there are "
        "observations.",
        "With all 72 directions, how large is the error on test data without noise, compared with that of the network?",
        ("Smaller", "About the same (within a factor of two)", "More than twice as large"),
        (
            "More directions do no harm here.",
            "What is gained on the curve is lost to the noise.",
            "The predictor follows the noise. LSR removes what conditioning left; what the data do not say it cannot know.",
        ),
    ),
)  # fmt: skip


TWO_BY_TWO, STEP_SIZE, PRECISION = "Two by two", "Step size", "Short numbers"
TWO_BY_TWO_TASK = (
    "A curve is fitted by two waves. With their frequencies known the problem is convex, with the frequencies free it is not; with frequencies "
    "close together it is ill-conditioned, with frequencies far apart it is not. So conditioning and convexity can be told apart."
)
CELL = "Which of the four"
CELLS = {
    "plain": "Convex, well conditioned",
    "ill": "Convex, ill-conditioned",
    "valleys": "Not convex, well conditioned",
    "both": "Not convex, ill-conditioned",
}
CELL_QUESTION = (
    "Gradient descent takes 1,000 steps. What does it need to fit the curve to three digits? Other coordinates: its steps are taken where the "
    "condition number is one. Other starts: the best of 20 is kept."
)
CELL_OPTIONS = ("Nothing more", "Other coordinates", "Other starts", "Nothing short of both")
CELL_CONCLUSIONS = (
    "Nothing stands in its way here.",
    "Conditioning held it up. Starting elsewhere does not change the coordinates.",
    "It was in the wrong valley. Other coordinates lead to the bottom of the valley it is in.",
    "Neither remedy alone is enough: it is held up by its coordinates and caught in a valley as well.",
)
CURVES = {
    (False, False): "One start",
    (False, True): "Best of 20 starts",
    (True, False): "Other coordinates",
    (True, True): "Both",
}
STEP_SIZE_TASK = (
    "Gradient descent on a valley whose condition number you choose, from the same point. A longer step is faster along the valley until it "
    "no longer comes to rest across it."
)
PRECISION_TASK = (
    "The same least-squares problems, solved after their numbers were rounded to the length you choose. How far the solution is off grows with "
    "the condition number."
)
KAPPA, RATE, BITS = "Condition number κ", "Step, in units of 1/σ₁²", "Bits of a number"
HANDOUT = "Your answers as a page to keep"
HANDOUT_LEAD = "Your predictions beside what was measured here, to print or to keep. Nothing in it names you."
HANDOUT_TITLE = "Why training stops: a lesson in nine steps"
HANDOUT_NOTE = "Made by LSR Explorer. Linearized subspace refinement makes a network linear at its weights and solves one least-squares problem."
GO_ON = "Go on with a network"
GO_ON_SAMPLE, GO_ON_OWN = "Refine a sample", "Bring your own"


def cell(ends: dict[tuple[bool, bool], str], kappa: str) -> str:
    """The losses at the end of the four ways, of the loss of a curve that is zero."""
    listed = ", ".join(f"{CURVES[way].lower()} {ends[way]}" for way in CURVES)
    return f"Share of the loss that is left after 1,000 steps: {listed}. κ at the true frequencies is {kappa}."


def bowl(kappa: str, rate: str, needed: int | None, diverges: bool) -> str:
    where = f"With κ = {kappa} and a step of {rate}"
    if diverges:
        return (
            f"{where} each step overshoots by more than it corrects: gradient descent diverges. Any step beyond 2 does."
        )
    if needed is None:
        return f"{where} the point jumps from side to side for ever: this is where gradient descent begins to diverge."
    return f"{where} it takes {needed:,} {'step' if needed == 1 else 'steps'} to come within 1 % in both directions."


def precision(bits: int, epsilon: float, kappa: float, error: float) -> str:
    """What a solution keeps of numbers that are right to ε."""
    told = (
        f"With {bits} bits numbers are right to ε = {formats.error(epsilon)}. At κ = {formats.error(kappa)} the solution is off by "
        f"{formats.error(error)} of its length; ε·κ is {formats.error(epsilon * kappa)}."
    )
    digits = math.floor(-math.log10(error)) if error > 0 else 0
    if digits < 1:
        return f"{told} No digit of it is right."
    return f"{told} About {digits} {'digit' if digits == 1 else 'digits'} of it {'is' if digits == 1 else 'are'} right."


def handout_lead(count: int, right: int) -> str:
    return f"Your predictions beside what was measured: {right} of {count} came out as you predicted."


def class_said(count: int, right: int) -> str:
    return f"{count} browsers have answered, {right} of them as measured. Others see counts only; answers are forgotten after three hours."


class Asked(NamedTuple):
    """A question by its key: what it is kept under, and the figure of its answer; the rest as in `Question`."""

    key: str
    figure: str
    title: str
    task: str
    question: str
    options: tuple[str, ...]
    conclusions: tuple[str, ...]


ASKED = {
    **{str(number): Asked(str(number), str(number), *question) for number, question in enumerate(QUESTIONS, start=1)},
    **{
        key: Asked(
            key, "cells", f"{TWO_BY_TWO}: {name}", TWO_BY_TWO_TASK, CELL_QUESTION, CELL_OPTIONS, CELL_CONCLUSIONS
        )
        for key, name in CELLS.items()
    },
}
TITLES = (*(question.title for question in QUESTIONS), TWO_BY_TWO, STEP_SIZE, PRECISION)


def no_such_step(step: int, count: int) -> str:
    return f"The lesson has {count} steps, there is no step {step}; the last one is shown."


def computed(seconds: str) -> str:
    return f"Computed in {seconds} on this machine."


def stuck(half: str, end: str, error: str) -> str:
    return f"The smallest loss goes from {half} after half of the steps to {end}. The error of the network is {error} of the size of the curve."


def solved(base: str, refined: str) -> str:
    return f"One solve takes the error from {base} to {refined}."


def in_weights(base: str, linear: str, network: str) -> str:
    return f"The loss of the network was {base}. With the whole step the linear model has {linear}, the network itself {network}."


def slow(steps: str, kappa: str, share: str) -> str:
    return (
        f"Along the slowest direction it takes {steps} steps; the condition number κ, the square root of that, is {kappa}. "
        f"Directions slower than the training was long hold {share} of the squared residual."
    )


def coordinates(kappa: str, original: str, whitened: str) -> str:
    return (
        f"In the original coordinates (κ = {kappa}) the best Adam ends at {original} times the smallest loss, in the new ones (κ = 1) at "
        f"{whitened} times."
    )


def noisy(base: str, best: str, rank: int, last: str, ranks: int) -> str:
    return (
        f"The test error of the network is {base}, with all {ranks} directions it is {last}. The validation error chooses {rank} directions, "
        f"and there it is {best}."
    )


def verdict(sentence: str) -> str:
    """The product's own verdict on the refinement."""
    return f"The verdict of LSR Explorer: {sentence}"
