"""A refinement whose result is that of Gauss-Newton steps; what one solve had given is kept beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import torch

from lsr_core.problems.splits import Split
from lsr_core.refinement.gauss_newton import GaussNewton
from lsr_core.refinement.output_errors import names_of, output_notes
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.report import conditions_at
from lsr_core.refinement.resources import peak_rss_bytes
from lsr_core.refinement.results import Fields
from lsr_core.refinement.status import status_of_equation
from lsr_core.refinement.summary import OneShot
from lsr_core.refinement.true_residual import field_errors, measured


def after_gauss_newton(refinement: Refinement, result: GaussNewton, timings: dict[str, float]) -> Refinement:
    """The refinement with rank, Δθ, predictor, figures and fields of the last step; the sweep stays that of one solve.

    Args:
        timings: seconds by stage, those of the steps included.

    Raises:
        NumericalError: the predictor left the finite numbers.
    """
    setting = cast(PhysicsSetting, refinement.setting)
    step = result.step[:, None]
    found = measured(setting, step, result.predictor)
    before, rank = refinement.summary, result.rank
    summary = before.model_copy(
        update={
            "rank": rank,
            "rank_choice": before.rank_choice if rank == before.rank else CHOICE,
            "refined": found.refined,
            "residual_norm": found.norms.model_copy(update={"linear": before.residual_norm.linear}),
            "delta_norm": float(step.norm()),
            **conditions_at(rank, refinement.sweep, refinement.solutions.solver, refinement.subspace),
            "one_shot": OneShot(
                rank=before.rank,
                rank_choice=before.rank_choice,
                refined=before.refined,
                residual_norm=before.residual_norm,
                delta_norm=before.delta_norm,
            ),
            "gauss_newton": list(result.records),
            "status": status_of_equation(rank, found.norms).value,
            "seconds": before.seconds + sum(record.seconds for record in result.records),
            "peak_rss_bytes": peak_rss_bytes(),
            "timings": before.timings | timings,
            "notes": [
                *setting.notes,
                result.sentence,
                *output_notes(found.base, found.refined, names_of(refinement.problem)),
            ],
        }
    )
    return replace(
        refinement,
        solutions=refinement.solutions.with_solution(rank, result.alpha[:rank]),
        fields=_fields(refinement, setting, rank, step),
        rank=rank,
        delta=result.delta,
        predictor=result.predictor,
        summary=summary,
        timings=summary.timings,
    )


CHOICE = "auto: Gauss-Newton, smallest residual at fresh points"


def _fields(refinement: Refinement, setting: PhysicsSetting, rank: int, step: torch.Tensor) -> Fields:
    """The field of the last step at its rank, in place of that of one solve."""
    fields, split = refinement.fields, setting.splits[refinement.fields.split]
    where = torch.as_tensor(refinement.display_points, device=split.inputs.device)
    _, errors = field_errors(setting, Split(split.inputs[where], split.targets[where]), step)
    before = int(np.searchsorted(fields.ranks, rank))
    after = before + int(rank in fields.ranks)

    def spliced(values: np.ndarray, row: np.ndarray) -> np.ndarray:
        return np.concatenate([values[:before], row.astype(values.dtype), values[after:]])

    return replace(
        fields,
        ranks=spliced(fields.ranks, np.array([rank])),
        refined_error=spliced(fields.refined_error, errors.cpu().numpy()),
        stepped=spliced(fields.stepped, np.full_like(fields.stepped[:1], np.nan)),
    )
