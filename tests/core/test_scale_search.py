"""First-layer scales: the search is by fresh residuals alone, repeats itself, and finds what the eye would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from lsr_core.errors import Cancelled, InputError
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement import scale_search
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.scale_search import (
    Candidate,
    ScaleSearch,
    fresh_residual,
    rescaled,
    search_scales,
)

from .twins import network

RANK = 60


def untrained(name: str = "poisson", n: int = 150, **arguments: Any) -> PhysicsProblem:
    equation = equations.build(name, {"n_interior": n})
    assert equation.transform is not None
    given = {
        "layers": [2, 10, 10, 1],
        "domain": {key: list(bounds) for key, bounds in equation.domain.items()},
        "output": {"name": equation.transform[0], "arguments": dict(equation.transform[1])},
        **arguments,
    }
    model = architectures.build("pinn-mlp", given).double().eval()
    return make_problem(equation, model, architecture=Architecture("pinn-mlp", given))


@pytest.fixture(scope="module")
def found() -> ScaleSearch:
    return search_scales(untrained(), rank=RANK)


@pytest.mark.slow
def test_the_winner_has_the_smallest_residual_of_its_record(found: ScaleSearch) -> None:
    tried = found.candidates
    assert found.chosen.fresh_residual == min(one.fresh_residual for one in tried if one.rank == RANK)
    assert len({(one.rank, *one.scales.values()) for one in tried}) == len(tried)
    assert set(found.chosen.scales) == {"x", "y"}
    assert {one.rank for one in tried} == {RANK, RANK // 2}
    architecture = found.problem.architecture
    assert architecture is not None
    assert architecture.arguments["first_layer"] == {"scale": found.chosen.scales}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale_search, "TOGETHER", (1.0,))
    monkeypatch.setattr(scale_search, "STAGES", ((1.0, 2.0),))


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_the_true_error_has_no_part_in_it() -> None:
    problem = untrained(n=50)
    assert problem.test is not None
    wrong = Split(problem.test.inputs, torch.full_like(problem.test.targets, 7.0))
    records = []
    for given in (problem, replace(problem, test=wrong)):
        seen: list[Candidate] = []
        search_scales(given, rank=12, on_candidate=seen.append)
        records.append([one.fresh_residual for one in seen])
    assert records[0] == records[1]


@pytest.mark.slow
def test_a_good_scale_is_better_than_a_bad_one(found: ScaleSearch) -> None:
    config = RefineConfig(max_rank=RANK)
    assert fresh_residual(found.problem, config) < 0.3 * fresh_residual(untrained(first_layer={"scale": 30.0}), config)
    assert torch.equal(found.problem.points["interior"], untrained().points["interior"])


def test_the_network_differs_in_its_scale_only() -> None:
    problem = untrained(first_layer={"scale": 1.0})
    doubled = rescaled(problem, {"x": 2.0, "y": 1.0})
    first, second = problem.model.state_dict(), doubled.model.state_dict()
    torch.testing.assert_close(second["linears.0.weight"], first["linears.0.weight"] * torch.tensor([2.0, 1.0]))
    for name in first:
        if not name.startswith("linears.0"):
            assert torch.equal(first[name], second[name])


@pytest.mark.usefixtures("short")
def test_features_have_scales_by_the_input_that_they_are_made_of() -> None:
    features = [{"kind": "periodic", "input": "x", "period": 6.283185307179586}]
    found = search_scales(untrained("convection", n=50, features=features), rank=8)
    assert set(found.chosen.scales) == {"x", "t"}


def test_it_can_be_stopped() -> None:
    def stop(candidate: Candidate) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        search_scales(untrained(), rank=10, on_candidate=stop)


def test_trained_and_other_networks_are_refused() -> None:
    problem = untrained()
    model = rescaled(problem, {"x": 3.0, "y": 3.0}).model
    with pytest.raises(InputError, match="has been trained"):
        search_scales(replace(problem, model=model))
    with pytest.raises(InputError, match="belong to pinn-mlp"):
        search_scales(replace(problem, model=network(2, 4, 1), architecture=Architecture("mlp", {})))
