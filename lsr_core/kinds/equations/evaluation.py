"""What a refined solution of an equation is measured by: the true residual of its field, and its error against a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from lsr_core.problems.splits import Split
from lsr_core.refinement import ranks as rank_choice
from lsr_core.refinement.evaluation import Choosing, Evaluation, Reported, Verified
from lsr_core.refinement.fields import thinned_points
from lsr_core.refinement.physics_setting import PhysicsSetting
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.report import build_sweep
from lsr_core.refinement.results import Fields, Sweep
from lsr_core.refinement.sizes import MAX_DISPLAY_POINTS, MAX_STEPPED_POINTS
from lsr_core.refinement.status import WORSE_FIELD, sentence, status_of_equation
from lsr_core.refinement.sweep import RankErrors, interpolate_logarithmically
from lsr_core.refinement.true_residual import field_errors, measured, true_losses

KAPPA_RUNGS = 9  # the triangles are full, and each exact condition number takes singular values


class PhysicsEvaluation(Evaluation):
    """True residuals at fresh points choose the rank; the reference is only reported.

    The refined field and its derivatives are linear in Δθ, so one product for each rank of the ladder gives them wherever they are
    wanted, and the residual is evaluated on them as it stands, nonlinear or not. What is reported at the chosen rank comes from
    forward-mode products.
    """

    setting: PhysicsSetting

    def choosing(self) -> Choosing:
        sweep = build_sweep(
            self.subspace, self.solutions, {"train": RankErrors.of(self.train, self.solutions)}, kappa_rungs=KAPPA_RUNGS
        )
        rungs = [rank for rank in rank_choice.ladder(self.subspace.rank) if self.solutions.is_solved(rank)]
        fixed = self.setting.config.rank
        if isinstance(fixed, int) and fixed <= self.subspace.rank:
            rungs = sorted({*rungs, fixed})
        steps = self._steps(rungs)
        values = np.full(self.subspace.rank + 1, np.nan)
        values[rungs] = true_losses(self.setting.fresh, steps, self.setting.strategy.name, self.setting.reduction)
        return Choosing(replace(sweep, val_mse=interpolate_logarithmically(values)))

    def reporting(self, sweep: Sweep, rungs: list[int]) -> Reported:
        setting, steps = self.setting, self._steps(rungs)
        shown, points = _thinned(setting.splits[setting.display])
        network, errors = field_errors(setting, shown, steps)
        fields = self._fields(shown, rungs, network, errors)
        if "test" not in setting.splits:
            return Reported(sweep, fields, points)
        test = shown
        if setting.display != "test":
            test, _ = _thinned(setting.splits["test"])
            _, errors = field_errors(setting, test, steps)
        mse = np.full(self.subspace.rank + 1, np.nan)
        mse[rungs] = errors.square().mean(dim=(1, 2)).cpu().double().numpy()
        mse = interpolate_logarithmically(mse)
        relative = np.sqrt(mse / float(test.targets.square().mean()))
        return Reported(replace(sweep, test_mse=mse, test_relative_l2=relative), fields, points)

    def _fields(self, shown: Split, rungs: list[int], network: Tensor, errors: Tensor) -> Fields:
        coarse = thinned_points(shown.inputs, MAX_STEPPED_POINTS).numpy()
        targets = shown.targets.cpu().double().numpy()
        return Fields(
            ranks=np.array(rungs, dtype=np.int64),
            inputs=shown.inputs.cpu().double().numpy(),
            targets=targets,
            network=network.cpu().double().numpy(),
            refined_error=errors.float().cpu().numpy(),
            stepped_points=coarse,
            stepped=np.full((len(rungs), len(coarse), targets.shape[1]), np.nan, dtype=np.float32),
            split=self.setting.display,
        )

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        linear = math.sqrt(float(self.train.mse(self.solutions.at(rank)[:, None])))
        found = measured(self.setting, self._steps([rank]), predictor)
        norms = found.norms.model_copy(update={"linear": linear})
        status = status_of_equation(rank, norms)
        return Verified(found.base, found.refined, norms, notes=sentence(status, norms, WORSE_FIELD), status=status)

    def _steps(self, ranks: Sequence[int]) -> Tensor:
        """Δθ (m, k) of the free parameters."""
        return self.subspace.delta(self.solutions.columns(ranks))


def _thinned(split: Split) -> tuple[Split, Tensor]:
    """At most so many points of a split as are shown, and their indices."""
    points = thinned_points(split.inputs, MAX_DISPLAY_POINTS)
    where = points.to(split.inputs.device)
    return Split(split.inputs[where], split.targets[where]), points
