"""Error fields as maps over two inputs, or as curves over a single one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from lsr_app.plots import lines, maps, scales
from lsr_app.plots.base import Picture
from lsr_app.reading.rundata import RunData
from lsr_app.services import problems
from lsr_app.shell import controls, show, state
from lsr_app.shell.controls import Now
from lsr_app.words import texts


def curves(now: Now, data: RunData, output: int) -> None:
    """Values and errors over the single input, with the training data."""
    where = lines.cut(data, 0, 0.5)
    seen = problems.observations(now.run) if now.run is not None and not data.parts.residual else None
    key = "curves" if data.truth_name == texts.PANELS["truth"] else "fitted_curves"
    show.figure(key, lines.values(now.runs, now.ranks, output, where, observed=seen))
    logy = controls.toggle("logy", "Log error")
    show.figure("curve_errors", lines.errors(now.runs, now.ranks, output, where, logy=logy))


def section(now: Now, data: RunData, output: int, axes: tuple[int, int]) -> None:
    """Truth, network and refined predictor; below them both errors and their ratio."""
    rank = now.rank
    limits = maps.shared_limits(data, output)
    truth = data.fields.targets[:, output]
    values = {
        data.truth_name: truth,
        texts.PANELS["network"]: data.fields.network[:, output],
        texts.PANELS["refined"]: truth + data.refined_error(rank, output),
    }
    show.group(
        "maps",
        [(name, maps.field(data, part, name, limits, axes=axes)) for name, part in values.items()],
    )
    network, refined = data.network_error(output), data.refined_error(rank, output)
    errors = [(texts.PANELS["network_error"], network), (texts.PANELS["refined_error"], refined)]
    ratios = [(texts.PANELS["ratio"], refined)]
    if now.compare is not None and lines.same_points(data, now.compare):
        other = now.compare.refined_error(now.ranks[1], output)
        errors.append((f"{texts.PANELS['refined_error']} (2)", other))
        ratios.append((f"{texts.PANELS['ratio']} (2)", other))
    drawn = _with_sign if state.get("signed") else _sizes
    panels = [(name, draw(name)) for name, draw in drawn(data, errors, axes)]
    panels[2:2] = [(name, maps.ratio(data, part, network, name, axes=axes)) for name, part in ratios[:1]]
    panels += [(name, maps.ratio(data, part, network, name, axes=axes)) for name, part in ratios[1:]]
    show.group("error_maps" if state.get("signed") else "error_sizes", panels, extra=_choices)


def _choices() -> None:
    with show.row():
        controls.toggle("signed", "With sign")
        controls.toggle("own", "Own colour scale for each error")


Drawing = tuple[str, Callable[[str], Picture]]
Errors = list[tuple[str, NDArray[Any]]]


def _sizes(data: RunData, errors: Errors, axes: tuple[int, int]) -> list[Drawing]:
    """On a logarithmic scale that both errors share, the same at every rank, unless each has its own."""
    rounding = maps.rounding_of(data)
    output = int(state.get("output")) if data.n_outputs > 1 else 0
    shared = scales.decades(
        errors[0][1], data.refined_error(data.ladder[-1], output), *(part for _, part in errors[1:]), rounding=rounding
    )

    def draw(part: NDArray[Any]) -> Callable[[str], Picture]:
        limits = scales.decades(part, rounding=rounding) if state.get("own") else shared
        return lambda name: maps.error_magnitude(data, part, name, limits, axes=axes)

    return [(name, draw(part)) for name, part in errors]


def _with_sign(data: RunData, errors: Errors, axes: tuple[int, int]) -> list[Drawing]:
    """On a linear scale, symmetric about zero."""
    reach = max(scales.largest(part) for _, part in errors)

    def draw(part: NDArray[Any]) -> Callable[[str], Picture]:
        limit = scales.largest(part) if state.get("own") else reach
        return lambda name: maps.signed_error(data, part, name, limit, axes=axes)

    return [(name, draw(part)) for name, part in errors]
