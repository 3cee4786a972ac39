"""What a refinement of a classifier is measured by: its probabilities."""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lsr_core.kinds.classes.preparing import ClassSetting
from lsr_core.kinds.classes.problem import BINS, clipped, log_losses
from lsr_core.kinds.data.evaluation import OnBlock, SupervisedEvaluation
from lsr_core.networks.footprints import samples_within
from lsr_core.networks.jacobians import TANGENTS
from lsr_core.refinement.evaluation import Verified, refuse_infinite
from lsr_core.refinement.gains import Gains
from lsr_core.refinement.measures import CHUNK, disagreement
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.reduction import ErrorBlock
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.setting import mean_square, relative_l2
from lsr_core.refinement.sizes import CHECK_BYTES
from lsr_core.refinement.status import WORSE_FIT, sentence, status_of_data
from lsr_core.refinement.summary import Classes, Errors, Quantiles, ResidualNorms
from lsr_core.refinement.sweep import RankErrors

MOST_LISTED = 1000  # test samples that are named as having changed their class
MOST_CLASSES = 100  # up to which there is a confusion matrix


class ClassEvaluation(SupervisedEvaluation):
    """Mean squares of validation and test are those of probabilities less one-hot targets (over the classes: Brier's score).

    A rank is chosen by them; the training curve is that of the rows which are solved.
    """

    setting: ClassSetting

    @property
    def reported(self) -> ClassSetting:
        return replace(self.setting, splits=self.setting.labelled)

    def left_out(self, rank: int) -> None:
        """None: leaving out a training sample says what becomes of its rows, not of its probabilities."""

    def predictor(self, delta: Tensor) -> RefinedPredictor:
        """Of logits; what probabilities it stands for is said by the rows that were linearised."""
        function = self.setting.function
        steps = {name.removeprefix("network."): step for name, step in function.tangent(delta).items()}
        return RefinedPredictor(self.setting.rows.network, steps, derivatives=function.derivatives)

    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        base, refined = (self._measured(part) for part in (None, predictor))
        before, after = base.errors.train_mse or 0.0, refined.errors.train_mse or 0.0
        refuse_infinite(
            [value for value in (after, refined.errors.val_mse, refined.errors.test_mse) if value is not None]
        )
        norms = ResidualNorms(
            base=math.sqrt(before),
            linear=math.sqrt(self.train.mse(self.solutions.at(rank)[:, None]).item()),
            nonlinear=math.sqrt(after),
        )
        status = status_of_data(rank, norms)
        notes = sentence(status, norms, WORSE_FIT)
        if (share := refined.errors.test_clipped) is not None and share > 0:
            notes.append(
                f"{share:.1%} of the refined probabilities of the test samples left [0, 1], as linear ones may, and were clipped for the log-loss."
            )
        return Verified(
            base.errors,
            refined.errors,
            norms,
            base.quantiles,
            refined.quantiles,
            disagreement(refined.errors, sweep, rank),
            notes,
            _classes(base, refined),
            status,
        )

    def scored(self, name: str, on_block: OnBlock | None = None) -> RankErrors | None:
        """Brier's score by rank on a split."""
        setting = self.setting
        if name not in setting.splits:
            return None
        ranks = self.solutions.ranks
        inputs, targets = setting.labelled[name]
        sums = torch.zeros(len(ranks), dtype=torch.float64, device=targets.device)
        gains = [Gains.none(ranks)]

        def score(block: ErrorBlock) -> None:
            x, y = inputs[block.samples], targets[block.samples]
            wanted = setting.splits[name].targets[block.samples]
            base = setting.rows.probabilities(x, block.errors + wanted) - y
            refined = setting.rows.probabilities(x, block.refined + wanted[:, :, None]) - y[:, :, None]
            sums.add_(refined.double().square().sum(dim=(0, 1)))
            if name == "validation":
                gains.append(Gains.of(ranks, refined.square().mean(dim=1)))
            if on_block is not None:
                on_block(ErrorBlock(block.samples, base, refined))

        with torch.no_grad():
            self.pass_over(name, score)
        sums = setting.reduction.sum(sums)
        mse = np.full(max(ranks) + 1, math.nan)
        mse[ranks] = (sums / targets.numel()).cpu().numpy()
        total = functools.reduce(operator.add, gains).over(setting.reduction) if name == "validation" else None
        return RankErrors(mse, mean_square(targets), total)

    @torch.no_grad()
    def _measured(self, predictor: RefinedPredictor | None) -> _Measured:
        """Errors of the refined predictor, or of the network alone."""
        setting, mse, probabilities = self.setting, {}, {}
        for name, split in setting.splits.items():
            if name == "grid":
                continue
            labels = setting.labelled[name].targets
            found, rows_error = [labels[:0]], 0.0
            samples = (
                samples_within(CHECK_BYTES, TANGENTS * setting.sizes.live, CHUNK)
                if setting.sample_wise
                else len(split.inputs)
            )
            for where in setting.reduction.blocks(len(split.inputs), samples):
                inputs, wanted = split.inputs[where], split.targets[where]
                if predictor is None:
                    rows = setting.function.outputs(inputs)
                else:
                    rows = setting.rows.refined(inputs, *predictor.parts(inputs))
                rows_error += float((rows - wanted).square().sum())
                found.append(setting.rows.probabilities(inputs, rows))
            probabilities[name] = setting.reduction.joined(torch.cat(found))
            rows_error = float(setting.reduction.sum(torch.tensor(rows_error, dtype=torch.float64)))
            mse[name] = rows_error if name == "train" else float((probabilities[name] - labels).square().sum())
            mse[name] /= labels.numel()
        errors = Errors(train_mse=mse["train"], val_mse=mse.get("validation"), test_mse=mse.get("test"))
        if "test" not in probabilities:
            return _Measured(errors, None, None, None)
        found_test, labels = probabilities["test"], setting.labelled["test"].targets
        single = (found_test - labels).norm(dim=1).double().cpu().numpy()
        median, p90, p99, largest = np.quantile(single, [0.5, 0.9, 0.99, 1.0]).tolist()
        errors = errors.model_copy(
            update={
                "test_relative_l2": relative_l2(mse["test"], setting.labelled["test"]),
                "test_accuracy": float((found_test.argmax(dim=1) == labels.argmax(dim=1)).double().mean()),
                "test_log_loss": float(log_losses(found_test, labels).double().mean()),
                "test_calibration": calibration_error(found_test, labels),
                "test_clipped": float(((found_test < 0) | (found_test > 1)).double().mean()),
            }
        )
        quantiles = Quantiles(median=median, p90=p90, p99=p99, max=largest)
        return _Measured(errors, quantiles, found_test.argmax(dim=1), labels.argmax(dim=1))


