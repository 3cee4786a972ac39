"""`lsr train`: the network of an equation trained by Levenberg-Marquardt, as a bundle that can be refined."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsr_app.commands.common import PROBLEM_HELP, JsonOption, TrustOption, emit, printable, problem_folder
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.training.records import Step

EVERY = 10  # steps between lines


def train(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    out: Annotated[Path, typer.Option(help="New folder for the bundle with the trained network.")],
    steps: Annotated[int, typer.Option(min=1, help="Levenberg-Marquardt steps, at most.")] = 60,
    adam: Annotated[int, typer.Option(min=0, help="Steps of Adam before them.")] = 0,
    points: Annotated[int, typer.Option(min=1, help="Points of each condition at a time, at most.")] = 3000,
    seconds: Annotated[float | None, typer.Option(help="Deadline.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Let the points that are refined on follow the residual.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Seed of the points.")] = 0,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Train the network of an equation by Levenberg-Marquardt, and write it as a new bundle."""
    from lsr_core.jobs.iterating import equation_of
    from lsr_core.storage.bundles import load_problem, save_problem
    from lsr_core.training.from_start import trained

    if out.exists():
        raise InputError("there is something already; name a new folder", file=str(out), key="out")
    with problem_folder(problem, trust) as folder:
        loaded = equation_of(load_problem(folder), "solve")
    started = time.perf_counter()
    made, found = trained(
        loaded, steps=steps, adam_steps=adam, points=points, seconds=seconds, follow=follow, seed=seed, on_step=_tell
    )
    taken = time.perf_counter() - started
    about: dict[str, str | int | float | bool | None] = {
        "optimiser": "Levenberg-Marquardt" if not adam else "Adam, then Levenberg-Marquardt",
        "steps": f"{adam} and {len(found.steps)}" if adam else len(found.steps),
        "points": points,
    }
    save_problem(out, made, training=about, seeds={"points": seed})
    record = {
        "problem": problem,
        "out": str(out),
        "steps": len(found.steps),
        "loss": found.loss,
        "reason": found.reason,
        "sentence": found.sentence,
        "seconds": taken,
    }
    emit(record, printable(f"{found.sentence} {taken:.1f} s; refine it with: lsr refine {out} --gauss-newton 10"), json)


def _tell(step: Step) -> None:
    if step.index % EVERY == 0:
        print(f"step {step.index}: loss {step.loss:.3e}, {step.seconds:.0f} s", file=sys.stderr, flush=True)
