"""What the pages of experiments say of their records, held against the records; beside `statements`, which is about one refinement."""

from __future__ import annotations

import re

from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.lab.records import IsolationRecord, MethodRecord, RaceRecord
from tests.app.statements import NUMBER, near, value

ADAM = re.compile(
    rf"In original coordinates \(κ = {NUMBER}\) the best Adam (?P<first>.*?); in whitened ones, the same problem and the same "
    r"optimiser, it (?P<second>.*?)\.(?P<reason> Both problems are convex: it was the conditioning that held it up)?"
)
ENDS = re.compile(rf"ends at {NUMBER} times the floor after ([\d,]+) iterations")
WITHIN = re.compile(r"is within twice the floor after ([\d,]+) iterations")
COURSE = re.compile(
    rf"From epoch ([\d,]+) to ([\d,]+) the network's error goes from {NUMBER} to {NUMBER}, the refined one from {NUMBER} to {NUMBER}\."
)
BEST = re.compile(rf"its smallest error, {NUMBER}, is at epoch ([\d,]+)")
STRETCH = re.compile(r"Epochs? ([\d,]+)(?: to ([\d,]+))?\. +(.+?\.) ")
SOLVES = re.compile(rf"Linear solve \(LSR\), (\w+) error +{NUMBER} → {NUMBER} ")


def race(text: str, record: RaceRecord) -> list[str]:
    """Of Adam in float64, in both coordinates; a race is expected to be told."""
    found = ADAM.search(text)
    if found is None:
        return ["the race is not told"]
    methods = {one.coordinates: one for one in record.methods if (one.name, one.dtype) == ("adam", "float64")}
    before, after = methods["original"], methods["whitened"]
    kappa = record.condition_number["original"]
    wrong = [
        f"race: {part}"
        for part, one in ((found["first"], before), (found["second"], after))
        if not _ended(part, one, record)
    ]
    if kappa is None or not near(found[1], kappa):
        wrong.append(f"race: κ = {found[1]}")
    if found["reason"] and not (_times(before, record) > 100 and _times(after, record) <= 2):
        wrong.append("race: the conditioning held nothing up")
    return wrong


def training(text: str, record: TrainingRecord) -> list[str]:
    """The course of the errors, the best checkpoint, and what is said of each stretch."""
    by_epoch = {one.epoch: one for one in record.checkpoints}
    course, best = COURSE.search(text), BEST.search(text)
    if course is None or not (stretches := STRETCH.findall(text)):
        return ["the training is not told"]
    first, last = (by_epoch[int(value(course[place]))] for place in (1, 2))
    errors = (first.base_error, last.base_error, first.refined_error, last.refined_error)
    wrong = [f"training: {course[0]}"] * any(
        true is None or not near(course[place], true) for place, true in enumerate(errors, start=3)
    )
    if best is not None:
        smallest = min(one.refined_error for one in record.checkpoints if one.refined_error is not None)
        at = by_epoch[int(value(best[2]))].refined_error
        wrong += [f"training: {best[0]}"] * (at != smallest or not near(best[1], smallest))
    for start, end, sentence in stretches:
        low, high = int(value(start)), int(value(end or start))
        said = {one.verdict.sentence for epoch, one in by_epoch.items() if low <= epoch <= high}
        wrong += [f"training: epochs {low} to {high}: {sentence}"] * (said != {sentence})
    return wrong


def isolation(text: str, record: IsolationRecord) -> list[str]:
    """Of the direct solve: the error before and after on the split that is named."""
    found = SOLVES.search(text)
    if found is None:
        return ["the isolation is not told"]
    errors = {one.name: getattr(one.errors, found[1]) for one in record.contenders}
    right = near(found[2], errors["network"]) and near(found[3], errors["jacobian-subspace"])
    return [] if right else [f"isolation: {found[0]}"]


def _times(method: MethodRecord, record: RaceRecord) -> float:
    assert record.floor is not None
    return min(method.curve.losses) / record.floor


def _ended(said: str, method: MethodRecord, record: RaceRecord) -> bool:
    assert record.floor is not None
    if found := ENDS.fullmatch(said):
        return near(found[1], _times(method, record)) and value(found[2]) == method.iterations
    if found := WITHIN.fullmatch(said):
        pairs = zip(method.curve.iterations, method.curve.losses, strict=True)
        return value(found[1]) == next(at for at, loss in pairs if loss <= 2 * record.floor)
    return False
