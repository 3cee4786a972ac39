"""`lsr plane`: the loss around θ0 on a plane that holds the step of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsr_app.commands.common import (
    OWNER,
    JsonOption,
    RunArgument,
    RunsOption,
    TrustOption,
    emit,
    find_run,
    need_complete,
    store,
)
from lsr_app.commands.running import execute, printable_lines
from lsr_core.errors import LSRError

if TYPE_CHECKING:
    from lsr_core.diagnosis.plane import PlaneSettings
    from lsr_core.refinement.results import LossPlane
    from lsr_core.storage.runs import Run


def plane(
    run: RunArgument,
    direction: Annotated[
        str, typer.Option(help="Second axis: gradient, singular (a right singular vector) or random.")
    ] = "gradient",
    singular: Annotated[int, typer.Option(help="Which singular vector; 1 = the leading one.")] = 1,
    filter_normalised: Annotated[
        bool, typer.Option("--filter-normalised", help="Scale the second axis filter by filter, like the network.")
    ] = False,
    alpha_from: Annotated[float, typer.Option(help="Where the axis along the step begins.")] = -0.5,
    alpha_to: Annotated[float, typer.Option(help="Where it ends; 1 = the whole step.")] = 1.5,
    seed: Annotated[int, typer.Option(help="Seed of a random direction.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Compute the loss of the network and of the linear model on a plane through θ0, and keep it as a run."""
    from lsr_core.diagnosis.plane import PlaneSettings
    from lsr_core.jobs.planing import create_plane
    from lsr_core.storage.planes import read_plane
    from lsr_core.validation import checked

    source = find_run(run, runs, trust)
    need_complete(source)
    settings = checked(
        PlaneSettings,
        {
            "direction": direction,
            "singular": singular,
            "filter_normalised": filter_normalised,
            "alpha_from": alpha_from,
            "alpha_to": alpha_to,
            "seed": seed,
        },
    )
    made = create_plane(store(runs), source, settings, owner=OWNER)
    execute(made)
    found = read_plane(made.path)
    if found is None:
        raise LSRError(f"run {made.id} left no result")
    emit(*_told(source, made, settings, found), json)


def _told(source: Run, made: Run, settings: PlaneSettings, found: LossPlane) -> tuple[dict[str, Any], str]:
    """The result as JSON has it, and in words."""
    from lsr_core.diagnosis.plane import finite_or_none

    agree = float(found.neighbourhood.mean())
    result = {
        "run": made.id,
        "of": source.id,
        **settings.model_dump(mode="json"),
        "alpha": found.alpha.tolist(),
        "beta": found.beta.tolist(),
        "nonlinear": finite_or_none(found.nonlinear),
        "linearised": finite_or_none(found.linearised),
        "base_loss": found.base,
        "agreement": agree,
        "length": found.length,
        "cosine": found.cosine,
        "n_rows": found.n_rows,
        "status": made.status().status,
        "folder": str(made.path),
    }
    return result, printable_lines(
        [
            f"{made.manifest.problem}: plane of the step and {settings.direction}, {len(found.beta)} x {len(found.alpha)} points",
            f"base loss {found.base:.3e}; smallest {found.linearised.min():.3e} linearised, {_smallest(found.nonlinear)} nonlinear",
            f"both agree within 10 % around the network on {agree:.1%} of the plane",
            f"run {made.id}",
        ]
    )


def _smallest(values: object) -> str:
    import numpy as np

    return f"{float(np.nanmin(np.asarray(values))):.3e}"