@dataclass(frozen=True)
class _Measured:
    errors: Errors
    quantiles: Quantiles | None
    found: Tensor | None
    labels: Tensor | None


def calibration_error(probabilities: Tensor, one_hot: Tensor) -> float:
    """Mean distance of confidence and accuracy over 15 equal bins of the confidence, weighted by their samples (Guo et al. 2017)."""
    confidence, found = clipped(probabilities).max(dim=1)
    right = (found == one_hot.argmax(dim=1)).double()
    places = (confidence * BINS).long().clamp(max=BINS - 1)
    gaps = torch.zeros(BINS, dtype=torch.float64, device=right.device).index_add_(
        0, places, confidence.double() - right
    )
    return float(gaps.abs().sum() / len(right))


def _classes(base: _Measured, refined: _Measured) -> Classes | None:
    if base.found is None or refined.found is None or base.labels is None:
        return None
    changed = (base.found != refined.found).nonzero()[:, 0]
    return Classes(
        base_confusion=_confusion(base),
        refined_confusion=_confusion(refined),
        n_changed=len(changed),
        changed=changed[:MOST_LISTED].tolist(),
    )


def _confusion(measured: _Measured) -> list[list[int]]:
    assert measured.found is not None
    assert measured.labels is not None
    classes = int(max(measured.found.max(), measured.labels.max())) + 1
    if classes > MOST_CLASSES:
        return []
    counts = torch.bincount(measured.labels * classes + measured.found, minlength=classes**2)
    table: list[list[int]] = counts.view(classes, classes).tolist()
    return table
