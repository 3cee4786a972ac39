"""Data as text, one place in a line, its value last: measurements, and coefficients below a line such as `k(x, y) cubic`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lsr_core.errors import InputError
from lsr_core.problems.grids import find_grid
from lsr_core.problems.physics.typed.expressions import number
from lsr_core.problems.physics.typed.grammar import pieces

_HEAD = re.compile(r"([A-Za-z]\w*)\s*\(([\w\s,]+)\)\s*(linear|cubic|nearest)?")


def coefficients(text: str) -> dict[str, Any]:
    """What `TypedArguments.coefficients` takes. Places that fill a grid become one, in whatever order they come.

    Raises:
        InputError: numbers before the first name, a name twice, or something that is no number.
    """
    found: dict[str, Any] = {}
    rows: list[list[float]] = []
    for index, line in enumerate(text.splitlines(), 1):
        if head := _HEAD.fullmatch(line.strip()):
            name, inputs, how = head.groups()
            if name in found:
                raise InputError("is there twice; give each its own name", key=f"coefficient {name:.12}")
            rows = []
            found[name] = {
                "inputs": [part.strip() for part in inputs.split(",")],
                "rows": rows,
                "interpolation": how or "linear",
            }
        elif line.strip():
            rows.append(_numbers(line, index, begun=bool(found)))
    return {name: _on_grid(name, given) for name, given in found.items()}


def measured(text: str, outputs: Sequence[str], noise: str, constants: Mapping[str, float]) -> dict[str, Any] | None:
    """What `TypedArguments.data` takes: values of the first output.

    Args:
        noise: standard deviation of every value; empty = not known.

    Raises:
        InputError: something that is no number, or a noise without data.
    """
    rows = [_row(line, index, "data") for index, line in enumerate(text.splitlines(), 1) if line.strip()]
    if noise.strip() and not rows:
        raise InputError("is given, and there are no data that could have it; add data, or leave it out", key="noise")
    if not rows:
        return None
    known = {"noise": number(noise, constants, "noise")} if noise.strip() else {}
    return {"output": outputs[0] if outputs else "u", "rows": rows} | known


def unknown(text: str, constants: Mapping[str, float]) -> dict[str, float]:
    """`D = 0.1, k = 2` as names and the values that they start from.

    Raises:
        InputError: a piece of another form, or a name twice.
    """
    found: dict[str, float] = {}
    for piece in pieces(text):
        name, sign, value = (part.strip() for part in piece.partition("="))
        if not sign or not name or name in found:
            raise InputError(f"{piece!r:.40} is no number to be found; write each once, such as D = 0.1", key="unknown")
        found[name] = number(value, constants, f"unknown {name:.12}")
    return found


def _numbers(line: str, index: int, *, begun: bool) -> list[float]:
    if not begun:
        raise InputError(
            f"line {index} names no coefficient; begin with one and what it depends on, such as k(x, y) linear",
            key="coefficients",
        )
    return _row(line, index, "coefficients")


def _row(line: str, index: int, key: str) -> list[float]:
    """Numbers, separated by commas, semicolons or blanks."""
    try:
        return [float(part) for part in line.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        raise InputError(f"line {index} holds something that is no number: {line!r:.60}", key=key) from None


def _on_grid(name: str, given: dict[str, Any]) -> dict[str, Any]:
    width = len(given["inputs"]) + 1
    for index, row in enumerate(given["rows"], 1):
        if len(row) != width:
            raise InputError(
                f"row {index} has {len(row)} numbers; {width} are needed: {', '.join((*given['inputs'], name))}",
                key=name,
            )
    table = np.array(given["rows"], dtype=float).reshape(-1, width)
    grid = find_grid(table[:, :-1]) if len(table) else None
    if grid is None or given["interpolation"] == "nearest":
        return given
    axes = [axis.tolist() for axis in grid.axes]
    return {
        "inputs": given["inputs"],
        "grid": axes,
        "values": grid(table[:, -1]).ravel().tolist(),
        "interpolation": given["interpolation"],
    }
