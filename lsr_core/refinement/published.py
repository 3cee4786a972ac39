"""The authors' own way, for like-for-like comparison (Cao & Zhang 2026; see `published_settings`)."""

from __future__ import annotations

import math

import torch

from lsr_core.linalg.randomized import randomized_svd
from lsr_core.refinement.basis import SKETCH, Basis, OnFraction, as_source, column_scale, qr_for, solved_factor
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.subspace import ExplicitSubspace
from lsr_core.refinement.sweep import SplitFactor

PROJECTED = (3, 4)


def build_published(setting: Setting, on_fraction: OnFraction) -> Basis:
    """V from the sketch J Ω of all training rows at once; modes 3 and 4 solve Qᵀ G V c = −Qᵀ f instead of all rows."""
    config, train = setting.config, setting.train
    operator = setting.strategy.at(train.inputs)
    svd = randomized_svd(
        operator,
        setting.max_rank,
        oversampling=0 if config.published == PROJECTED[0] else config.oversampling,
        power_iterations=config.power_iterations,
        generator=setting.generator(SKETCH),
        uniform=config.sketch == "uniform",
    ).factors
    on_fraction(0.6)
    shown = as_source(svd.singular_values, setting)
    scale = column_scale(shown, setting)
    subspace = ExplicitSubspace(setting.strategy, svd.right, shown, scale=scale, sketch_error=math.nan)
    errors = (setting.function.outputs(train.inputs) - train.targets).reshape(-1, 1)
    qr = qr_for(setting, subspace.rank + 1)
    qr.update(torch.cat([operator.matmat(svd.right * scale), errors], dim=1))
    weight = 1 / math.sqrt(setting.n_residuals)
    on_fraction(1.0)
    rows = SplitFactor(qr.factor * weight, float(train.targets.square().mean()))
    projected = solved_factor(setting, svd.left, svd.singular_values * scale, errors[:, 0])
    return Basis(subspace, rows, projected if config.published in PROJECTED else None)
