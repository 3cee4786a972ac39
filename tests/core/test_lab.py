"""The conditioning lab: laws of the methods on problems with known spectra, and what a race or an isolation leaves behind."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import linalg as scipy_linalg
from torch import Tensor

from lsr_core.errors import Cancelled, InputError
from lsr_core.jobs import queue
from lsr_core.jobs.worker import execute
from lsr_core.lab import descent, krylov
from lsr_core.lab.coordinates import ReducedProblem
from lsr_core.lab.full_space import FullProblem, right_factor
from lsr_core.lab.isolation import IsolationSettings, isolate, last_layer
from lsr_core.lab.least_squares import LinearLeastSquares
from lsr_core.lab.methods import METHODS, Effort, run_method
from lsr_core.lab.race import RaceSettings, race
from lsr_core.lab.random_directions import solve_in_random_subspace
from lsr_core.lab.recorder import Recorder, marks
from lsr_core.lab.records import IsolationRecord, MethodRecord, RaceRecord
from lsr_core.lab.theory import bounds
from lsr_core.linalg.operators import DenseOperator
from lsr_core.networks import architectures
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.problem import make_problem
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.kinds import prepare
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine
from lsr_core.storage.lab import read_experiment
from lsr_core.storage.runs import Run, RunStore
from tests import bundles
from tests.core import twins

RANK = 20


def ignored(fraction: float) -> None:
    """Progress that nobody follows."""


def reduced(kappa: float = 1e3, floor: float = 1e-4, rank: int = RANK) -> ReducedProblem:
    """A problem with singular values from 1 to 1/κ, solution (1, 1, …) in singular coordinates, and a known floor."""
    values = torch.logspace(0, -math.log10(kappa), rank, dtype=torch.float64)
    factor = torch.zeros(rank + 1, rank + 1, dtype=torch.float64)
    factor[:rank, :rank] = torch.diag(values)
    factor[:rank, rank] = -values
    factor[rank, rank] = floor**0.5
    return ReducedProblem(factor, twins.generator(3))


def run(
    name: str, problem: ReducedProblem, coordinates: Any = "original", precision: Any = "float64", iterations: int = 300
) -> MethodRecord:
    return run_method(
        name,
        problem.course(coordinates, precision),
        coordinates=coordinates,
        precision=precision,
        base_loss=problem.base_loss,
        effort=Effort(iterations, points=60),
        on_fraction=ignored,
    )


def above(record: MethodRecord) -> float:
    """Smallest excess relative to the base."""
    return record.loss_above_floor / record.curve.losses[0]


# coordinates


@pytest.mark.parametrize("kappa", [1e2, 1e6, 1e10])
def test_whitened_coordinates_have_condition_number_one(kappa: float) -> None:
    course = reduced(kappa).course("whitened", "float64")
    assert course.condition_number == pytest.approx(1.0, abs=50 * kappa * twins.EPS)


def test_rotated_and_singular_coordinates_have_the_prescribed_condition_number() -> None:
    problem = reduced(1e5)
    assert problem.condition_number == pytest.approx(1e5)
    for coordinates in ("original", "singular"):
        matrix = problem.course(coordinates, "float64").problem.operator.to_dense()  # type: ignore[arg-type]
        values = torch.linalg.svdvals(matrix)
        assert float(values[0] / values[-1]) == pytest.approx(1e5, rel=1e-8)


@pytest.mark.parametrize("coordinates", ["original", "singular", "whitened"])
def test_a_point_has_the_same_loss_wherever_it_is_written(coordinates: Any) -> None:
    course = reduced(1e4).course(coordinates, "float64")
    y = torch.randn(RANK, 3, generator=twins.generator(), dtype=torch.float64)
    torch.testing.assert_close(course.excess(y), course.problem.residual(y).square().sum(0), rtol=1e-9, atol=0)


def test_a_factor_that_is_no_diagonal_is_the_same_problem() -> None:
    matrix, errors = twins.prescribed(30, 8, torch.logspace(0, -3, 8, dtype=torch.float64)), torch.ones(30).double()
    factor = torch.linalg.qr(torch.cat([matrix, errors[:, None]], 1), mode="r").R
    floor = float((errors - twins.fitted(matrix, errors)).square().sum())
    for generator in (None, twins.generator()):
        problem = ReducedProblem(factor, generator)
        assert problem.base_loss == pytest.approx(30.0)
        assert problem.floor == pytest.approx(floor)
        assert run("direct", problem).best_loss == pytest.approx(floor)
    course = ReducedProblem(factor, None).course("original", "float64")  # the columns are those of the matrix itself
    y = torch.randn(8, 1, generator=twins.generator(1), dtype=torch.float64)
    loss = (matrix @ y[:, 0] + errors).square().sum()
    torch.testing.assert_close((course.excess(y)[0] + course.floor) * 30.0, loss)


def test_directions_below_rounding_count_to_the_floor() -> None:
    factor = torch.diag(torch.tensor([1.0, 1e-3, 1e-18, 0.5], dtype=torch.float64))
    factor[:3, 3] = torch.tensor([1.0, 1.0, 0.25])
    rotated = ReducedProblem(factor, twins.generator())
    assert (rotated.rank, rotated.n_unresolved, rotated.can_whiten) == (2, 1, True)
    assert rotated.floor == pytest.approx(0.25 + 0.0625)
    assert run("lsqr", rotated, "whitened").times_floor == pytest.approx(1.0)
    own = ReducedProblem(factor, None)
    assert (own.rank, own.can_whiten) == (3, False)
    assert run("direct", own).times_floor == pytest.approx(1.0)
    assert run("lsqr-reorthogonalised", own).times_floor == pytest.approx(1.0)


# methods


@pytest.mark.parametrize(("floor", "kept"), [(0.0, False), (1e-31, False), (1e-25, True)])
def test_a_floor_of_rounding_is_none(floor: float, kept: bool) -> None:
    problem = reduced(floor=floor)
    assert (problem.floor > 0) == kept
    assert (run("direct", problem).times_floor is not None) == kept


def test_the_direct_solve_is_the_floor_and_gradient_descent_takes_one_whitened_step() -> None:
    problem = reduced(1e6)
    assert run("direct", problem).times_floor == pytest.approx(1.0, abs=1e-12)
    descended = run("gradient-descent", problem, "whitened")
    assert descended.iterations == 1
    assert descended.settings == {"step_times_L": 1.0}
    assert descended.times_floor == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["lsqr", "lsmr", "cgls", "lbfgs", "adam"])
def test_every_method_reaches_the_floor_in_whitened_coordinates(name: str) -> None:
    found = run(name, reduced(1e5), "whitened")
    assert found.times_floor is not None
    assert found.times_floor < 1.01
    assert found.iterations <= (2 if name != "adam" else 300)


def test_single_precision_reaches_the_floor_of_a_hopeless_problem_once_it_is_whitened() -> None:
    factor = torch.diag(torch.cat([torch.logspace(0, -9, RANK), torch.tensor([1e-4])]).double())
    factor[:RANK, RANK] = 1.0
    problem = ReducedProblem(factor, twins.generator(3))
    for name in ("lsqr", "lbfgs", "adam"):
        assert run(name, problem, precision="float32").times_floor > 1e6  # type: ignore[operator]
    for name in ("lsqr", "lbfgs", "gradient-descent"):
        assert run(name, problem, "whitened", "float32").times_floor == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", ["gradient-descent", "lsqr", "cgls"])
def test_methods_of_inner_products_do_not_see_a_rotation_and_adam_does(name: str) -> None:
    problem = reduced(1e2)
    one, other = (run(name, problem, coordinates, iterations=10) for coordinates in ("original", "singular"))
    np.testing.assert_allclose(one.curve.excess, other.curve.excess, rtol=1e-6)
    rotated, aligned = (run("adam", reduced(1e6), coordinates) for coordinates in ("original", "singular"))
    assert above(aligned) < 1e-3 * above(rotated)


def test_adam_is_the_one_of_torch() -> None:
    course = reduced(1e2).course("original", "float64")
    recorder = Recorder(course, 40, 2, 40, ignored)
    descent.adam(course, recorder, *torch.tensor([[0.03, 0.1], [0.9, 0.8]], dtype=torch.float64))
    y = torch.zeros(RANK, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([y], lr=0.1, betas=(0.8, 0.999), eps=1e-150)
    for _ in range(40):
        optimiser.zero_grad()
        (course.problem.residual(y[:, None]).square().sum() / 2).backward()
        optimiser.step()
    assert recorder.curves[1].excess[-1] == pytest.approx(float(course.excess(y.detach()[:, None])), rel=1e-6)


@pytest.mark.parametrize("kappa", [10.0, 1e3])
@pytest.mark.parametrize("iterations", [1, 3, 6])
def test_krylov_iterates_are_those_of_scipy(kappa: float, iterations: int) -> None:
    matrix = twins.prescribed(50, 24, torch.logspace(0, -math.log10(kappa), 24, dtype=torch.float64))
    rhs = torch.randn(50, generator=twins.generator(5), dtype=torch.float64)
    operator = DenseOperator(matrix)
    wanted: dict[str, Any] = {
        "lsqr": scipy_linalg.lsqr(matrix.numpy(), rhs.numpy(), atol=0, btol=0, conlim=0, iter_lim=iterations)[0],
        "lsmr": scipy_linalg.lsmr(matrix.numpy(), rhs.numpy(), atol=0, btol=0, conlim=0, maxiter=iterations)[0],
    }
    for name, method in (("lsqr", krylov.lsqr), ("lsmr", krylov.lsmr)):
        for again in (False, True):
            found = _iterate(method(operator, rhs, reorthogonalise=again), iterations)
            assert _distance(found, wanted[name]) < 1e-8, (name, again)
    normal = scipy_linalg.cg((matrix.T @ matrix).numpy(), (matrix.T @ rhs).numpy(), rtol=0, atol=0, maxiter=iterations)[
        0
    ]
    assert _distance(_iterate(krylov.cgls(operator, rhs), iterations), normal) < 1e-8
    assert _distance(_iterate(krylov.cgls(operator, rhs), iterations), wanted["lsqr"]) < 1e-8


@pytest.mark.parametrize("kappa", [10.0, 1e3])
def test_krylov_results_are_those_of_scipy_and_the_least_squares_solution(kappa: float) -> None:
    matrix = twins.prescribed(50, 24, torch.logspace(0, -math.log10(kappa), 24, dtype=torch.float64))
    rhs = torch.randn(50, generator=twins.generator(5), dtype=torch.float64)
    operator, tolerances = DenseOperator(matrix), {"atol": 0, "btol": 0, "conlim": 0}
    solved = scipy_linalg.lsqr(matrix.numpy(), rhs.numpy(), **tolerances, iter_lim=400)[0]
    assert _distance(torch.from_numpy(solved), np.linalg.lstsq(matrix.numpy(), rhs.numpy(), rcond=None)[0]) < 1e-8
    smoothed = scipy_linalg.lsmr(matrix.numpy(), rhs.numpy(), **tolerances, maxiter=400)[0]
    for again in (False, True):
        assert _distance(_iterate(krylov.lsqr(operator, rhs, reorthogonalise=again), 400), solved) < 1e-8
        assert _distance(_iterate(krylov.lsmr(operator, rhs, reorthogonalise=again), 400), smoothed) < 1e-8
    assert _distance(_iterate(krylov.cgls(operator, rhs), 400), solved) < 1e-8


def test_krylov_ends_when_the_space_is_exhausted() -> None:
    matrix = twins.prescribed(12, 9, torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))
    rhs = torch.randn(12, generator=twins.generator(), dtype=torch.float64)
    for method in (krylov.lsqr, krylov.lsmr):
        iterates = list(method(DenseOperator(matrix), rhs, reorthogonalise=True))
        assert len(iterates) <= 4
        torch.testing.assert_close(matrix @ iterates[-1], twins.fitted(matrix, rhs))
        assert list(method(DenseOperator(matrix), torch.zeros(12).double(), reorthogonalise=True)) == []


def test_ritz_values_lie_inside_the_spectrum() -> None:
    values = torch.logspace(0, -3, 15, dtype=torch.float64)
    operator = DenseOperator(twins.prescribed(20, 15, values))
    start = torch.randn(20, generator=twins.generator(), dtype=torch.float64)
    found = krylov.ritz_values(operator, start, 6)
    assert float(found[0]) == pytest.approx(1.0, rel=1e-3)
    assert float(found[0]) <= 1.0 + 1e-12
    assert float(found[-1]) >= 1e-3
    torch.testing.assert_close(krylov.ritz_values(operator, start, 30), values, rtol=1e-8, atol=1e-12)


def test_single_precision_without_reorthogonalisation_stalls_above_double_precision() -> None:
    """Theory: in exact arithmetic LSQR ends after r steps; what float32 can attain is the residual's rounding, κ·eps of the solution."""
    problem = reduced(1e5, floor=1e-16, rank=60)
    exact = run("lsqr-reorthogonalised", problem, iterations=60)
    assert above(exact) < 1e-20
    single = run("lsqr", problem, precision="float32", iterations=60)
    assert above(single) > 1e6 * above(exact)
    double = run("lsqr", problem, iterations=60)
    assert above(double) > 1e6 * above(
        exact
    )  # orthogonality is lost in double precision too, the bidiagonalisation needs more steps
    longer = run("lsqr", problem, iterations=2000)
    assert above(longer) < 1e-3 * above(double)
    stalled = run("lsqr", problem, precision="float32", iterations=2000)
    assert above(stalled) > 100 * above(longer)


