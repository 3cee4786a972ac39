"""`lsr fractions`: the same refinement with a part of the parameters, one run for each part."""

from __future__ import annotations

from typing import Annotated

import typer

from lsr_app.commands.common import (
    OWNER,
    PROBLEM_HELP,
    JsonOption,
    RunsOption,
    TrustOption,
    emit,
    problem_folder,
    store,
)
from lsr_app.commands.running import execute, refuse
from lsr_app.reading.shares import DEFAULT_SHARES, config_for
from lsr_core.errors import InputError

DEFAULT = ",".join(f"{share:g}" for share in DEFAULT_SHARES)


def fractions(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help=PROBLEM_HELP)],
    fractions: Annotated[
        str, typer.Option(help="Shares of the parameters that may move, with commas between them.")
    ] = DEFAULT,
    max_rank: Annotated[int | None, typer.Option(help="Largest rank; smaller where fewer parameters move.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random sketch and of the parts.")] = 0,
    trust: TrustOption = False,
    runs: RunsOption = None,
    json: JsonOption = False,
) -> None:
    """Refine with several shares of the parameters and print the error of each."""
    from lsr_core.jobs.queue import create
    from lsr_core.refinement.config import RefineConfig
    from lsr_core.storage.bundles import load_problem

    shares = sorted({_share(part) for part in fractions.split(",")})
    rows = []
    with problem_folder(problem, trust) as folder:
        model = load_problem(folder).model
        n_params = sum(value.numel() for value in model.parameters() if value.requires_grad)
        configs = [config_for(RefineConfig(max_rank=max_rank, seed=seed), share, n_params) for share in shares]
        for config in configs:
            refuse(folder, config)
        for share, config in zip(shares, configs, strict=True):
            title = f"{folder.name}, {share:.3g} of the parameters"
            run = create(store(runs), folder, config, owner=OWNER, title=title)
            execute(run)
            summary = run.summary
            rows.append(
                {
                    "fraction": share,
                    "run": run.id,
                    "n_params": summary.n_params,
                    "rank": summary.rank,
                    "base": summary.base.model_dump(mode="json"),
                    "refined": summary.refined.model_dump(mode="json"),
                    "seconds": summary.seconds,
                }
            )
    emit({"problem": problem, "fractions": rows, "status": "complete"}, _words(rows), json)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise InputError(
            f"has {text.strip()[:40]!r}; give numbers above 0 and up to 1, for instance 0.1,1", key="fractions"
        )
    return share


def _words(rows: list[dict[str, object]]) -> str:
    head = f"{'share':>8}{'parameters':>12}{'rank':>7}{'mse before':>12}{'mse after':>12}{'seconds':>9}"
    lines = [head]
    for row in rows:
        before, after = (_error(row[key]) for key in ("base", "refined"))
        lines.append(
            f"{row['fraction']:>8.3g}{row['n_params']:>12,}{row['rank']:>7}{before:>12.3e}{after:>12.3e}{row['seconds']:>9.1f}"
        )
    return "\n".join(lines)


def _error(errors: object) -> float:
    assert isinstance(errors, dict)
    return float(errors["test_mse"] if errors["test_mse"] is not None else errors["train_mse"])
