"""A race as the page tells it: which runs are drawn, and the sentence that follows from them."""

from __future__ import annotations

from lsr_app.words import formats, labtexts
from lsr_core.lab.records import CoordinateName, MethodRecord, Precision, RaceRecord

NEAR = 2.0  # times the floor: where a method counts as having arrived
FAR = 100.0  # times the floor: where one counts as held up
REORTHOGONALISED = "-reorthogonalised"
HELD_UP = "Both problems are convex: it was the conditioning that held it up."


def shown(
    record: RaceRecord, precision: Precision, coordinates: CoordinateName, *, reorthogonalised: bool
) -> list[MethodRecord]:
    """Methods of one precision and one choice of coordinates; of a Krylov method that ran both ways, the one asked for."""
    found = {method.name: method for method in record.methods if _is(method, precision, coordinates)}
    names = []
    for name in found:
        plain, twin = name.removesuffix(REORTHOGONALISED), f"{name}{REORTHOGONALISED}"
        if reorthogonalised and twin in found:
            continue
        if not reorthogonalised and name != plain and plain in found:
            continue
        names.append(name)
    return [found[name] for name in names]


def get(record: RaceRecord, name: str, precision: Precision, coordinates: CoordinateName) -> MethodRecord | None:
    return next((m for m in record.methods if m.name == name and _is(m, precision, coordinates)), None)


def arrived(method: MethodRecord, floor: float) -> int | None:
    """The first recorded iteration within twice the floor; None if there is none."""
    pairs = zip(method.curve.iterations, method.curve.losses, strict=True)
    return next((iteration for iteration, loss in pairs if loss <= NEAR * floor), None)


def kappa(record: RaceRecord, coordinates: CoordinateName) -> str:
    """The condition number as written; at least so large in the full space, where it comes from a few Ritz values."""
    value = record.condition_number.get(coordinates)
    return formats.error(value) if value is not None else "not known"


def sentence(record: RaceRecord, precision: Precision) -> str:
    """What changing the coordinates does to Adam; empty before it has run."""
    before, after = get(record, "adam", precision, "original"), get(record, "adam", precision, "whitened")
    if before is None:
        return ""
    if record.floor is None:
        return _relative(record, precision, before)
    if record.base_loss <= NEAR * record.floor:
        return (
            f"The network itself is at {formats.error(record.base_loss / record.floor, 3)} times the floor: in this subspace there is little "
            "to gain, so whatever is slow here holds up little."
        )
    first = f"In original coordinates (κ = {kappa(record, 'original')}) the best Adam {_end(before, record.floor)}"
    if after is None:
        return f"{first}."
    second = f"in whitened ones, the same problem and the same optimiser, it {_end(after, record.floor)}"
    return f"{first}; {second}. {_reason(record, before, after, record.floor)}"


def _reason(record: RaceRecord, before: MethodRecord, after: MethodRecord, floor: float) -> str:
    """What the two ends say of conditioning."""
    if arrived(before, floor) is not None:
        more = (
            ""
            if record.rank >= min(record.n_params, record.n_residuals)
            else "; a larger subspace (rank) has weaker ones"
        )
        return f"It arrives in both: within these {record.rank:,} directions conditioning does not stop it{more}."
    if arrived(after, floor) is None:
        return "It arrives in neither, so that this race does not tell what holds it up."
    if (before.times_floor or 0) >= FAR or before.diverged:
        return HELD_UP
    return "Both problems are convex: the conditioning slows it down, and not by much."


def lost(method: MethodRecord) -> int:
    """How many settings of a sweep diverged."""
    return sum(trial.diverged_at is not None for trial in method.sweep)


def place(method: MethodRecord) -> str:
    """Where the best run ended: times the floor, or of the base loss where there is no floor."""
    if method.times_floor is not None:
        return formats.error(method.times_floor, 3)
    return f"{formats.error(method.relative_loss)} of base"


def name(method: MethodRecord) -> str:
    return labtexts.METHODS.get(method.name, method.name)


def _end(method: MethodRecord, floor: float) -> str:
    if method.diverged:
        return labtexts.diverged(method.diverged_at).replace("diverged", "diverges at every rate, with the best one")
    iteration = arrived(method, floor)
    if iteration is not None:
        return f"is within twice the floor after {iteration:,} iterations"
    return f"ends at {formats.error(method.times_floor)} times the floor after {method.iterations:,} iterations"


def _relative(record: RaceRecord, precision: Precision, adam: MethodRecord) -> str:
    """Where no loss is out of reach: ends are counted in shares of the network's own loss."""
    where = (
        f"In all {record.n_params:,} parameters" if record.space == "full" else f"In these {record.rank:,} directions"
    )
    parts = [f"the best Adam is at {formats.error(adam.relative_loss)} of the network’s loss"]
    if (after := get(record, "adam", precision, "whitened")) is not None:
        parts.append(f"in whitened coordinates at {formats.error(after.relative_loss)}")
    if (krylov := get(record, "lsqr", precision, "original")) is not None:
        parts.append(f"LSQR at {formats.error(krylov.relative_loss)}")
    first = f"{where} the floor is rounding. After {record.iterations:,} iterations {', '.join(parts)}."
    if after is None:
        return first
    if after.relative_loss * FAR <= adam.relative_loss:
        return f"{first} {HELD_UP}"
    return f"{first} The two are less than {FAR:.0f} times apart, so that this race does not tell what holds it up."


def _is(method: MethodRecord, precision: Precision, coordinates: CoordinateName) -> bool:
    return method.dtype == precision and method.coordinates == coordinates
