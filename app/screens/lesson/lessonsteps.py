"""The questions of the lesson: what is measured, which of the answers that makes right, and what is shown; knows no streamlit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsr_app.plots.base import Picture
from lsr_app.reading import racedata
from lsr_app.screens.lesson import dialfigures, figures, lessontexts
from lsr_app.words import formats
from lsr_core.lab.records import CoordinateName, RaceRecord

if TYPE_CHECKING:
    from lsr_app.screens.lesson.lessonlab import LessonTraining, NoisyFit, SlowDirections, Solution, StepLosses
    from lsr_app.screens.lesson.twobytwo import Cell

Draw = Callable[[], Picture]
PLACES: tuple[CoordinateName, ...] = ("original", "whitened")
NEAR = 10.0  # times the linear loss, within which the network counts as following it
NOTICED = 2.0  # times, within which errors count as equal


@dataclass(frozen=True)
class Answer:
    """What an experiment has shown.

    Attributes:
        option: index of the answer that the measurement makes right.
        sentence: the measurement in words.
        draw: makes the figure.
        seconds: of the experiment.
    """

    option: int
    sentence: str
    draw: Draw
    seconds: float


def stuck(found: LessonTraining) -> Answer:
    said = lessontexts.stuck(formats.error(found.half), formats.error(found.end), formats.error(found.error))
    return Answer(place(found.half / found.end, (3, 30)), said, lambda: figures.training(found), found.seconds)


def solved(found: Solution) -> Answer:
    said = lessontexts.solved(formats.error(found.base_error), formats.error(found.refined_error))
    gain = found.base_error / found.refined_error
    return Answer(place(gain, (10, 100)), said, lambda: figures.errors(found), found.seconds)


def in_weights(found: StepLosses) -> Answer:
    if found.network_at_one >= found.base:
        option = 2
    else:
        option = 0 if found.network_at_one <= NEAR * found.linear_at_one else 1
    numbers = (found.base, found.linear_at_one, found.network_at_one)
    said = lessontexts.in_weights(*(formats.error(value) for value in numbers))
    return Answer(option, said, lambda: figures.step_losses(found), found.seconds)


def slow(found: SlowDirections) -> Answer:
    slowest = float(found.steps[-1])
    said = lessontexts.slow(formats.error(slowest), formats.error(found.condition_number), f"{found.slow_share:.1%}")
    return Answer(place(slowest, (1e5, 1e8)), said, lambda: figures.slowness(found), found.seconds)


def coordinates(found: RaceRecord) -> Answer:
    """Of Adam; a method that is missing ends nowhere near."""
    ends = []
    for name in PLACES:
        method = racedata.get(found, "adam", "float64", name)
        ends.append(float("inf") if method is None or method.times_floor is None else method.times_floor)
    near = [end <= racedata.NEAR for end in ends]
    option = 2 if near[0] else 1 if near[1] else 0
    said = lessontexts.coordinates(racedata.kappa(found, "original"), *(formats.error(end, 3) for end in ends))
    return Answer(option, said, lambda: figures.coordinates(found), found.seconds)


def noisy(found: NoisyFit) -> Answer:
    base, last = float(found.test[0]), float(found.test[-1])
    said = lessontexts.noisy(
        formats.error(base), formats.error(float(found.test[found.rank])), found.rank, formats.error(last), len(found.test) - 1
    )  # fmt: skip
    said = f"{said} {lessontexts.verdict(found.verdict.sentence)}"
    option = 2 if last > NOTICED * base else 1 if last > base / NOTICED else 0
    return Answer(option, said, lambda: figures.by_rank(found), found.seconds)


def place(value: float, bounds: Sequence[float]) -> int:
    """How many of the bounds a value has reached."""
    return sum(value >= bound for bound in bounds)


def cell(found: Cell) -> Answer:
    """What brings the fit to three digits; the cheapest of what does."""
    option = next(
        (
            place
            for place, (whitened, many) in enumerate(((False, False), (True, False), (False, True)))
            if found.arrives(whitened, many)
        ),
        3,
    )
    ends = {way: formats.error(float(losses[-1])) for way, losses in found.losses.items()}
    said = lessontexts.cell(ends, formats.error(found.condition_number))
    return Answer(option, said, lambda: dialfigures.cell(found), found.seconds)


_BY_STEP: tuple[Callable[[Any], Answer], ...] = (stuck, solved, in_weights, slow, coordinates, noisy)
JUDGES: dict[str, Callable[[Any], Answer]] = {
    **{str(step): judge for step, judge in enumerate(_BY_STEP, start=1)},
    **dict.fromkeys(lessontexts.CELLS, cell),
}
"""By the key of the question; each takes what its experiment returns."""