# theory


def test_conjugate_gradients_and_gradient_descent_keep_the_bounds_of_the_condition_number() -> None:
    problem = reduced(30.0)
    course = problem.course("original", "float64")
    krylov_bound, descent_bound = bounds(30.0, 1.0 - course.floor, 200, "original")
    found = run("cgls", problem, iterations=200)
    steps = torch.tensor([2 / (1 + 30.0**-2)], dtype=torch.float64) / float(problem.singular_values[0]) ** 2
    recorder = Recorder(course, 200, 1, 60, ignored)
    descent.gradient_descent(course, recorder, steps * problem.base_loss)
    for curve, bound in ((found.curve, krylov_bound), (recorder.curves[0], descent_bound)):
        at = dict(zip(bound.iterations, bound.excess, strict=True))
        scale = problem.base_loss if curve is found.curve else 1.0
        compared = [(k, value / scale) for k, value in zip(curve.iterations, curve.excess, strict=True) if k in at]
        assert len(compared) > 10
        assert all(value <= at[k] * (1 + 1e-9) for k, value in compared)
    assert bounds(1.0, 2.0, 5, "whitened")[0].excess[1] == 0.0
    assert all(math.isfinite(value) for bound in bounds(1e12, 1.0, 5000, "original") for value in bound.excess)


