"""Which factored directions a basis is sought in: random ones, Jacobian rows cut down to outer products, or half of each.

Random directions keep the spectrum of J and reach small errors where it decays; rows reach the leading part of the row space, squared. Which of the
two generalises better depends on the network, so that they are tried on a few training samples of which some are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from lsr_core.linalg.whitening import inverse_root
from lsr_core.networks.directions import DirectionForm, FactoredDirections, sizes_of
from lsr_core.refinement.basis import SKETCH, subset
from lsr_core.refinement.peaks import anchors
from lsr_core.refinement.setting import Setting
from lsr_core.refinement.sizes import ANCHORS, TRIED

LEFT_OUT = 128  # samples of the trial that are not fitted
FEWEST = 32  # that are fitted; with fewer there is no trial
CLEARLY = 0.98  # of the error with random directions that others have to stay below


def chosen_directions(setting: Setting, count: int) -> FactoredDirections:
    """Directions by the trial; random ones where samples pass each layer at one place, where they are the rows' own form."""
    network = setting.strategy.network
    form = network.form if network is not None else DirectionForm()
    drawn = random_directions(setting, count, form)
    if network is None or network.places == 1 or len(setting.train.inputs) < FEWEST + LEFT_OUT // 4:
        return drawn
    rows = row_directions(setting, count, form)
    candidates = [drawn, rows, drawn.part(slice(count // 2)).joined(rows.part(slice(count // 2, None)))]
    (errors,) = setting.reduction.share(torch.tensor(_trial(setting, candidates)))
    best = int(errors.argmin())
    return candidates[best] if errors[best] < CLEARLY * errors[0] else drawn


def random_directions(setting: Setting, count: int, form: DirectionForm) -> FactoredDirections:
    """Gaussian outer products, with entries of the size that Jacobian rows have in each parameter."""
    function, generator = setting.function, setting.generator(SKETCH)
    few = subset(setting, anchors(setting.sizes, setting.config, ANCHORS)).inputs
    sizes = sizes_of(function, setting.strategy.by_products(few), generator)
    return FactoredDirections.random(function.shapes, count, generator, function.theta0, form=form, sizes=sizes)


def row_directions(setting: Setting, count: int, form: DirectionForm) -> FactoredDirections:
    """Rows of single samples, each a random combination of its outputs, cut down to one outer product in every parameter."""
    inputs, generator = subset(setting, count).inputs, setting.generator(SKETCH)

    def rows() -> Iterator[Tensor]:
        for place in range(count):
            at = place % len(inputs)
            mixed = torch.randn(setting.n_outputs, 1, generator=generator, dtype=torch.float64).to(inputs.device)
            operator = setting.strategy.by_products(inputs[at : at + 1])
            yield operator.pull_one_by_one(mixed.to(setting.function.dtype))[:, 0]

    return FactoredDirections.from_rows(setting.function.shapes, rows(), form=form)


def _trial(setting: Setting, candidates: list[FactoredDirections]) -> list[float]:
    """Mean square error with each at training samples that a fit to others of them leaves out."""
    inputs, targets = subset(setting, TRIED)
    errors = (setting.function.outputs(inputs) - targets).reshape(-1, 1)
    images = setting.strategy.at(inputs).times(*candidates[:2])
    half = candidates[0].count // 2
    sides = images.split(candidates[0].count, dim=1)
    every = [*sides, torch.cat([sides[0][:, :half], sides[1][:, half:]], dim=1)]
    fitted = (len(inputs) - min(LEFT_OUT, len(inputs) // 4)) * setting.n_outputs
    found = []
    for directions, image in zip(candidates, every, strict=True):
        modes = image @ inverse_root(directions.gram(), image.dtype).to(image.dtype)
        left, values, right = torch.linalg.svd(modes[:fitted], full_matrices=False)
        rank = min(setting.max_rank, fitted // 3, int((values > setting.rcond * values[0]).sum()))
        step = right[:rank].T @ ((left[:, :rank].T @ errors[:fitted]) / values[:rank, None])
        found.append(float((errors[fitted:] - modes[fitted:] @ step).square().mean()))
    return found
