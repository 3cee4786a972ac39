"""Equations that are typed: the same rows as the library's own, refusals in sentences, bundles without code."""

from __future__ import annotations

import math
import time
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
from lsr_core.problems.physics.problem import PhysicsProblem, make_problem
from lsr_core.problems.physics.residuals import block_rows
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.catalogue import NETWORKS, READY
from lsr_core.problems.physics.typed.checks import fit_of, is_linear
from lsr_core.problems.physics.typed.expressions import expression, number
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.storage.bundles import load_problem, save_problem

SMALL = StartingNetwork(widths=[8, 8])
TWINS = ("poisson", "heat", "wave", "convection", "reaction", "burgers", "allen-cahn")
LINE: dict[str, Any] = {
    "inputs": {"x": (0.0, 1.0)},
    "equations": [{"equation": "u_xx = -sin(x)", "points": 60}],
    "conditions": [
        {"where": "x = 0", "equation": "u = 0", "points": 1},
        {"where": "x = 1", "equation": "u = sin(1)", "points": 1},
    ],
    "solution": {"u": "sin(x)"},
}


def line(**changes: Any) -> dict[str, Any]:
    return {**LINE, **changes}


def problem(arguments: dict[str, Any], network: StartingNetwork = SMALL) -> PhysicsProblem:
    return problem_of(TypedArguments(**arguments), network)


@pytest.mark.parametrize("name", TWINS)
def test_typed_twin_has_the_rows_of_the_library(name: str) -> None:
    """At the library's points, with its weights, and a random network."""
    options = {"constraints": "soft", "n_interior": 50, "n_initial": 20, "n_boundary": 24}
    known = build(name, options)
    counts = {block.name: (block.n_points, block.weight) for block in known.blocks}
    ready = TypedArguments.model_validate(READY[name]).model_dump()
    for row in ready["equations"]:
        row["points"], row["weight"] = counts["interior"]
    twin = problem(ready)
    own = make_problem(known, twin.model)
    assert [block.name for block in twin.blocks] == [block.name for block in known.blocks]
    function = ParametricFunction.from_module(twin.model, dtype=torch.float64)
    pairs = zip(block_rows(twin, function, own.points), block_rows(own, function), strict=True)
    for typed, library in pairs:
        mine, theirs = typed.residual.outputs(typed.points), library.residual.outputs(library.points)
        assert mine.shape == theirs.shape
        assert float((mine - theirs).abs().max()) <= 1e-12 * max(1.0, float(theirs.abs().max()))
        slopes = [part.residual.slopes(part.points) for part in (typed, library)]
        assert torch.allclose(*slopes, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in READY if "solution" in READY[name]])
def test_known_solution_zeroes_every_block(name: str) -> None:
    equation = build("typed", READY[name])
    assert equation.exact is not None
    for block in equation.blocks:
        found = fit_of(block, equation.exact, equation.outputs, tuple(equation.domain))
        assert found.residual <= 1e-12 * max(found.size, 1.0)


