"""`lsr suite`: equations that people quote, each solved by its recipe, side by side with what is published."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from lsr_app.commands.common import JsonOption, RunsOption, emit, printable, runs_root
from lsr_app.commands.running import number, printable_lines
from lsr_core.errors import InputError


def suite(
    name: Annotated[str, typer.Argument(metavar="SUITE", help="accuracy, pinnacle or systems.")],
    only: Annotated[list[str] | None, typer.Option(help="Only this equation; may be given several times.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="For one equation and seed.")] = 600.0,
    seeds: Annotated[int, typer.Option(min=1, max=9, help="Solve with so many seeds and report the median.")] = 1,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Solve the equations of a suite one after the other and report their errors; no recipe looks at a solution.

    Each row is kept in the folder of runs as it is made, for the page Suites.
    """
    from lsr_core.suites import LISTS
    from lsr_core.suites.kept import keep
    from lsr_core.suites.running import entries, middle, run

    if name not in LISTS:
        raise InputError(f"is {name!r:.40}; there are {', '.join(LISTS)}", key="SUITE")

    def tell(line: str) -> None:
        print(printable(line), file=sys.stderr, flush=True)

    root, rows = runs_root(runs), []
    for entry in entries(name, only or []):
        rows.append(middle([run(name, entry, seed, seconds, tell) for seed in range(seeds)]))
        keep(root, name, rows[-1:])
    emit({"rows": [row.model_dump(mode="json") for row in rows]}, _table([row.model_dump() for row in rows]), json)


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'equation':<22}{'relative L2':>12}{'published':>12}{'reference':>12}{'seconds':>9}  status"]
    for row in rows:
        lines.append(
            f"{row['name']:<22}{number(row['relative_l2']):>12}{number(row['published']):>12}{number(row['reference_error']):>12}"
            f"{row['seconds']:>9.1f}  {row['status']}"
        )
    return printable_lines(lines)