# what is recorded


def test_a_step_beyond_two_over_l_is_flagged_as_diverged_and_the_best_run_is_shown() -> None:
    found = run("gradient-descent", reduced(1e3), iterations=300)
    ends = {trial.settings["step_times_L"]: trial.diverged_at for trial in found.sweep}
    assert ends[2.1] is not None
    assert 0 < ends[2.1] < 300
    assert all(end is None for step, end in ends.items() if step != 2.1)
    assert not found.diverged
    assert found.best_loss == min(trial.best_loss for trial in found.sweep if trial.diverged_at is None)
    json.dumps(json.loads(found.model_dump_json()), allow_nan=False)


def test_a_method_whose_every_run_diverges_says_so_in_finite_numbers() -> None:
    course = reduced(1e3).course("original", "float64")
    recorder = Recorder(course, 3000, 2, 50, ignored)
    descent.gradient_descent(course, recorder, torch.tensor([1e3, math.inf], dtype=torch.float64))
    assert recorder.finished
    assert None not in recorder.diverged_at
    for curve in recorder.curves:
        assert curve.iterations[0] == 0
        assert all(map(math.isfinite, curve.excess + curve.losses + curve.seconds))


def test_recorded_iterations_are_close_at_the_beginning_and_hold_both_ends() -> None:
    found = sorted(marks(5000, 100))
    assert found[:4] == [0, 1, 2, 3]
    assert found[-1] == 5000
    assert len(found) <= 101
    assert marks(1, 100) == {0, 1}


