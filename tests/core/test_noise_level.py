"""σ by a few repeated measurements, or by the fit where these agree with it; and which of two guessed errors is delivered."""

from __future__ import annotations

import pytest
import torch

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Split
from lsr_core.refinement.refine import refine
from lsr_core.refinement.summary import Summary
from tests.core import twins

SIGMA, SPARE = 0.2, 6


def repeated(size: float) -> Summary:
    """Eighty noisy samples, six of them measured twice with noise of another size."""
    draw = torch.Generator().manual_seed(4)
    inputs = 2 * torch.rand(80, 2, generator=draw, dtype=torch.float64) - 1
    inputs[-SPARE:] = inputs[:SPARE]
    noise = SIGMA * torch.randn(80, 1, generator=draw, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(SPARE // 2)[:, None]
    noise[:SPARE], noise[-SPARE:] = size * signs, -size * signs
    problem = SupervisedProblem("twice", twins.network(2, 12, 1), Split(inputs, torch.sin(2 * inputs[:, :1]) + noise))
    return refine(problem, regularise="gcv").summary


def test_a_few_repeated_measurements_tell_the_noise_only_where_the_fit_disagrees() -> None:
    alike = repeated(SIGMA / 2**0.5)  # the six tell 0.2, as 80 do
    assert alike.regularisation is not None
    assert "degrees of freedom" in alike.regularisation.noise_by
    assert alike.noise_std == pytest.approx(SIGMA, rel=0.25)
    unlike = repeated(SIGMA / 20)
    assert unlike.regularisation is not None
    assert unlike.regularisation.noise_by == f"from repeated measurements ({SPARE} to spare)"
    assert unlike.noise_std == pytest.approx(SIGMA / 20 * 2**0.5)


def test_of_a_network_that_has_learnt_few_samples_by_heart_the_smaller_guessed_error_is_delivered() -> None:
    """Its own errors at them are next to nothing, and no eighteen samples could show a gain beside those of the solution without them."""
    before, after = 0.0, 0.0
    for seed in (1, 2):  # gains of a third and of a half of their standard errors
        draw = torch.Generator().manual_seed(seed)
        inputs, others = (torch.randn(count, 3, generator=draw, dtype=torch.float64) for count in (18, 200))
        noise = torch.randn(18, 1, generator=draw, dtype=torch.float64)
        targets = inputs[:, :1] + noise
        network = twins.network(3, 30, 1, seed=seed)
        optimiser = torch.optim.Adam(network.parameters(), lr=2e-2)
        for _ in range(150):
            optimiser.zero_grad()
            (network(inputs) - targets).square().mean().backward()
            optimiser.step()
        problem = SupervisedProblem("few", network.eval(), Split(inputs, targets), test=Split(others, others[:, :1]))
        summary = refine(problem, regularise="auto", prior="weights").summary
        assert summary.rank > 0, summary.rank_choice
        before, after = before + summary.base.test_mse, after + summary.refined.test_mse  # type: ignore[operator]
    assert after < 0.7 * before
