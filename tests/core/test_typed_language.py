"""What rows may say beyond derivatives: operators, integrals, places inside, parts of faces, repeated measurements, coefficients from data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lsr_core import refine
from lsr_core.errors import InputError
from lsr_core.networks.functions import ParametricFunction
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.expressions import number
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.storage.bundles import load_problem, save_problem

SQUARE: dict[str, Any] = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
LINE: dict[str, Any] = {"x": (0.0, 1.0)}


def problem(widths: int = 30, **arguments: Any) -> PhysicsProblem:
    return problem_of(TypedArguments(**arguments), StartingNetwork(widths=[widths]))


def rows_of(text: str, inputs: dict[str, Any], **more: Any) -> tuple[Any, tuple[str, ...]]:
    """The residual and the needs of a row."""
    block = build("typed", {"inputs": inputs, "equations": [{"equation": text, "points": 8}], **more}).blocks[0]
    return block, block.needs


WRITTEN = {
    "dx(u, x)": "u_x",
    "dx(u, x, y, y)": "u_xyy",
    "dx(x^2*u, x)": "2*x*u + x^2*u_x",
    "u_xx − 2·u × x": "u_xx - 2*u*x",
    "dx(exp(u*x)/(1 + u^2), x)": "exp(u*x)*((u_x*x + u)*(1 + u^2) - 2*u*u_x)/(1 + u^2)^2",
    "laplace(u)": "u_xx + u_yy",
    "laplace(laplace(u))": "u_xxxx + 2*u_xxyy + u_yyyy",
    "div((1 + x*y)*grad(u))": "(1 + x*y)*(u_xx + u_yy) + y*u_x + x*u_y",
    "div(u*u, sin(u))": "2*u*u_x + cos(u)*u_y",
    "dot(grad(u), grad(u))": "u_x^2 + u_y^2",
    "dot(vec(u, 2), grad(u) - 2*grad(u))": "-u*u_x - 2*u_y",
    "dx(tanh(u) + sqrt(2 + x) - atan(x*u), x)": "(1 - tanh(u)^2)*u_x + 1/(2*sqrt(2 + x)) - (u + x*u_x)/(1 + (x*u)^2)",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_operators_are_what_they_stand_for(text: str) -> None:
    (one, needs), (other, wanted) = rows_of(text, SQUARE), rows_of(WRITTEN[text], SQUARE)
    assert set(needs) == set(wanted)
    points = torch.rand(9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    values = {name: torch.randn(9, dtype=torch.float64) for name in ("u", *needs)}
    at = Field(points, ("x", "y"), values)
    torch.testing.assert_close(one.residual(at), other.residual(at), rtol=1e-11, atol=1e-11)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(
        [
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "exp",
            "log",
            "sqrt",
            "abs",
            "erf",
            "sigmoid",
        ]
    ),
    st.floats(0.1, 0.9),
)
def test_every_function_has_its_derivative(name: str, at: float) -> None:
    block, _ = rows_of(f"dx({name}(x), x) + u", LINE)
    x = torch.tensor([[at]], dtype=torch.float64, requires_grad=True)
    function = getattr(torch, name)
    (slope,) = torch.autograd.grad(function(x).sum(), x)
    found = block.residual(Field(x.detach(), ("x",), {"u": torch.zeros(1, dtype=torch.float64)}))
    assert float(found) == pytest.approx(float(slope), rel=1e-12)


REFUSED = {
    "jump": ("dx(step(x)*u, x) = 0", "step(…) jumps, so it has no derivative"),
    "vector": ("sin(grad(u)) = 0", "a vector stands where a number belongs"),
    "vector and number": ("grad(u) = 1", "a vector and a number are combined"),
    "two vectors": ("dot(grad(u)*grad(u), grad(u)) = 0", "multiplied by dot"),
    "components": ("div(u) = 0", "div needs 2 components, one for each of x, y"),
    "by what": ("dx(u, z) = 0", "dx differentiates by inputs (x, y), not by z"),
    "by nothing": ("dx(u) = 0", "needs what is differentiated and the inputs"),
    "normal inside": ("dn(u) = 0", "dn(…) needs an edge in space"),
    "nested": ("integral(integral(u, x), y) = u", "an integral stands inside another"),
    "integral of": ("dx(integral(u, x), y) = 0", "write the derivative inside of it"),
    "of Leibniz": ("u'' = 1", """the sign "'" is not part of the grammar"""),
    "of a paper": ("∂u/∂x = 1", "write derivatives as u_x, u_xx, u_t"),
    "long": ("dx(" + "*".join(["sin(u*x*y)"] * 24) + ", x, x, x, x)", "more than 4000 parts"),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_operators_cannot_do_is_said(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        rows_of(text, SQUARE)
    assert sentence in str(caught.value)


def test_a_number_that_is_missing_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"^input x: a number is missing; write one such as"):
        number(" ", {}, "input x")


def test_what_is_known_is_told_once() -> None:
    with pytest.raises(InputError, match=r"known here: u, u_x, u_xx, x, pi, e$"):
        rows_of("u_xx = q", LINE)


SOLVED: dict[str, dict[str, Any]] = {
    "a point inside": {
        "inputs": {"x": (-1, 2)},
        "equations": [{"equation": "u_xx + u = 0", "points": 80}],
        "conditions": [{"where": "x = 0", "equation": "u = 1"}, {"where": "x = 0.5", "equation": "u_x = -sin(0.5)"}],
        "solution": {"u": "cos(x)"},
    },
    "an integral of the unknown": {
        "inputs": {"x": (0, 1)},
        "equations": [{"equation": "u_x = exp(x) + 1 - e + integral(u, x)", "points": 60}],
        "conditions": [{"where": "x = 0", "equation": "u = 1", "points": 1}],
        "solution": {"u": "exp(x)"},
    },
    "an integral with bounds": {
        "inputs": {"t": (0, 1)},
        "equations": [{"equation": "u_t = 1 - integral(u, t, 0, t)", "points": 60}],
        "conditions": [{"where": "t = 0", "equation": "u = 0", "points": 1}],
        "solution": {"u": "sin(t)"},
    },
    "an integral over all, and slopes at both ends": {
        "inputs": {"x": (0, 1)},
        "equations": [{"equation": "u_xx = -pi^2*cos(pi*x)", "points": 60}],
        "conditions": [
            {"where": "boundary", "equation": "dn(u) = 0", "points": 2},
            {"where": "domain", "equation": "integral(u + 1) = 1"},
        ],
        "solution": {"u": "cos(pi*x)"},
    },
    "a coefficient by data": {
        "inputs": {"x": (0, 1)},
        "coefficients": {
            "k": {"inputs": ["x"], "grid": [[0, 0.3, 0.6, 1]], "values": [1, 1.3, 1.6, 2], "interpolation": "cubic"}
        },
        "equations": [{"equation": "dx(k*dx(u, x), x) = (2 + x)*exp(x)", "points": 60}],
        "conditions": [
            {"where": "x = 0", "equation": "u = k", "points": 1},
            {"where": "x = 1", "equation": "u = e", "points": 1},
        ],
        "solution": {"u": "exp(x)"},
    },
}


@pytest.mark.parametrize("name", SOLVED)
def test_such_equations_are_solved(name: str) -> None:
    found = refine(problem(**SOLVED[name]), max_rank=60).summary
    assert found.refined.relative_l2 is not None
    assert found.refined.relative_l2 < 1e-4
    assert found.residual_norm.fresh_nonlinear is not None


def test_an_interface_between_materials() -> None:
    """Conduction through two layers, flux and temperature continuous: linear in each."""
    layers = problem(
        widths=16,
        inputs={"x": (0, 1)},
        outputs=["a", "b"],
        equations=[
            {"equation": "a_xx = 0", "where": "x < 0.5", "points": 30},
            {"equation": "b_xx = 0", "where": "x > 0.5", "points": 30},
        ],
        conditions=[
            {"where": "x = 0", "equation": "a = 0"},
            {"where": "x = 1", "equation": "b = 1"},
            {"where": "x = 0.5", "equation": "a = b"},
            {"where": "x = 0.5", "equation": "a_x = 10*b_x"},
        ],
    )
    assert float(layers.points["interior"].max()) < 0.5 < float(layers.points["interior 2"].min())
    found = refine(layers, max_rank=40).predictor(torch.tensor([[0.5]], dtype=torch.float64))
    torch.testing.assert_close(found, torch.full((1, 2), 10 / 11, dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_places() -> None:
    typed = problem(
        inputs=SQUARE,
        equations=[{"equation": "laplace(u) = 0", "points": 40, "where": "x^2 + y^2 < 1"}],
        conditions=[
            {"where": "x = 0, y > 0.5", "equation": "u = 1", "points": 50, "name": "inlet"},
            {"where": "x = 0 and y < 0.5, x = 1", "equation": "u_x = 0", "points": 40, "name": "walls"},
            {"where": "x = 0.25 and y = 0.75", "equation": "u = 1", "name": "pin"},
            {"where": "y = 0.2 + x/2", "equation": "u_y = 0", "points": 30, "name": "curve"},
        ],
    )
    at = typed.points
    assert float(at["interior"].norm(dim=1).max()) < 1
    assert len(at["inlet"]) == 50
    assert float(at["inlet"][:, 0].abs().max()) == 0
    assert float(at["inlet"][:, 1].min()) > 0.5
    assert sorted(at["walls"][:, 0].unique().tolist()) == [0, 1]
    assert float(at["walls"][at["walls"][:, 0] == 0][:, 1].max()) < 0.5
    assert at["pin"].tolist() == [[0.25, 0.75]]
    torch.testing.assert_close(at["curve"][:, 1], 0.2 + at["curve"][:, 0] / 2)


NOWHERE = {
    "x = 0 and y = 2": "y = 2 lies outside the domain",
    "x = 0 and x = 1": "x has two values at once",
    "x = 0, y > 2": "no point belongs to",
    "x = 0 or y = 0": "or is not part of the grammar",
    "hole": "'hole' is no place",
    "x = x": "x on both sides",
}


@pytest.mark.parametrize("where", NOWHERE)
def test_places_that_are_none(where: str) -> None:
    with pytest.raises(InputError) as caught:
        problem(
            inputs=SQUARE,
            equations=[{"equation": "laplace(u) = 0"}],
            conditions=[{"where": where, "equation": "u = 0"}],
        )
    assert NOWHERE[where] in str(caught.value)


def test_many_inputs_and_outputs() -> None:
    inputs = {f"x{i}": (0.0, 1.0) for i in range(1, 7)}
    outputs = [f"u{i}" for i in range(1, 7)]
    typed = problem(
        widths=8,
        inputs=inputs,
        outputs=outputs,
        equations=[{"equation": " + ".join(f"u{i}_x{i}x{i}" for i in range(1, 7)), "points": 20}],
        conditions=[{"where": "boundary", "equation": f"{name} = x1", "points": 24} for name in outputs],
        solution=dict.fromkeys(outputs, "x1"),
    )
    assert typed.test is not None
    assert len(typed.test.inputs) == 5000
    assert refine(typed, max_rank=20).summary.refined.relative_l2 is not None


def test_repeated_measurements_count_as_often_as_they_were_made() -> None:
    """A line through three values, of which two are at one place: the one through their mean."""
    rows = [[0.0, 1.0], [0.0, 1.02], [1.0, 2.0]]
    typed = problem(inputs=LINE, equations=[{"equation": "u_xx = 0", "points": 50}], data={"rows": rows})
    assert len(typed.points["data"]) == 3
    ends = refine(typed, max_rank=30).predictor(torch.tensor([[0.0], [1.0]], dtype=torch.float64))
    torch.testing.assert_close(ends[:, 0], torch.tensor([1.01, 2.0], dtype=torch.float64), rtol=1e-6, atol=1e-6)


def test_data_of_several_outputs() -> None:
    typed = problem(
        inputs=LINE, outputs=["u", "v"], equations=[{"equation": "u_x = v", "points": 30}, {"equation": "v_x = 0", "points": 30}],
        data=[{"output": "u", "rows": [[0.0, 1.0]]}, {"output": "v", "rows": [[0.5, 2.0]]}],
    )  # fmt: skip
    found = refine(typed, max_rank=30).predictor(torch.tensor([[1.0]], dtype=torch.float64))
    torch.testing.assert_close(found, torch.tensor([[3.0, 2.0]], dtype=torch.float64), rtol=1e-5, atol=1e-5)


COEFFICIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "short": (
        {"inputs": ["x"], "grid": [[0, 0.8]], "values": [1, 2]},
        "run over x from 0 to 0.8, the domain from 0 to 1",
    ),
    "too few values": ({"inputs": ["x"], "grid": [[0, 1]], "values": [1]}, "1 values for a grid of 2"),
    "no input": ({"inputs": ["z"], "grid": [[0, 1]], "values": [1, 2]}, "name inputs of the equation"),
    "neither": ({"inputs": ["x"]}, "both a grid and rows, or none"),
    "not covered": (
        {"inputs": ["x", "y"], "rows": [[0, 0, 1], [1, 0, 1], [0, 0.9, 1], [1, 0.9, 1]]},
        "do not cover the domain: there are none around",
    ),
    "on a line": ({"inputs": ["x", "y"], "rows": [[0, 0, 1], [1, 1, 1], [0.5, 0.5, 1]]}, "span no area"),
}


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_data_that_make_no_coefficient(name: str) -> None:
    given_, sentence = COEFFICIENTS[name]
    with pytest.raises(InputError) as caught:
        rows_of("laplace(u) = k", SQUARE, coefficients={"k": given_})
    assert sentence in str(caught.value)


def test_derivatives_of_data_need_smooth_ones() -> None:
    with pytest.raises(InputError, match="cubic interpolation on a grid has first and second"):
        rows_of("dx(k*u_x, x) = 0", LINE, coefficients={"k": {"inputs": ["x"], "grid": [[0, 1]], "values": [1, 2]}})


def test_coefficients_are_interpolated_as_they_say() -> None:
    axis = [0.0, 0.25, 0.5, 0.75, 1.0]
    table = [a * b for a in axis for b in axis]
    rows = [[a, b, a + 2 * b] for a in axis for b in axis]
    given_ = {
        "k": {"inputs": ["x", "y"], "grid": [axis, axis], "values": table},
        "s": {"inputs": ["x", "y"], "rows": rows},
        "n": {"inputs": ["y"], "rows": [[0.2, 5.0], [0.9, 7.0]], "interpolation": "nearest"},
    }
    block, _ = rows_of("u + k + s*0 = 0", SQUARE, coefficients=given_)
    scattered, _ = rows_of("u + s + n = 0", SQUARE, coefficients=given_)
    points = torch.tensor([[0.1, 0.3], [0.6, 0.8], [1.0, 1.0]], dtype=torch.float64)
    at = Field(points, ("x", "y"), {"u": torch.zeros(3, dtype=torch.float64)})
    x, y = points.T
    torch.testing.assert_close(block.residual(at), x * y)  # bilinear data are met exactly
    torch.testing.assert_close(scattered.residual(at), x + 2 * y + torch.tensor([5.0, 7.0, 7.0], dtype=torch.float64))


CORNER: dict[str, Any] = {
    "inputs": SQUARE,
    "equations": [{"equation": "laplace(u) = 0", "points": 500}],
    "conditions": [
        {"where": "y = 1", "equation": "u = 1", "points": 200},
        {"where": "x = 0, x = 1, y = 0", "equation": "u = 0", "points": 300},
    ],
}


def test_corners_that_disagree_are_cut_out_and_said() -> None:
    typed = problem(widths=60, **CORNER)
    (said,) = typed.remarks
    assert "ask for different values at x = 0, y = 1: 1 and 0" in said
    assert "within 1% of the extent" in said
    lid, walls = typed.points["boundary"], typed.points["boundary 2"]
    assert 190 < len(lid) < 200
    assert float(torch.minimum(lid[:, 0], 1 - lid[:, 0]).min()) > 0.01
    assert float((1 - walls[walls[:, 0] == 0][:, 1]).min()) > 0.01
    assert float(typed.redrawn(3).points["boundary"][:, 0].min()) > 0.01
    result = refine(typed, max_rank=120)
    assert any("left out" in note for note in result.summary.notes)
    middle = result.predictor(torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    assert float(middle) == pytest.approx(0.25, abs=0.01)  # by the symmetry of four such squares


def test_what_was_cut_out_stays_so_in_a_bundle(tmp_path: Path) -> None:
    before = problem(**CORNER)
    after = load_problem(save_problem(tmp_path / "corner", before))
    assert isinstance(after, PhysicsProblem)
    assert after.remarks == before.remarks
    assert all(torch.equal(after.points[name], before.points[name]) for name in before.points)


def test_conditions_that_agree_are_left_alone() -> None:
    typed = problem(
        inputs=SQUARE,
        equations=[{"equation": "laplace(u) = 0", "points": 20}],
        conditions=[
            {"where": "x = 0", "equation": "u = y", "points": 30},
            {"where": "y = 1", "equation": "u = 1 + x", "points": 30},
        ],
    )
    assert typed.remarks == ()
    assert len(typed.points["boundary"]) == 30


def test_bundles_hold_the_whole_language(tmp_path: Path) -> None:
    for name, arguments in SOLVED.items():
        before = problem(**arguments)
        after = load_problem(save_problem(tmp_path / name.replace(" ", "-").replace(",", ""), before))
        assert isinstance(after, PhysicsProblem)
        function = ParametricFunction.from_module(before.model, dtype=torch.float64)
        for one, other in zip(block_rows(before, function), block_rows(after, function), strict=True):
            assert torch.equal(one.residual.outputs(one.points), other.residual.outputs(other.points))


def test_an_unknown_that_enters_nothing() -> None:
    with pytest.raises(InputError, match="v is in no equation and no condition"):
        problem(inputs=LINE, outputs=["u", "v"], equations=[{"equation": "u_xx = 0"}])


def test_a_condition_on_one_integral_has_one_row_whatever_number_of_points_it_asks_for() -> None:
    """All would be the same place, with 2,304 nodes each: 400 of them asked for 27 GB."""
    plane = build(
        "typed",
        {
            "inputs": {"x": (0, 1), "y": (0, 1)},
            "equations": [{"equation": "laplace(u) = 0"}],
            "conditions": [{"where": "domain", "equation": "integral(u) = 0", "points": 400}],
        },
    )
    level = plane.blocks[-1]
    assert (level.n_points, level.nodes) == (1, 48**2)
    assert level.draw(torch.Generator().manual_seed(0)).shape == (1, 1 + 48**2, 2)