def test_products_and_seconds_grow_along_a_curve() -> None:
    for name in METHODS:
        curve = run(name, reduced(1e3), iterations=30).curve
        assert curve.products == sorted(curve.products)
        assert curve.seconds == sorted(curve.seconds)
        assert curve.iterations == sorted(set(curve.iterations))
        assert curve.losses[0] == pytest.approx(reduced(1e3).base_loss)


# the full space


def test_the_full_space_has_the_jacobian_of_the_network() -> None:
    model = twins.network(2, 6, 2)
    problem = twins.problem(model, rows=9, n_outputs=2)  # 18 rows, 32 parameters
    setting = prepare(problem, RefineConfig(max_rank=1))
    full = FullProblem(setting)
    least_squares: LinearLeastSquares = full.course("float64").problem
    scale = (18 * full.base_loss) ** -0.5
    torch.testing.assert_close(least_squares.operator.to_dense(), twins.jacobian(model, problem.train.inputs) * scale)
    assert float(least_squares.errors.norm()) == pytest.approx(1.0)
    assert twins.dot_test(least_squares.operator, twins.generator()) < 1e-13
    single = full.course("float32").problem
    assert single.operator.dtype == torch.float32
    torch.testing.assert_close(
        single.operator.to_dense().double(), least_squares.operator.to_dense(), rtol=1e-4, atol=1e-5
    )


