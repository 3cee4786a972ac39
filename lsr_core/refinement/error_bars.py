"""What a smoothed refinement says of its own error: bands, how often they hold, and the figures of the summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.refinement.noise_level import NOT_TOLD
from lsr_core.refinement.posterior import inside, spread_of
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.regularisation import Regularisation
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.smoothing import Smoothing
from lsr_core.refinement.spread import Spread
from lsr_core.refinement.subspace import Subspace

BAND = 1.959963984540054  # standard deviations of a band of 95 %
LEVEL = 0.95  # of that band
MOST_TESTED = 500  # samples that coverage is counted on: its own error is then 1 % at most where bands hold
NOISE_SHARE = 0.5  # of σ², below which the mean square error on test targets shows that they carry no such noise


@dataclass(frozen=True, eq=False)
class ErrorBars:
    """Bands of a smoothed refinement.

    Attributes:
        spread: None where it has none, or its directions would fill the memory: then bands hold what lies within the subspace.
        stretch: what standard deviations are multiplied by; `spread` has it already.
    """

    setting: Setting
    subspace: Subspace
    smoothing: Smoothing
    spread: Spread | None
    stretch: float

    @classmethod
    def of(cls, setting: Setting, subspace: Subspace, smoothing: Smoothing) -> ErrorBars:
        """Raises InputError where bands are to be conformal and samples cannot be left out."""
        stretch = conformal(smoothing) if setting.config.bands == "conformal" and smoothing.refines else 1.0
        spread = spread_of(smoothing, setting, subspace)
        return cls(setting, subspace, smoothing, None if spread is None else spread.stretched(stretch), stretch)

    def model(self, inputs: Tensor) -> Tensor:
        """Standard deviation of what is delivered (n, o) as the solve takes them, without noise; zero where it has none."""
        outputs = self.setting.n_outputs
        if not self.smoothing.tells_spread or self.smoothing.largest == 0:
            return torch.zeros(len(inputs), outputs, dtype=torch.float64, device=inputs.device)
        if self.spread is not None:
            return self.spread.at(self.setting.function, inputs)
        return self.stretch * inside(self.smoothing, self.subspace, inputs, outputs)

    def summary(self, predictor: RefinedPredictor) -> dict[str, Any]:
        """The entries of `Summary` that belong to it."""
        smoothing, noise = self.smoothing, self.setting.physical(self.smoothing.noise[None])[0]
        share, of = self._coverage(predictor)
        held_out = smoothing.held_out
        return {
            "regularisation": Regularisation(
                rule=smoothing.rule,
                used=smoothing.used,
                value=smoothing.value,
                averaged=smoothing.averaged,
                noise_by=smoothing.noise_by if smoothing.knows_noise else NOT_TOLD,
                optima=smoothing.optima,
                n_left_out=0 if held_out is None else len(held_out.places),
                stretch=self.stretch,
            ),
            "noise_std": float(noise.square().mean().sqrt()) if smoothing.knows_noise else None,
            "noise_std_by_output": noise.tolist() if len(noise) > 1 and smoothing.knows_noise else None,
            "degrees_of_freedom": smoothing.freedom,
            "coverage": share,
            "coverage_of": of,
        }

    def _coverage(self, predictor: RefinedPredictor) -> tuple[float | None, str | None]:
        if not self.smoothing.tells_spread:
            return None, None
        if "test" in self.setting.splits:
            misses, deviations, of = self.tested(predictor)
            return float((misses <= BAND * deviations).double().mean()), of
        if self.smoothing.held_out is None or not self.smoothing.refines or self.stretch != 1:
            return None, None  # the samples that bands were stretched by say nothing of how often they hold
        misses, deviations = self.left_out()
        return float((misses <= BAND * deviations).double().mean()), "left out"

    def tested(self, predictor: RefinedPredictor) -> tuple[Tensor, Tensor, str]:
        """|error| (n, o) on test samples, the standard deviation that it should be held against, and of what that is."""
        inputs, targets = self.setting.splits["test"]
        if len(inputs) > MOST_TESTED:
            some = torch.linspace(0, len(inputs) - 1, MOST_TESTED).long().to(inputs.device)
            inputs, targets = inputs[some], targets[some]
        misses = (self.setting.divided(predictor.predict(inputs).reshape(targets.shape)) - targets).abs().double()
        deviations, noise = self.model(inputs), self.smoothing.noise
        clean = float(misses.square().mean()) < NOISE_SHARE * float(noise.square().mean())
        return (
            misses,
            deviations if clean else deviations.hypot(self.stretch * noise),
            "function" if clean else "observations",
        )

    def left_out(self) -> tuple[Tensor, Tensor]:
        """|error| (n, o) of training samples in the solution without them, and the standard deviation that this predicts for them."""
        misses, deviations = left_out(self.smoothing)
        return misses, self.stretch * deviations


def left_out(smoothing: Smoothing) -> tuple[Tensor, Tensor]:
    """The same as the model has it."""
    held_out, penalty = smoothing.held_out, smoothing.left_out_at
    assert held_out is not None
    return held_out.errors_at(penalty).abs(), smoothing.noise * held_out.spreads(penalty)


def conformal(smoothing: Smoothing) -> float:
    """What bands of 95 % are multiplied by to hold so many of the samples left out in turn, and that of the next one (jackknife).

    The ⌈0.95 (n + 1)⌉-th smallest of the errors in their standard deviations, over the quantile of the normal distribution (Lei et al. 2018, ch. 5.2,
    for the scaled errors; Barber et al. 2021 for the samples left out). Of several outputs all values count, n is the number of samples.

    Raises:
        InputError: samples cannot be left out, or are fewer than 19.
    """
    held_out = smoothing.held_out
    count = 0 if held_out is None else sum(len(places) for places, _ in held_out.groups)
    wanted = math.ceil(LEVEL * (count + 1))
    if held_out is None or wanted > count:
        what = "cannot be left out one at a time" if held_out is None else f"are {count}, too few for bands of 95 %"
        raise InputError(f"is 'conformal', but samples of this problem {what}; leave it at model", key="bands")
    misses, deviations = left_out(smoothing)
    scores = (misses / deviations).flatten().sort().values
    found = float(scores[math.ceil(wanted / count * len(scores)) - 1]) / BAND
    return found if math.isfinite(found) and found > 0 else 1.0  # nothing is left where there is no noise at all


def normal_quantile(level: float) -> float:
    """Standard deviations of a central band of this share."""
    return float(torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64)))


def calibration(misses: Tensor, deviations: Tensor, levels: list[float]) -> list[float]:
    """Share of the values inside of central bands of several nominal shares."""
    ratios = misses / deviations.clamp_min(math.ulp(0.0))
    return [float((ratios <= normal_quantile(level)).double().mean()) for level in levels]
