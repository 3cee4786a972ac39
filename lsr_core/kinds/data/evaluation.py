"""What a refinement of data is measured by: errors against targets."""

from __future__ import annotations

import math
from dataclasses import replace

from torch import Tensor

from lsr_core.refinement.evaluation import Evaluation, Verified, refuse_infinite
from lsr_core.refinement.fields import FieldRecorder
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.left_out import left_out
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.reduction import Passes
from lsr_core.refinement.report import build_sweep, disagreement, errors_of
from lsr_core.refinement.results import Fields, Sweep
from lsr_core.refinement.summary import ResidualNorms
from lsr_core.refinement.sweep import RankErrors, errors_by_rank


class SupervisedEvaluation(Evaluation):
    """Errors against targets: one pass over each split gives the errors of every rank."""

    def choosing_sweep(self) -> Sweep:
        self._pass_over = Passes(self.setting, self.subspace, self.solutions, self.on_fraction)
        train, validation = RankErrors.of(self.train, self.solutions), self._pass_over("validation")
        self.gains = None if validation is None else validation.gains
        return build_sweep(self.subspace, self.solutions, {"train": train, "val": validation})

    def left_out(self, rank: int) -> Gains | None:
        return left_out(self.setting, self.subspace, self.solutions, rank)

    def reporting_sweep(self, sweep: Sweep, rungs: list[int]) -> Sweep:
        shown = self.setting.display
        self._recorder = FieldRecorder(self.setting, self.solutions, rungs)
        test = self._pass_over("test", self._recorder.add if shown == "test" else None)
        if shown != "test":
            self._pass_over(shown, self._recorder.add)
        mse, relative = errors_by_rank(test, self.subspace.rank)
        return replace(sweep, test_mse=mse, test_relative_l2=relative)

    def fields(self) -> tuple[Fields, Tensor]:
        return self._recorder.fields(), self._recorder.points

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        setting, function = self.setting, self.setting.function
        base, base_quantiles = errors_of(setting, function.outputs)
        refined, refined_quantiles = errors_of(setting, predictor.predict)
        before, after = base.train_mse or 0.0, refined.train_mse or 0.0
        refuse_infinite(
            [value for value in (refined.train_mse, refined.val_mse, refined.test_mse) if value is not None]
        )
        notes = []
        if rank > 0 and after > before:
            notes.append(
                "The refined predictor is worse than the network on its own training data: the solve is limited by rounding. "
                "Use float64 or a smaller rank."
            )
        norms = ResidualNorms(
            base=math.sqrt(before),
            linear=math.sqrt(self.train.mse(self.solutions.at(rank)[:, None]).item()),
            nonlinear=math.sqrt(after),
        )
        gap = disagreement(refined, sweep, rank)
        return Verified(base, refined, norms, base_quantiles, refined_quantiles, gap, notes)
