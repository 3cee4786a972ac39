"""What a refinement of data is measured by: errors against targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lsr_core.refinement.evaluation import Choosing, Evaluation, Reported, Verified, refuse_infinite
from lsr_core.refinement.fields import FieldRecorder
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.left_out import left_out
from lsr_core.refinement.measures import disagreement, errors_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.reduction import ErrorBlock, Passes
from lsr_core.refinement.report import build_sweep
from lsr_core.refinement.results import Floats, Sweep
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.status import WORSE_FIT, sentence, status_of_data
from lsr_core.refinement.summary import ResidualNorms
from lsr_core.refinement.sweep import RankErrors, errors_by_rank, interpolate_logarithmically

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
        gains, allowed = None if validation is None else validation.gains, None
        if self.setting.function.sizes is not None:
            sweep = self._of_outputs_as_they_are(sweep, validation)
            allowed = self._nothing_lost(sweep)
        elif validation is not None:
            sweep = replace(sweep, by_output=self._by_output(validation))
        return Choosing(sweep, gains, allowed)

    def _of_outputs_as_they_are(self, sweep: Sweep, validation: RankErrors | None) -> Sweep:
        """With mean squares on the training rows that one more pass gives: the factor knows those of the divided outputs only."""
        train = self.scored("train")
        assert train is not None
        mse, relative = errors_by_rank(train, self.subspace.rank)
        compared = validation or train
        assert compared.solved is not None
        return replace(
            sweep,
            train_mse=mse,
            train_relative_l2=relative,
            divided=interpolate_logarithmically(compared.solved),
            by_output=self._by_output(compared),
        )

    @staticmethod
    def _nothing_lost(sweep: Sweep) -> NDArray[np.bool_] | None:
        """Ranks at which no output is worse than the network's; None where there is none but 0, so that one has to pay for another."""
        kept = ~(sweep.by_output > sweep.by_output[0]).any(axis=1)
        return kept if kept[1:].any() else None

    @staticmethod
    def _by_output(found: RankErrors) -> Floats:
        """Relative errors (R+1, parts) at every rank; without columns where there is nothing to tell apart."""
        if found.by_output is None:
            return np.zeros((len(found.mse), 0))
        return np.stack([interpolate_logarithmically(column) for column in found.by_output.T], axis=1)

    def left_out(self, rank: int) -> Gains | None:
        return left_out(self.setting, self.subspace, self.solutions, rank)

    def reporting(self, sweep: Sweep, rungs: list[int]) -> Reported:
        shown = self.setting.display
        recorder = FieldRecorder(self.reported, self.solutions, rungs)
        test = self.scored("test", recorder.add if shown == "test" else None)
        if shown != "test":
            self.scored(shown, recorder.add)
        mse, relative = errors_by_rank(test, self.subspace.rank)
        if test is not None:
            sweep = replace(sweep, by_output=self._by_output(test))
        return Reported(replace(sweep, test_mse=mse, test_relative_l2=relative), recorder.fields(), recorder.points)

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        base, base_quantiles, before = errors_of(self.setting, self.setting.network)
        refined, refined_quantiles, after = errors_of(self.setting, predictor.predict)
        refuse_infinite(
            [value for value in (refined.train_mse, refined.val_mse, refined.test_mse) if value is not None]
        )
        norms = ResidualNorms(
            base=before,
            linear=math.sqrt(self.train.mse(self.solutions.at(rank)[:, None]).item()),
            nonlinear=after,
        )
        status, gap = status_of_data(rank, norms), disagreement(refined, sweep, rank)
        notes = sentence(status, norms, WORSE_FIT)
        return Verified(base, refined, norms, base_quantiles, refined_quantiles, gap, notes, status=status)