def test_a_race_in_the_full_space_counts_losses_from_the_base_when_the_floor_is_rounding() -> None:
    problem = twins.problem(twins.network(2, 6, 2), rows=9, n_outputs=2)
    record = race(problem, settings=RaceSettings(space="full", iterations=15, dtype="float64"), progress=silent)
    assert record.floor is None
    assert record.rank == record.n_params == 32
    assert {method.coordinates for method in record.methods} == {"original"}
    assert all(method.times_floor is None and method.relative_loss <= 1 for method in record.methods)
    assert "direct" not in {method.name for method in record.methods}
    assert "relative to the base" in record.notes[0]


def test_few_parameters_are_raced_in_by_their_right_factor() -> None:
    model = twins.network(2, 3, 1)
    problem = twins.problem(model)
    setting = prepare(problem, RefineConfig(max_rank=1))
    matrix = twins.jacobian(model, problem.train.inputs) / 40**0.5
    with torch.no_grad():
        errors = (model(problem.train.inputs) - problem.train.targets)[:, 0] / 40**0.5
    factor = right_factor(setting)
    torch.testing.assert_close(factor[:-1, :-1].T @ factor[:-1, :-1], matrix.T @ matrix)
    record = race(problem, settings=RaceSettings(space="full", iterations=5, dtype="float64"), progress=silent)
    assert record.floor == pytest.approx(float((errors - twins.fitted(matrix, errors)).square().sum()), rel=1e-6)
    assert record.methods[0].times_floor == pytest.approx(1.0, rel=1e-6)


