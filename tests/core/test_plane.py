"""Loss planes: the paraboloid of the linear model, the path as a line of the plane, and the job."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from lsr_core.diagnosis.loss_path import loss_path
from lsr_core.diagnosis.plane import PlaneSettings, loss_plane
from lsr_core.errors import Cancelled, InputError
from lsr_core.jobs import worker
from lsr_core.jobs.planing import create_plane
from lsr_core.jobs.queue import create
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.results import LossPlane
from lsr_core.storage.planes import read_plane
from lsr_core.storage.runs import RunStore
from tests.bundles import write

from .test_verdict import sine_data, tanh_network


@pytest.fixture(scope="module")
def refinement() -> Refinement:
    problem = SupervisedProblem("small", tanh_network(8, 0), sine_data(60, 3, 0), sine_data(40, 3, 1))
    return refine(problem, max_rank=10)


@pytest.mark.parametrize("direction", ["gradient", "singular", "random"])
def test_the_linear_model_is_a_paraboloid_and_touches_the_network_at_the_origin(
    refinement: Refinement, direction: str
) -> None:
    plane = loss_plane(refinement.setting, refinement.delta, PlaneSettings.model_validate({"direction": direction}))
    zero_a, zero_b = int(np.argmin(np.abs(plane.alpha))), int(np.argmin(np.abs(plane.beta)))
    assert plane.alpha[zero_a] == 0
    assert plane.beta[zero_b] == 0
    assert plane.nonlinear[zero_b, zero_a] == pytest.approx(plane.base, rel=1e-12)
    assert plane.agreement[zero_b, zero_a]
    third = np.diff(plane.linearised, n=3, axis=1)
    assert np.abs(third).max() <= 1e-9 * plane.linearised.max()
    assert np.abs(np.diff(plane.linearised, n=3, axis=0)).max() <= 1e-9 * plane.linearised.max()


def test_the_loss_path_is_a_line_of_the_plane(refinement: Refinement) -> None:
    plane = loss_plane(refinement.setting, refinement.delta, PlaneSettings())
    path = loss_path(refinement.problem, refinement.delta, plane.alpha)
    middle = int(np.argmin(np.abs(plane.beta)))
    np.testing.assert_allclose(plane.nonlinear[middle], path.nonlinear, rtol=1e-9)
    np.testing.assert_allclose(plane.linearised[middle], path.linearised, rtol=1e-9, atol=1e-12 * plane.base)


def test_every_level_holds_the_points_of_the_one_before(refinement: Refinement) -> None:
    seen: list[LossPlane] = []
    loss_plane(refinement.setting, refinement.delta, PlaneSettings(), on_level=seen.append)
    assert [len(plane.alpha) for plane in seen] == [9, 17, 33]
    np.testing.assert_array_equal(seen[2].nonlinear[::4, ::4], seen[0].nonlinear)


def test_steepest_descent_lowers_the_loss_and_the_leading_direction_bends_it_most(refinement: Refinement) -> None:
    near = {"alpha_from": -1e-3, "alpha_to": 1e-3}
    plane = loss_plane(refinement.setting, refinement.delta, PlaneSettings.model_validate(near))
    middle = len(plane.beta) // 2
    assert plane.nonlinear[middle + 1, middle] < plane.base < plane.nonlinear[middle - 1, middle]

    def bend(number: int) -> float:
        settings = PlaneSettings.model_validate({"direction": "singular", "singular": number})
        found = loss_plane(refinement.setting, refinement.delta, settings)
        return float(np.diff(found.linearised[:, 0], n=2)[0])

    assert bend(1) > 10 * bend(4)


def test_only_what_hangs_together_with_the_origin_is_its_neighbourhood() -> None:
    axis = np.linspace(-2, 2, 5)
    linear = np.ones((5, 5))
    apart = np.array([[2, 2, 2, 2, 1], [2, 2, 1, 2, 2], [2, 1.05, 1, 1, 2], [2, 2, 2, 2, np.inf], [1, 2, 1, 2, np.nan]])
    plane = LossPlane(axis, axis, apart, linear, 1.0, 1.0, 0.0, 10)
    assert plane.agreement.sum() == 7
    wanted = np.zeros((5, 5), dtype=bool)
    wanted[2, 1:4] = wanted[1, 2] = True
    np.testing.assert_array_equal(plane.neighbourhood, wanted)
    moved = LossPlane(axis, axis, 3 * apart, linear, 1.0, 1.0, 0.0, 10)
    assert not moved.neighbourhood.any()


def test_filters_take_the_norms_of_the_network(refinement: Refinement) -> None:
    settings = PlaneSettings(direction="random", filter_normalised=True)
    plane = loss_plane(refinement.setting, refinement.delta, settings)
    theta = refinement.setting.function.theta0
    assert plane.length * float(refinement.delta.norm()) == pytest.approx(float(theta.norm()), rel=1e-9)


def test_a_plane_needs_a_step(refinement: Refinement) -> None:
    with pytest.raises(InputError, match="zero"):
        loss_plane(refinement.setting, torch.zeros_like(refinement.delta), PlaneSettings())


def test_the_job_keeps_its_levels_when_it_is_cancelled(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    source = create(store, write(tmp_path / "bundle"), RefineConfig(max_rank=5), owner="me")
    with pytest.raises(InputError, match="no step"):
        create_plane(store, source, PlaneSettings(), owner="me")
    worker.execute(source)
    run = create_plane(store, source, PlaneSettings(), owner="me")

    def stop(stage: str, fraction: float) -> None:
        if stage.startswith("33"):
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        worker.execute(run, stop)
    kept = read_plane(run.path)
    assert kept is not None
    assert kept.nonlinear.shape == (17, 17)
    assert run.status().status == "cancelled"
    again = create_plane(store, source, PlaneSettings(direction="random"), owner="me")
    worker.execute(again)
    assert again.status().status == "complete"
    assert json.loads((again.path / "run.json").read_text())["settings"]["run"] == source.id
    (again.path / "plane.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"plane\.npz|npz"):
        read_plane(again.path)