@pytest.mark.parametrize("name", [name for name in TWINS if "solution" in READY[name]])
def test_known_solution_is_that_of_the_library(name: str) -> None:
    own, library = build("typed", READY[name]), build(name)
    assert own.exact is not None
    assert library.exact is not None
    low, high = torch.tensor(list(library.domain.values()), dtype=torch.float64).T
    points = low + (high - low) * torch.rand(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert torch.allclose(own.exact(points), library.exact(points), rtol=1e-12, atol=1e-12)


def test_linear_and_nonlinear_blocks_are_told_apart() -> None:
    for name in READY:
        equation = build("typed", READY[name])
        found = [is_linear(block, equation.outputs, tuple(equation.domain)) for block in equation.blocks]
        nonlinear = {"reaction": 1, "burgers": 1, "allen-cahn": 1, "cavity": 2}.get(name, 0)
        assert found == [False] * nonlinear + [True] * (len(found) - nonlinear)


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 3), st.floats(0.1, 3))
def test_expressions_are_those_of_the_functions(a: float, b: float) -> None:
    text = "a^2*exp(-b*a) + sqrt(b)/(1 + abs(a)) - log(b)*cos(pi*a) + tanh(a)*step(a)"
    found = expression(text, ("a", "b"), {}, "key")
    values = {"a": torch.tensor([a], dtype=torch.float64), "b": torch.tensor([b], dtype=torch.float64)}
    wanted = a**2 * math.exp(-b * a) + math.sqrt(b) / (1 + abs(a)) - math.log(b) * math.cos(math.pi * a)
    wanted += math.tanh(a) * (a > 0)
    assert float(found(values)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_expressions_work_under_transforms_of_functions() -> None:
    found = expression("x^3*sin(k*x) + 2", ("x",), {"k": 2.0}, "key")
    points = torch.linspace(0.1, 1, 7, dtype=torch.float64)

    def at(x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(found({"x": x}))

    one = torch.ones_like(points)
    wanted = 3 * points**2 * torch.sin(2 * points) + 2 * points**3 * torch.cos(2 * points)
    assert torch.allclose(torch.func.jvp(at, (points,), (one,))[1], wanted)
    assert torch.allclose(torch.func.vmap(torch.func.grad(at))(points), wanted)
    assert torch.allclose(torch.func.jacrev(at)(points).diagonal(), wanted)
    assert at(points.float()).dtype == torch.float32


HOSTILE = {
    "attribute": "x.__class__",
    "method": "x.sum()",
    "dunder name": "__import__",
    "dunder call": "__import__(x)",
    "eval": "eval(x)",
    "open": "open(x)",
    "exec": "exec(x)",
    "getattr": "getattr(x)",
    "lambda": "(lambda: x)",
    "comprehension": "[u for u in x]",
    "generator": "sum(u for u in x)",
    "subscript": "u[0]",
    "string": "u + 'text'",
    "double quotes": 'u + "text"',
    "format string": "f'{x}'",
    "walrus": "(u := 1)",
    "conditional": "u if x else t",
    "comparison": "u > 0",
    "boolean": "u and x",
    "not": "not u",
    "huge power": "u + 9**9**9**9",
    "huge exponent": "u**1000",
    "negative exponent": "u**-1000",
    "varying exponent": "u**x",
    "tower": "u + 2**(10*(10^10))",
    "huge number": "u + " + "9" * 400,
    "shift": "u << 3",
    "matrix product": "u @ x",
    "modulo": "u % 2",
    "floor division": "u // 2",
    "bits": "u | 1",
    "complex": "u + 1j",
    "negative root": "u + (0-8)**0.5",
    "division by zero": "u + 1/0",
    "keyword": "sin(x=u)",
    "starred": "sin(*u)",
    "two arguments": "sin(u, x)",
    "no argument": "sin()",
    "number called": "2(u)",
    "value called": "u(x)",
    "result called": "sin(u)(x)",
    "tuple": "u, x",
    "statement": "import os",
    "two statements": "u; x",
    "new line": "u\nx",
    "null byte": "u\x00",
    "look-alike": "\u0443 + u",
    "full width": "u + \uff53in(x)",
    "superscript": "u\u00b2",
    "invisible": "u\u200b + x",
    "right to left": "u \u202e+ x",
    "long text": "u" + "+u" * 500_000,
    "long name": "u + " + "x" * 480,
    "nested": "(" * 240 + "u" + ")" * 240,
    "deep": "sin(" * 60 + "u" + ")" * 60,
    "long sum": "u" + "+u" * 240,
    "signs": "-" * 480 + "u",
    "ellipsis": "u + ...",
    "none": "None",
    "assignment": "u = x = 1",
    "empty": "   ",
    "half": "u = ",
    "open parenthesis": "sin(u",
    "blank": "u x",
    "star": "u * * x",
    "comment": "u # x",
    "await": "await u",
    "unknown": "w + u",
    "unknown function": "sinn(u)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_in_a_sentence_at_once(text: str) -> None:
    began = time.process_time()
    for place in ("equations", "conditions", *(["solution"] if text.strip() else [])):  # an empty solution is none
        rows = {
            "equations": [{"equation": text}],
            "conditions": [{"where": "x = 0", "equation": text}],
            "solution": {"u": text},
        }
        with pytest.raises(InputError) as caught:
            build("typed", line(**{place: rows[place]}))
        assert "Traceback" not in str(caught.value)
        assert 10 < len(str(caught.value)) < 500
    assert time.process_time() - began < 1


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ux_0129.+-*/^()=, sincoexplgqrtab", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = expression(text, ("u", "x", "u_x", "u_xx"), {}, "key")
    except InputError:
        return
    found({name: torch.ones(2, dtype=torch.float64) for name in found.names})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "near name": (line(equations=[{"equation": "uxx = 0"}]), "did you mean u_xx?"),
    "near function": (line(equations=[{"equation": "u = sine(x)"}]), "did you mean sin?"),
    "ninth order": (line(equations=[{"equation": f"u_{9 * 'x'} = 0"}]), "at most 8 of the variables x"),
    "unknown output": (line(equations=[{"equation": "v_x = u"}]), "no output"),
    "unknown input": (line(equations=[{"equation": "u_z = 0"}]), "not made of"),
    "without u": (line(equations=[{"equation": "x = 0"}]), "no unknown function"),
    "outside": (
        line(conditions=[{"where": "x = 1.5", "equation": "u = 0"}]),
        "x = 1.5 lies outside the domain, where x runs from 0 to 1",
    ),
    "no such input": (line(conditions=[{"where": "t = 0", "equation": "u = 0"}]), "'t = 0' is no place"),
    "no such period": (line(conditions=[{"where": "t periodic", "equation": "u"}]), "no input 't'"),
    "period of x": (line(conditions=[{"where": "x periodic", "equation": "x*u"}]), "differs between both ends"),
    "period of nothing": (line(conditions=[{"where": "x periodic", "equation": ","}]), "equal at both ends"),
    "nowhere": (line(conditions=[{"where": "", "equation": "u = 0"}]), "says nowhere"),
    "disagreement": (
        line(
            conditions=[{"where": "x = 0", "equation": "u = 0"}, {"where": "boundary", "equation": "2*u = 1"}],
            solution={},
        ),
        "disagree: at x = 0 they ask for 0 and 0.5",
    ),
    "wrong solution": (line(solution={"u": "cos(x)"}), "does not satisfy 'interior': the residual is 0.99"),
    "wrong start": (line(solution={"u": "sin(x) + x"}), "does not satisfy 'boundary 2'"),
    "solution not finite": (line(solution={"u": "log(x - 1)"}), "not finite at"),
    "solution of nothing": (line(solution={"v": "x"}), "no output 'v'"),
    "solution incomplete": (line(outputs=["u", "v"], equations=[{"equation": "u_xx = v"}]), "no expression for v"),
    "weight": (line(equations=[{"equation": "u = 0", "weight": 0}]), "greater than 0"),
    "no points": (line(equations=[{"equation": "u = 0", "points": 0}]), "greater than or equal to 1"),
    "no equation": (line(equations=[]), "at least 1 item"),
    "interval": (line(inputs={"x": (1, 0)}), "runs from 1 to 0"),
    "infinite": (line(inputs={"x": (0, math.inf)}), "finite"),
    "name of a function": (line(inputs={"sin": (0, 1)}), "meaning of its own"),
    "name": (line(outputs=["u_x"]), "cannot name an output"),
    "twice": (line(constants={"u": 1.0}), "names two things"),
    "ambiguous": (line(inputs={"x": (0, 1), "xx": (0, 1)}), "could mean either"),
    "data": (line(data={"rows": [[0.1, 0.2, 0.3]]}), "2 are needed: x, u"),
    "few points": (
        line(conditions=[{"where": "boundary", "equation": "u = sin(x)", "points": 1}]),
        "1 points for 2 faces",
    ),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        build("typed", arguments)
    assert sentence in str(caught.value)


def test_residual_that_is_not_finite_says_where() -> None:
    typed = problem(line(equations=[{"equation": "u_xx = log(x - 0.5)", "points": 64}], solution={}))
    with pytest.raises(InputError, match=r"NaN or infinite at 32 of 64 points, the first at x ="):
        block_rows(typed, ParametricFunction.from_module(typed.model, dtype=torch.float64))


def test_a_root_of_a_negative_field_is_told_as_such_and_not_as_derivatives_that_are_wrong() -> None:
    typed = problem(line(equations=[{"equation": "u_xx = sqrt(u)", "points": 64}], solution={}))
    with pytest.raises(InputError, match=r"NaN or infinite at \d+ of 64 points, .* a root or a logarithm"):
        refine(typed, max_rank=20)


def test_data_outside_say_where() -> None:
    with pytest.raises(InputError, match="1 of 2 points lie outside the domain"):
        problem(line(data={"rows": [[0.5, math.sin(0.5)], [2.0, 0.0]]}))


def test_bundle_gives_the_same_problem_and_holds_text_only(tmp_path: Path) -> None:
    for given_ in (LINE, line(solution={}, data={"rows": [[0.5, 0.479], [0.25, 0.247]]})):
        before = problem(given_)
        folder = save_problem(tmp_path / f"bundle{len(given_)}", before)
        after = load_problem(folder)
        assert isinstance(after, PhysicsProblem)
        assert after.arguments == before.arguments
        function = ParametricFunction.from_module(before.model, dtype=torch.float64)
        for one, other in zip(block_rows(before, function), block_rows(after, function), strict=True):
            assert torch.equal(one.residual.outputs(one.points), other.residual.outputs(other.points))
        assert set(after.splits()) == ({"test"} if given_ is LINE else {"grid"})
        assert sorted(path.name for path in folder.iterdir()) == ["data.npz", "model.safetensors", "problem.json"]


def test_bundle_keeps_the_order_of_the_inputs(tmp_path: Path) -> None:
    before = problem(READY["heat"])  # x, then t: another order than that of the alphabet
    after = load_problem(save_problem(tmp_path / "heat", before))
    assert isinstance(after, PhysicsProblem)
    assert before.test is not None
    assert after.test is not None
    assert torch.equal(before.test.inputs, after.test.inputs)
    assert torch.equal(before.test.targets, after.test.targets)


def test_strategies_agree() -> None:
    typed = problem(READY["burgers"] | {"equations": [{"equation": "u_t + u*u_x = nu*u_xx", "points": 60}]})
    for part in block_rows(typed, ParametricFunction.from_module(typed.model, dtype=torch.float64)):
        few = part.points[:20]
        operators = [part.residual.at(few, part.width, name) for name in ("row-blocks", "matrix-free")]
        step = torch.randn(operators[0].shape[1], 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        one, other = (operator.matmat(step) for operator in operators)
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


def test_one_refinement_from_an_untrained_network_solves_a_linear_equation() -> None:
    found = refine(problem(LINE, StartingNetwork(widths=[32])), max_rank=60)
    assert found.summary.refined.relative_l2 is not None
    assert found.summary.refined.relative_l2 < 1e-9


def test_systems_and_data_are_solved_too() -> None:
    """u_xxxx = u by v = u_xx, and a value at a place instead of a boundary condition."""
    system = {
        "inputs": {"x": (0.0, 1.0)},
        "outputs": ["u", "v"],
        "equations": [{"equation": "v = u_xx", "points": 60}, {"equation": "v_xx = u", "points": 60}],
        "conditions": [
            {"where": "boundary", "equation": "u = sin(x)", "points": 2},
            {"where": "x = 0", "equation": "v = 0", "points": 1},
        ],
        "data": {"output": "v", "rows": [[0.5, -math.sin(0.5)]]},
        "solution": {"u": "sin(x)", "v": "-sin(x)"},
    }
    found = refine(problem(system, StartingNetwork(widths=[32])), max_rank=80)
    assert found.summary.refined.relative_l2 is not None
    assert found.summary.refined.relative_l2 < 1e-7


def test_without_a_solution_the_residual_is_what_is_reported() -> None:
    found = refine(problem(line(solution={}), StartingNetwork(widths=[16])), max_rank=30)
    assert found.summary.refined.relative_l2 is None
    assert found.summary.refined.test_mse is None
    norms = found.summary.residual_norm
    assert norms.fresh_nonlinear is not None
    assert norms.fresh_base is not None
    assert norms.fresh_nonlinear < 1e-4 * norms.fresh_base


def test_numbers_may_be_expressions() -> None:
    assert number("2*pi", {}, "key") == 2 * math.pi
    with pytest.raises(InputError, match="not a finite number"):
        number("log(0)", {}, "key")


def test_circular_network_needs_no_rows_for_what_it_meets() -> None:
    typed = problem(READY["convection"], StartingNetwork(widths=[8], circular=True))
    assert [block.name for block in typed.blocks] == ["interior", "initial"]
    ends = torch.tensor([[0.0, 0.3], [2 * math.pi, 0.3]], dtype=torch.float64)
    low, high = typed.model(ends).detach()
    assert float(low) == pytest.approx(float(high), abs=1e-12)
    assert refine(typed, max_rank=10).summary.rank > 0
    with pytest.raises(InputError, match="no input has a periodic condition"):
        problem(READY["heat"], StartingNetwork(circular=True))


def test_networks_of_the_catalogue_belong_to_it() -> None:
    for name, settings_ in NETWORKS.items():
        assert problem(READY[name], StartingNetwork(**settings_)).architecture is not None
