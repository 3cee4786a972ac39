"""What a refinement of data is measured by: errors against targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from lsr_core.refinement.evaluation import Choosing, Evaluation, Reported, Verified, refuse_infinite
from lsr_core.refinement.fields import FieldRecorder
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.left_out import left_out
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.reduction import ErrorBlock, Passes
from lsr_core.refinement.report import build_sweep, disagreement, errors_of
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.status import WORSE_FIT, sentence, status_of_data
from lsr_core.refinement.summary import ResidualNorms
from lsr_core.refinement.sweep import RankErrors, errors_by_rank

OnBlock = Callable[[ErrorBlock], None]


class SupervisedEvaluation(Evaluation):
    """Errors against targets: one pass over each split gives the errors of every rank."""

    @property
    def reported(self) -> Setting:
        """With the targets that errors are reported against."""
        return self.setting

    @cached_property
    def pass_over(self) -> Passes:
        """Made once: the corrections of all ranks are the same in every pass."""
        return Passes(self.setting, self.subspace, self.solutions, self.on_fraction)

    def scored(self, name: str, on_block: OnBlock | None = None) -> RankErrors | None:
        """Errors by rank on a split; None where there is no such split."""
        return self.pass_over(name, on_block)

    def choosing(self) -> Choosing:
        train, validation = RankErrors.of(self.train, self.solutions), self.scored("validation")
        sweep = build_sweep(self.subspace, self.solutions, {"train": train, "val": validation})
        return Choosing(sweep, None if validation is None else validation.gains)

    def left_out(self, rank: int) -> Gains | None:
        return left_out(self.setting, self.subspace, self.solutions, rank)

    def reporting(self, sweep: Sweep, rungs: list[int]) -> Reported:
        shown = self.setting.display
        recorder = FieldRecorder(self.reported, self.solutions, rungs)
        test = self.scored("test", recorder.add if shown == "test" else None)
        if shown != "test":
            self.scored(shown, recorder.add)
        mse, relative = errors_by_rank(test, self.subspace.rank)
        return Reported(replace(sweep, test_mse=mse, test_relative_l2=relative), recorder.fields(), recorder.points)

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        setting, function = self.setting, self.setting.function
        base, base_quantiles = errors_of(setting, function.outputs)
        refined, refined_quantiles = errors_of(setting, predictor.predict)
        before, after = base.train_mse or 0.0, refined.train_mse or 0.0
        refuse_infinite(
            [value for value in (refined.train_mse, refined.val_mse, refined.test_mse) if value is not None]
        )
        norms = ResidualNorms(
            base=math.sqrt(before),
            linear=math.sqrt(self.train.mse(self.solutions.at(rank)[:, None]).item()),
            nonlinear=math.sqrt(after),
        )
        status, gap = status_of_data(rank, norms), disagreement(refined, sweep, rank)
        notes = sentence(status, norms, WORSE_FIT)
        return Verified(base, refined, norms, base_quantiles, refined_quantiles, gap, notes, status=status)
