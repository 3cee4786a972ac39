"""What the pages show of a smoothing: criteria and fields at many strengths, bands, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lsr_core.linalg.smoothing import RidgeFamily
from lsr_core.refinement.error_bars import ErrorBars, calibration
from lsr_core.refinement.posterior import deviations_at
from lsr_core.refinement.ranks import ladder
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import Fields, Floats
from lsr_core.refinement.smoothing_record import SmoothingCurves

LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]
RANK_CURVES = 5  # ranks beside the largest at which the criterion is kept
SHOWN = 25  # strengths at which fields are kept
MOST_SAMPLES = 2000  # fitted samples that are kept to be drawn
PLACES, BEYOND = (
    201,
    0.05,
)  # of a line through a single input, and how far it goes beyond the samples, as a share of their range
MOST_DIRECTIONS = 400  # of a triangle, up to which curves of smaller ranks are made


def smoothing_curves(refinement: Refinement, fields: Fields) -> SmoothingCurves | None:
    """None where the refinement was not smoothed, or there is nothing to smooth."""
    bars = refinement.error_bars
    if bars is None or bars.smoothing.largest == 0 or bars.smoothing.family.base == 0:
        return None
    smoothing, family = bars.smoothing, bars.smoothing.family
    grid, largest = family.grid(), smoothing.largest
    held_out = smoothing.held_out
    ranks = _smaller_ranks(family)
    shown = _shown(smoothing.value, family)
    at = grid.new_tensor(shown) * largest
    spread = family.noise(at)
    if smoothing.average is not None:  # the run's own place among them
        spread[int((at - smoothing.strength).abs().argmin())] = family.noise(smoothing.at)[0]
    spread = spread.clamp_min(0).sqrt().nan_to_num(0.0)
    error, deviation, inside = _fields(refinement, bars, fields, at, spread)
    train = refinement.setting.train
    some = torch.linspace(0, len(train.inputs) - 1, min(MOST_SAMPLES, len(train.inputs))).long()
    line = _line(train.inputs)
    line_mean, line_deviation, line_inside = map(_single, _predicted(refinement, bars, line, at, spread))
    return SmoothingCurves(
        strength=_floats(grid / largest),
        mean_square=_floats(family.mean_square(grid)),
        gcv=_floats(family.gcv(grid)),
        left_out=_floats(torch.full_like(grid, math.nan) if held_out is None else held_out.mean_square(grid)),
        log_evidence=_floats(family.log_evidence(grid) / family.n_rows),
        freedom=_floats(family.degrees_of_freedom(grid)),
        noise=_floats(family.noise_by_residual(grid).sqrt()),
        ranks=np.array(ranks, dtype=np.int64),
        gcv_by_rank=np.stack([_floats(family.leading(rank).gcv(grid)) for rank in ranks])
        if ranks
        else np.zeros((0, len(grid))),
        shown=np.array(shown),
        error=error,
        deviation=deviation,
        spread=_floats(spread),
        inputs=_floats(train.inputs[some].flatten(1)),
        targets=_floats(refinement.setting.physical(train.targets[some])),
        sizes=_floats(refinement.setting.physical(torch.ones_like(train.targets[:1]))[0]),
        level=np.array(LEVELS),
        observed=_observed(refinement, bars),
        chosen=smoothing.value if smoothing.refines else math.inf,
        line=_floats(line.flatten()),
        line_mean=line_mean,
        line_deviation=line_deviation,
        inside=inside,
        line_inside=line_inside,
        stretch=bars.stretch,
    )


def _smaller_ranks(family: RidgeFamily) -> list[int]:
    most = len(family.right)
    if most > MOST_DIRECTIONS:
        return []
    return [rank for rank in ladder(most, RANK_CURVES) if 0 < rank < most]


def _shown(chosen: float, family: RidgeFamily) -> list[float]:
    """Strengths over four decades around the chosen one, and that itself; over all where it is none."""
    middle = chosen if 0 < chosen < math.inf else 1e-6
    around = np.geomspace(middle * 1e-4, max(middle * 1e4, 1.0), SHOWN - 1)
    return sorted({*around.tolist(), chosen if math.isfinite(chosen) else middle})


def _fields(
    refinement: Refinement, bars: ErrorBars, fields: Fields, at: Tensor, spread: Tensor
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    split = refinement.setting.splits[fields.split]
    points = torch.as_tensor(refinement.display_points[fields.stepped_points], device=split.inputs.device)
    means, whole, inside = _predicted(refinement, bars, split.inputs[points], at, spread)
    errors = means - refinement.setting.physical(split.targets[points]).double()
    return _single(errors), _single(whole), _single(inside)


def _predicted(
    refinement: Refinement, bars: ErrorBars, inputs: Tensor, at: Tensor, spread: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Refined outputs (l, n, o) at several strengths, their standard deviation and that within the subspace, each with its own σ.

    All of the outputs as they are.
    """
    setting, family = refinement.setting, bars.smoothing.family
    if not len(inputs):
        return (torch.zeros(len(at), 0, setting.n_outputs, dtype=torch.float64),) * 3
    base = setting.function.outputs(inputs).double()
    raw = refinement.subspace.modes(inputs)[:, : len(family.right)].double()
    modes = raw @ family.right
    outside = _outside(bars, inputs)
    means, wholes, insides = [], [], []
    for strength, noise in zip(at.tolist(), spread.tolist(), strict=True):
        own = math.isclose(strength, bars.smoothing.strength, rel_tol=1e-12)  # of the run, which may be an average
        penalty = bars.smoothing.penalty if own else strength
        along, beyond = deviations_at(bars.smoothing, strength, noise, penalty)
        means.append(base + (raw @ family.coefficients(penalty)).view_as(base))
        variance = (modes.square() @ along.square()).view_as(base)
        wholes.append(bars.stretch * (variance + beyond**2 * outside).sqrt())
        insides.append(bars.stretch * variance.sqrt())
    mean, whole, inside = (
        torch.stack([setting.physical(values) for values in part]) for part in (means, wholes, insides)
    )
    return mean, whole, inside


