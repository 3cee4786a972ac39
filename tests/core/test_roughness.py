"""What neighbours say of what a network misses: noise, or a shape that it cannot take."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from lsr_core import RefineConfig, Split, SupervisedProblem
from lsr_core.diagnosis.further import Further
from lsr_core.diagnosis.roughness import FEWEST, ROUGH, Roughness, roughness
from lsr_core.diagnosis.verdict import figures, verdict, verdict_of
from lsr_core.refinement.refine import refine
from tests.core.test_verdict import PLAIN, tanh_network, trained

NOISE = Roughness(500, 0.05, 1.0, 0.1)


def places(count: int, dimension: int, seed: int = 0) -> Tensor:
    return torch.rand(count, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def drawn(count: int, outputs: int = 1) -> Tensor:
    return torch.randn(count, outputs, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("outputs", [1, 3])
def test_noise_and_its_size_are_told_from_a_shape(dimension: int, outputs: int) -> None:
    x = places(2000, dimension)
    smooth = torch.sin(4 * x.sum(dim=1, keepdim=True)) * torch.ones(outputs)
    noise = 0.1 * drawn(2000, outputs)
    noisy = roughness(x, smooth + noise, noise)
    shaped = roughness(x, smooth + 0.1 * smooth**2, 0.1 * smooth**2)
    assert noisy is not None
    assert shaped is not None
    assert noisy.residual == pytest.approx(1, abs=0.1)
    assert noisy.sigma == pytest.approx(0.1, rel=0.1)
    assert noisy.target < 0.1
    assert shaped.residual < 0.1


def test_a_target_that_neighbours_do_not_tell_says_nothing() -> None:
    x = places(300, 6)
    fine = torch.sin(90 * x.sum(dim=1, keepdim=True))
    known = replace(PLAIN, rough=roughness(x, fine, fine), restarted=None, no_restart="it is not asked here")
    assert known.rough is not None
    assert known.rough.residual > ROUGH
    assert verdict(known).limit == "open"


@pytest.mark.parametrize("count", [0, 1, FEWEST - 1])
def test_few_samples_tell_nothing(count: int) -> None:
    assert roughness(places(count, 2), drawn(count), drawn(count)) is None


def test_what_does_not_vary_tells_nothing_and_repeated_places_are_neighbours() -> None:
    x = places(100, 2)
    assert roughness(x, torch.ones(100, 1), drawn(100)) is None
    assert roughness(x, drawn(100), torch.zeros(100, 1)) is None
    twice = roughness(torch.cat([x, x]), torch.cat([x.sum(1, True)] * 2), drawn(200))
    assert twice is not None
    assert twice.target == pytest.approx(0, abs=1e-20)
    assert twice.residual == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(
    ("found", "limit"),
    [(NOISE, "noise"), (replace(NOISE, residual=0.69), "open"), (replace(NOISE, target=0.26), "open")],
)
def test_little_gain_on_what_is_no_shape_is_noise(found: Roughness, limit: str) -> None:
    known = verdict(replace(PLAIN, rough=found))
    assert known.limit == limit
    assert ("noise of about 0.1 a value" in str(known.evidence)) == (limit == "noise")
    assert not known.use


def test_what_is_overfitted_is_named_first_where_neighbours_tell_it() -> None:
    known = replace(PLAIN, degradation=9.0, rough=NOISE)
    assert verdict(known).sentence.startswith("What the network misses is noise of about 0.1 a value")
    assert "noise" not in verdict(replace(known, rough=replace(NOISE, residual=0.6))).sentence


def test_a_gain_is_no_noise() -> None:
    assert verdict(replace(PLAIN, rough=NOISE, best=0.01, errors={"test error": (1.0, 0.01)})).limit == "conditioning"


@pytest.mark.parametrize(("sigma", "limit"), [(0.3, "noise"), (0.0, "capacity")])
def test_a_small_network_on_noise_and_one_on_a_shape_it_cannot_take(sigma: float, limit: str) -> None:
    x = 2 * places(900, 1) - 1
    clean = torch.sin(9 * x) if sigma == 0 else torch.sin(2 * x)
    y = clean + sigma * drawn(900)
    parts = [Split(x[part], y[part]) for part in (slice(600), slice(600, 750), slice(750, None))]
    model = trained(tanh_network(2, 0), parts[0], 200)
    refinement = refine(SupervisedProblem("small", model, *parts), RefineConfig(rank=5))
    said = verdict_of(refinement)
    assert said.limit in {limit, "stationary"}
    assert ("rough" in {item.name for item in said.evidence}) == (sigma > 0)


@pytest.mark.parametrize("left", [0.31, 0.5, 0.7, 1.2])
def test_a_verdict_is_as_sure_as_the_closest_of_its_figures(left: float) -> None:
    gained = replace(PLAIN, best=1e-4, errors={"test error": (1.0, 1e-4)}, further=Further(300, 1e-3, left))
    word = {0.31: "uncertain", 0.5: "likely", 0.7: "clear", 1.2: "clear"}[left]
    assert verdict(gained).limit == "conditioning"
    assert verdict(gained).confidence == word


def test_fitted_samples_are_not_called_held_out() -> None:
    """A smoothed run fits its validation samples too: ranks are then compared by test samples, which choose none."""
    torch.manual_seed(0)
    x = 2 * places(90, 1) - 1
    y = torch.sin(6 * x)
    parts = [Split(x[part], y[part]) for part in (slice(40), slice(40, 60), slice(60, None))]
    refinement = refine(SupervisedProblem("joined", tanh_network(8, 0), *parts), RefineConfig(regularise="auto"))
    known, sweep = figures(refinement), refinement.sweep
    assert known.compared == "test error"
    assert known.best**2 == pytest.approx(min(sweep.test_mse) / sweep.test_mse[0])
    other = replace(known, rank=known.best_rank - 1, best=1e-9, at_rank=0.3)
    assert "rank " + str(known.best_rank) not in verdict(other).advice.lower()


@pytest.mark.parametrize("given", [True, False])
def test_another_rank_is_advised_by_its_number_and_only_against_one_that_was_given(given: bool) -> None:
    known = replace(PLAIN, best=0.01, best_rank=20, at_rank=0.1, errors={"validation error": (1.0, 0.1)})
    advice = verdict(replace(known, rank_given=given)).advice
    assert "ank 20 leaves 0.01 of the validation error and rank 10 0.1" in advice
    assert ("take rank 20" in advice) == given
    assert "take that one" not in advice
