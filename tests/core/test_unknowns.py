"""Numbers that are to be found: laws of the joint model first, then rows by them, then whole solves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.linalg.joint import JointModel
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.layered import chain_of
from lsr_core.networks.unknowns import WithUnknowns
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.own import own_equation
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows, residual_vector
from lsr_core.problems.physics.samplers import Box
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.refinement.refine import refine
from lsr_core.refinement.unknowns import in_words, number
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.solution import JoinedSolution
from lsr_core.solver.solve import solve
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_samples import train_heat_coefficient, train_poisson_inverse
from lsr_samples.physics import EquationSample

RATE = 1.5
QUICK = SolveConfig(search=False, rank=30)


def decay(
    noise: float = 0.02, *, given: bool = True, start: float = 0.7, count: int = 30, seed: int = 0, **changes: Any
) -> PhysicsProblem:
    """u' = −k u from u(0) = 1, with values of u."""
    generator = torch.Generator().manual_seed(seed)
    times = torch.rand(count, generator=generator, dtype=torch.float64)
    values = torch.exp(-RATE * times) + noise * torch.randn(count, generator=generator, dtype=torch.float64)
    data: dict[str, Any] = {"output": "u", "rows": torch.stack([times, values], dim=1).tolist()}
    arguments = {
        "inputs": {"t": [0, 1]},
        "outputs": ["u"],
        "unknown": {"k": start},
        "equations": [{"equation": "u_t = -k*u", "points": 60}],
        "conditions": [{"where": "t = 0", "equation": "u = 1", "points": 1}],
        "data": data | ({"noise": noise} if given else {}),
        "solution": {"u": f"exp(-{RATE}*t)", "k": str(RATE)},
    }
    return problem_of(TypedArguments.model_validate(arguments | changes), StartingNetwork(widths=[30]))


