"""`lsr scales`: the first-layer scale of an untrained network, by the residual on fresh points."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, TrustOption, emit, printable, problem_folder
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.problems.physics.problem import PhysicsProblem
    from lsr_core.refinement.scale_search import Candidate, ScaleSearch


def scales(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    rank: Annotated[
        int | None, typer.Option(help="Rank of the refinements that are tried; that of `lsr refine` by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the points and of the random sketch.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Write the bundle with the scale found to this new folder.", show_default=False)
    ] = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Search the first-layer scale of an untrained network; the true error is never looked at."""
    from lsr_core.refinement.scale_search import search_scales
    from lsr_core.refinement.uses import refuse_job
    from lsr_core.storage.bundles import load_problem, save_problem

    if out is not None and out.exists():
        raise InputError("there is something already; name a new folder", file=str(out), key="out")
    with problem_folder(problem, trust) as folder:
        loaded = load_problem(folder)
    refuse_job("scales", loaded.kind)
    equation = cast("PhysicsProblem", loaded)
    started = time.perf_counter()
    found = search_scales(
        equation,
        rank=rank,
        seed=seed,
        on_candidate=lambda one: print(printable(_line(one)), file=sys.stderr, flush=True),
    )
    seconds = time.perf_counter() - started
    if out is not None:
        about: dict[str, str | int | float | bool | None] = {
            "first-layer scales": "searched by the residual on fresh points",
            "epochs": 0,
        }
        save_problem(out, found.problem, training=about, seeds={"points": equation.seed, "search": seed})
    result = {
        "problem": problem,
        "rank": found.rank,
        "candidates": [_entry(one) for one in found.candidates],
        "chosen": _entry(found.chosen),
        "seconds": seconds,
        "out": None if out is None else str(out),
    }
    emit(result, _words(found, seconds), json)


def _entry(candidate: Candidate) -> dict[str, object]:
    residual = candidate.fresh_residual
    return {
        "scales": candidate.scales,
        "rank": candidate.rank,
        "fresh_residual": residual if math.isfinite(residual) else None,
        "seconds": candidate.seconds,
    }


def _line(candidate: Candidate) -> str:
    named = "".join(f"{f'{name} {value:.3g}':<12}" for name, value in candidate.scales.items())
    return f"{named}{candidate.rank:>6}{candidate.fresh_residual:>12.3e}{candidate.seconds:>8.1f} s"


def _words(found: ScaleSearch, seconds: float) -> str:
    by_residual = sorted(found.candidates, key=lambda one: (-one.rank, one.fresh_residual))
    lines = [f"{'scale':<{12 * len(found.chosen.scales)}}{'rank':>6}{'residual':>12}{'time':>10}"]
    lines += [_line(one) + (" chosen" if one is found.chosen else "") for one in by_residual]
    lines.append(f"{len(found.candidates)} refinements, {seconds:.1f} s")
    return "\n".join(printable(line) for line in lines)