# races and isolations as a whole


class StopAt:
    """Progress that asks to stop once a stage is reached."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __call__(self, stage: str, fraction: float) -> None:
        if stage.startswith(self.stage):
            raise Cancelled("enough")


def test_a_race_finds_the_floor_of_the_refinement_and_is_finite_json() -> None:
    problem = twins.problem(twins.network(2, 8, 1))
    kept: list[int] = []
    record = race(
        problem,
        RefineConfig(max_rank=10),
        RaceSettings(iterations=20),
        progress=silent,
        on_record=lambda record: kept.append(len(record.methods)),
    )
    assert record.complete
    assert kept == [*range(len(record.methods) + 1), len(record.methods)]
    refined = refine(problem, max_rank=10, rank=10)
    assert record.floor == pytest.approx(refined.summary.refined.train_mse)
    assert record.condition_number["original"] == pytest.approx(refined.summary.condition_number)
    assert record.condition_number["whitened"] == pytest.approx(1.0, abs=1e-6)
    assert record.base_loss == pytest.approx(refined.summary.base.train_mse)
    assert {(m.dtype, m.coordinates) for m in record.methods} >= {("float32", "whitened"), ("float64", "original")}
    text = record.model_dump_json()
    assert RaceRecord.model_validate_json(text) == record
    json.dumps(json.loads(text), allow_nan=False)


@pytest.mark.parametrize("space", ["subspace", "full"])
def test_equations_are_raced_on_as_data_are(space: Any) -> None:
    model = architectures.build("pinn-mlp", {"layers": [2, 8, 1], "domain": {"x": [0, 1], "t": [0, 1]}})
    draw = twins.generator()
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=draw))
    problem = make_problem(equations.build("heat", {}), model.double())
    record = race(
        problem,
        RefineConfig(max_rank=6 if space == "subspace" else None),
        RaceSettings(space=space, iterations=8, dtype="float64"),
        progress=silent,
    )
    direct = record.methods[0]
    if space == "subspace":
        assert direct.best_loss == pytest.approx(record.floor)
    else:  # all 33 directions meet the equation to rounding, which is no floor
        assert record.floor is None
        assert direct.best_loss < 0.1 * record.base_loss
    assert record.base_loss == pytest.approx(refine(problem, max_rank=6).summary.residual_norm.base ** 2)
    assert record.rank == (6 if space == "subspace" else record.n_params)


def test_a_race_without_an_error_or_a_direction_is_refused() -> None:
    model = twins.network(2, 3, 1)
    problem = twins.problem(model)
    with pytest.raises(InputError, match="at least one direction"):
        race(problem, RefineConfig(max_rank=0), progress=silent)
    with torch.no_grad():
        problem.train.targets.copy_(model(problem.train.inputs))
    with pytest.raises(InputError, match="nothing to lower"):
        race(problem, RefineConfig(max_rank=3), progress=silent)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "tiny")


def made(tmp_path: Path, bundle: Path, kind: Any, **settings: Any) -> Run:
    store = RunStore(tmp_path / "runs")
    return queue.create(store, bundle, RefineConfig(max_rank=8), owner="test", kind=kind, settings=settings)


def test_a_race_is_a_run_that_can_be_opened_again(tmp_path: Path, tiny: Path) -> None:
    run = made(tmp_path, tiny, "race", iterations=10, dtype="float64")
    assert read_experiment(run.path, RaceRecord) is None
    execute(run)
    record = read_experiment(RunStore(tmp_path / "runs").open(run.id).path, RaceRecord)
    assert run.status().status == "complete"
    assert record is not None
    assert record.complete
    assert record.iterations == 10
    (run.path / "race.json").write_text('{"problem": 3')
    with pytest.raises(InputError, match=r"race\.json"):
        read_experiment(run.path, RaceRecord)


@pytest.mark.parametrize(
    ("kind", "stage", "record"), [("race", "cgls", RaceRecord), ("isolate", "random", IsolationRecord)]
)
def test_a_cancelled_experiment_keeps_what_it_has(
    tmp_path: Path, tiny: Path, kind: Any, stage: str, record: Any
) -> None:
    run = made(tmp_path, tiny, kind, iterations=10)
    with pytest.raises(Cancelled):
        execute(run, StopAt(stage))
    assert run.status().status == "cancelled"
    found = read_experiment(run.path, record)
    assert found is not None
    assert not found.complete
    names = [entry.name for entry in (found.methods if kind == "race" else found.contenders)]
    expected = list(METHODS)[:5] if kind == "race" else ["network", "jacobian-subspace", "last-layer"]
    assert names == expected


def test_a_setting_that_nobody_knows_is_refused(tmp_path: Path, tiny: Path) -> None:
    run = made(tmp_path, tiny, "race", space="elsewhere")
    with pytest.raises(InputError, match="subspace"):
        execute(run)
    assert run.status().status == "failed"


# isolation


def test_isolation_solves_what_dense_least_squares_solves() -> None:
    model = twins.network(2, 6, 1)
    problem = twins.problem(model)
    record = isolate(problem, RefineConfig(max_rank=12), IsolationSettings(iterations=15), progress=silent)
    assert record.complete
    found = {contender.name: contender for contender in record.contenders}
    assert [found[name].dimension for name in ("network", "jacobian-subspace", "random-subspace")] == [0, 12, 12]
    with torch.no_grad():
        hidden = torch.tanh(model[0](problem.train.inputs))  # type: ignore[index]
    features = torch.cat([hidden, torch.ones(len(hidden), 1).double()], dim=1)
    targets = problem.train.targets[:, 0]
    left = (targets - twins.fitted(features, targets)).norm() / targets.norm()
    assert found["last-layer"].errors.train == pytest.approx(float(left), rel=1e-6)
    assert found["last-layer"].dimension == 7
    assert "5 fewer than the 12" in found["last-layer"].note
    base = found["network"].errors.train
    assert base is not None
    for contender in record.contenders[1:]:
        assert contender.errors.train is not None
        assert contender.errors.train < base
        assert contender.errors.test is not None
    assert len(found["nonlinear-adam"].sweep) == 3
    json.dumps(json.loads(record.model_dump_json()), allow_nan=False)


def test_random_directions_that_span_everything_reach_the_floor_of_all_parameters() -> None:
    model = twins.network(2, 3, 1)  # 13 parameters
    problem = twins.problem(model)
    setting = prepare(problem, RefineConfig(max_rank=13))
    delta = solve_in_random_subspace(setting, 13, ignored)
    matrix = twins.jacobian(model, problem.train.inputs)
    with torch.no_grad():
        errors = (model(problem.train.inputs) - problem.train.targets)[:, 0]
    torch.testing.assert_close(matrix @ delta, -twins.fitted(matrix, errors), rtol=1e-6, atol=1e-9)


def test_the_last_layer_is_the_last_module_with_parameters() -> None:
    assert last_layer(twins.network(2, 3, 1)) == "2"
    with pytest.raises(InputError, match="belong to no layer"):
        last_layer(torch.nn.Tanh())


def test_isolation_of_equations_is_refused() -> None:
    model = architectures.build("pinn-mlp", {"layers": [2, 4, 1], "domain": {"x": [0, 1], "t": [0, 1]}})
    problem = make_problem(equations.build("heat", {}), model)
    with pytest.raises(InputError, match="fits to data"):
        isolate(problem, RefineConfig(max_rank=2), progress=silent)


def _iterate(iterates: Any, count: int) -> Tensor:
    return [y for _, y in zip(range(count), iterates, strict=False)][-1]


def _distance(found: Tensor, wanted: Any) -> float:
    return float(np.linalg.norm(found.numpy() - wanted) / np.linalg.norm(wanted))