def dense(rows: int = 25, own: int = 6, flat: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """G (n, R), r (n,) and present coefficients."""
    generator = torch.Generator().manual_seed(3)
    return tuple(
        torch.randn(*size, generator=generator, dtype=torch.float64)
        for size in ((rows, own + flat), (rows,), (own + flat,))
    )  # type: ignore[return-value]


def model(slopes: Tensor, rows: Tensor, at: Tensor, flat: int = 2) -> JointModel:
    return JointModel(torch.linalg.qr(torch.cat([slopes, rows[:, None]], dim=1), mode="r").R, at, flat)


@pytest.mark.parametrize("strength", [1e-3, 0.5, 30.0])
def test_the_joint_model_is_the_dense_one(strength: float) -> None:
    slopes, rows, at = dense()
    found, constant = model(slopes, rows, at), rows - slopes @ at
    prior = torch.diag(torch.tensor([strength**2] * 6 + [0.0] * 2, dtype=torch.float64))
    precision = slopes.T @ slopes + prior
    best = -torch.linalg.solve(precision, slopes.T @ constant)
    torch.testing.assert_close(found.solution(strength), best, rtol=1e-9, atol=1e-9)
    spread = found.spread(strength)
    torch.testing.assert_close(spread @ spread.T, torch.linalg.inv(precision), rtol=1e-8, atol=1e-10)
    left = (slopes @ best + constant).square().sum() + best @ prior @ best
    assert found.left(strength) == pytest.approx(float(left), rel=1e-9)
    torch.testing.assert_close(found.flat_deviations(strength), torch.linalg.inv(precision).diagonal()[6:].sqrt())


def test_the_evidence_is_that_of_the_dense_gaussian_with_very_wide_flat_coefficients() -> None:
    slopes, rows, at = dense()
    strengths = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    found, constant, wide = model(slopes, rows, at).log_evidence(strengths), rows - slopes @ at, 1e5
    expected = []
    for strength in strengths:
        variances = torch.cat([(1 / strength**2).expand(6), torch.full((2,), wide**2, dtype=torch.float64)])
        covariance = torch.eye(25, dtype=torch.float64) + (slopes * variances) @ slopes.T
        expected.append(
            torch.distributions.MultivariateNormal(torch.zeros(25, dtype=torch.float64), covariance).log_prob(constant)
        )
    differences = torch.stack(expected)
    torch.testing.assert_close(found - found[0], differences - differences[0], rtol=1e-5, atol=1e-5)


def test_a_part_of_the_rows_spends_its_share_of_the_freedom() -> None:
    slopes, rows, at = dense()
    parts = [torch.cat([slopes, rows[:, None]], dim=1)[some] for some in (slice(0, 9), slice(9, None))]
    shares = [model(slopes, rows, at).freedom(part, 1e-9) for part in parts]
    assert sum(shares) == pytest.approx(8, abs=1e-6)
    assert all(0 < share < 8 for share in shares)


def test_a_number_that_no_row_reads_stays_and_has_no_deviation() -> None:
    slopes, rows, at = dense()
    slopes[:, 7] = 0
    found = model(slopes, rows, at)
    assert float(found.solution(1.0)[7]) == pytest.approx(float(at[7]))
    assert math.isinf(float(found.flat_deviations(1.0)[1]))


@pytest.mark.parametrize("form", ["chain", "other"])
def test_rows_by_a_number_are_those_of_plain_reverse_mode(form: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    inside = network if form == "chain" else nn.Sequential(nn.Identity(), network).double()
    block = ResidualBlock(
        "heat", ("u_xx",), lambda u: u["k"] * u["u_xx"] + u["u"] * u["k"] ** 2, Box({"x": (0.0, 1.0)}), 7
    )
    problem = own_equation("own", inside, {"x": (0.0, 1.0)}, [block], unknown={"k": 0.3})
    assert problem.outputs == ("u", "k")
    assert (chain_of(problem.model) is not None) == (form == "chain")
    function = ParametricFunction.from_module(problem.model, dtype=torch.float64)
    (rows,) = block_rows(problem, function)
    found = rows.residual.at(rows.points, rows.width, "row-blocks").to_dense()
    expected = torch.func.jacrev(lambda theta: residual_vector_at(rows, theta))(function.theta0)
    torch.testing.assert_close(found, expected.detach(), rtol=1e-9, atol=1e-12)
    assert function.numbers.tolist() == [function.n_params - 1]


def residual_vector_at(rows: Any, theta: Tensor) -> Tensor:
    return rows.residual(theta, rows.points).reshape(-1)  # type: ignore[no-any-return]


def test_a_bundle_keeps_unknown_numbers_and_noise(tmp_path: Path) -> None:
    problem = decay()
    back = load_problem(save_problem(tmp_path / "bundle", problem))
    assert isinstance(back, PhysicsProblem)
    assert back.unknown == {"k": 0.7}
    assert back.outputs == ("u", "k")
    assert isinstance(back.model, WithUnknowns)
    assert float(back.model.unknown.bias.detach()) == pytest.approx(0.7)
    torch.testing.assert_close(residual(back), residual(problem), rtol=1e-6, atol=1e-9)
    assert json.loads((tmp_path / "bundle" / "problem.json").read_text())["physics"]["arguments"]["unknown"] == {
        "k": 0.7
    }


def residual(problem: PhysicsProblem) -> Tensor:
    return residual_vector(block_rows(problem, ParametricFunction.from_module(problem.model, dtype=torch.float64)))


def found_in(solution: JoinedSolution) -> tuple[float, float]:
    assert solution.found is not None
    k = solution.found.unknowns["k"]
    assert k.std is not None
    return k.value, k.std


def test_a_number_is_found_within_its_deviation_which_is_that_of_the_best_estimate() -> None:
    solution = solve(decay(), QUICK)
    value, deviation = found_in(solution)
    times = torch.tensor([row[0] for row in decay().arguments["data"]["rows"]])
    best = 0.02 / float((times * torch.exp(-RATE * times)).norm())  # Cramér-Rao, as k alone is unknown
    assert deviation == pytest.approx(best, rel=0.05)
    assert abs(value - RATE) < 3 * deviation
    assert solution.solved
    assert solution.found is not None
    assert solution.found.measured is not None
    assert [one.chosen for one in solution.found.measured.trade_off].count(True) == 1
    assert f"k = {value:.6g} ± {deviation:.2g}" in solution.sentence


def test_noise_that_is_not_given_is_found_with_the_number() -> None:
    solution = solve(decay(given=False), QUICK)
    value, deviation = found_in(solution)
    assert solution.found is not None
    assert solution.found.measured is not None
    assert solution.found.measured.noise["data"] == pytest.approx(0.02, rel=0.4)
    assert not solution.found.measured.noise_given
    assert abs(value - RATE) < 3 * deviation < 0.3


def test_exact_values_give_the_number_to_many_digits() -> None:
    value, deviation = found_in(solve(decay(0.0, given=False), QUICK))
    assert value == pytest.approx(RATE, rel=1e-5)
    assert deviation < 1e-4


def test_a_refinement_says_the_numbers_of_its_field_at_every_rank() -> None:
    problem = solve(decay(), QUICK).problem
    found = refine(problem, gauss_newton=3, max_rank=20).summary.unknowns["k"]
    assert found.std is not None
    assert abs(found.value - RATE) < 4 * found.std
    one_shot = refine(problem, rank=1, max_rank=20)
    assert one_shot.summary.unknowns["k"].value != 0.7  # its direction is ahead of all others
    step = one_shot.delta.abs()
    assert float(step[-1]) > 0.99 * float(step.norm())


def test_what_cannot_be_told_is_said() -> None:
    """All values stand where the start is known."""
    start = {"output": "u", "rows": [[0.0, 1.01], [0.0, 0.98], [0.0, 1.0]], "noise": 0.02}
    found = solve(decay(data=start), QUICK).found
    assert found is not None
    assert "cannot be told from these data" in found.unknowns["k"].said


def test_an_equation_that_is_not_that_of_the_data_is_said() -> None:
    elsewhere = decay(conditions=[{"where": "t = 0", "equation": "u = 0", "points": 1}], solution={})
    assert "the equation is not theirs" in solve(elsewhere, QUICK).sentence


@pytest.mark.parametrize(
    "sample", [train_heat_coefficient.SAMPLE, train_poisson_inverse.SAMPLE], ids=lambda sample: sample.name
)
def test_a_shipped_sample_is_what_its_script_makes(sample: EquationSample) -> None:
    shipped, made = load_problem(sample.name), sample.start(0)
    assert isinstance(shipped, PhysicsProblem)
    rows = [torch.tensor(dict(problem.arguments)["data"]["rows"], dtype=torch.float64) for problem in (shipped, made)]
    torch.testing.assert_close(rows[0], rows[1], rtol=0, atol=1e-14)  # sines differ in the last digit between machines
    assert shipped.outputs == made.outputs
    torch.testing.assert_close(residual(shipped), residual(made))


def test_words_of_a_number() -> None:
    assert number("k", 1.0, math.inf, 0.5, measured=True).std is None
    assert "no value is measured" in number("k", 1.0, 0.1, 0.5, measured=False).said
    assert "2 times its value" in number("k", 1.0, 2.0, 0.5, measured=True).said
    assert number("k", 1.0, 0.1, 0.5, measured=True).said == ""


@pytest.mark.parametrize("measured", [True, False])
def test_a_deviation_is_named_where_one_stands(measured: bool) -> None:
    sentence = in_words({"k": number("k", 1.0, 0.1, 0.5, measured=measured)})
    assert ("± 0.1" in sentence) == ("(one standard deviation)" in sentence) == measured


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unknown": {"q": 1.0}}, "nothing here is called"),
        ({"unknown": {"k": 1.0, "q": 1.0}, "solution": {}}, "nothing would determine it"),
        ({"unknown": {"t": 1.0, "k": 1.0}, "solution": {}}, "t"),
        ({"data": {"output": "u", "rows": [[0.1, 1.0]], "noise": 0.1, "weight": 3.0}}, "leave out the weight"),
    ],
)
def test_what_is_wrong_with_unknown_numbers_is_said(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        decay(**changes)
    assert words in str(caught.value)


def test_noise_of_some_values_only_is_refused() -> None:
    rows = [[0.1, 0.9], [0.5, 0.5]]
    with pytest.raises(InputError, match="for all or for none"):
        decay(data=[{"output": "u", "rows": rows, "noise": 0.1}, {"output": "u", "rows": rows}])


@pytest.mark.parametrize("noise", [0.0, -1.0, math.inf, math.nan])
def test_a_noise_that_is_none_is_refused(noise: float) -> None:
    with pytest.raises(InputError, match="positive standard deviation"):
        ResidualBlock("data", (), lambda u: u["u"], Box({"x": (0.0, 1.0)}), 3, noise=noise)


def test_windows_of_time_are_refused_where_a_number_belongs_to_all_of_it() -> None:
    with pytest.raises(InputError, match="all of the time at once"):
        solve(decay(), SolveConfig(windows=3))