def _line(inputs: Tensor) -> Tensor:
    """Places (p, 1) of a single input, a little beyond its samples at both ends; none where there are more inputs."""
    if inputs[0].numel() != 1:
        return inputs[:0]
    low, high = float(inputs.min()), float(inputs.max())
    reach = BEYOND * (high - low)
    places = torch.linspace(low - reach, high + reach, PLACES, dtype=torch.float64)
    return places.to(inputs).view(-1, *inputs.shape[1:])


def _outside(bars: ErrorBars, inputs: Tensor) -> Tensor:
    """Squared length (n, o) of what the subspace lacks of the Jacobian's rows; zero where its directions are not formed."""
    if bars.spread is None:
        return torch.zeros(len(inputs), bars.setting.n_outputs, dtype=torch.float64, device=inputs.device)
    one = torch.ones_like(bars.spread.outside)
    alone = type(bars.spread)(bars.spread.directions, 0 * bars.spread.along, one, bars.spread.free, bars.spread.noise)
    return alone.at(bars.setting.function, inputs).square()


def _observed(refinement: Refinement, bars: ErrorBars) -> Floats:
    if not bars.smoothing.refines:
        return np.full(len(LEVELS), math.nan)
    if "test" in refinement.setting.splits:
        misses, deviations, _ = bars.tested(refinement.predictor)
    elif bars.smoothing.held_out is not None:
        misses, deviations = bars.left_out()
    else:
        return np.full(len(LEVELS), math.nan)
    return np.array(calibration(misses, deviations, LEVELS))


def _single(values: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = values.float().cpu().numpy()
    return found


def _floats(values: Tensor) -> Floats:
    found: Floats = values.detach().cpu().double().numpy()
    return found
