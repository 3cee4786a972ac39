"""The library of equations: solutions zero their residuals, references are converged, hard conditions hold, points lie where they should."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.networks.pointjets import jets_of, reverse_jets_of
from lsr_core.problems.physics import equations
from lsr_core.problems.physics.blocks import ResidualBlock
from lsr_core.problems.physics.equations import allen_cahn, burgers
from lsr_core.problems.physics.equations.definition import PDE
from lsr_core.problems.physics.fields import Field
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.physics.residuals import field_of, jet_spec
from lsr_core.problems.physics.samplers import METHODS, Box, Pairs, boundary, residual_adaptive, unit_points

SOFT = {"constraints": "soft", "n_interior": 64, "n_initial": 8, "n_boundary": 8}
OPERATORS = ["antiderivative", "diffusion-reaction"]  # with an input function; see test_cases
NAMES = [name for name in equations.EQUATIONS if name not in OPERATORS]
EXACT = [name for name in NAMES if name != "allen-cahn"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fields(equation: PDE, block: ResidualBlock, points: Tensor) -> list[Field]:
    """The exact solution with its derivatives, at the places of a block."""
    assert equation.exact is not None
    variables, spec = list(equation.domain), jet_spec(block, equation.outputs, list(equation.domain))
    places = points.reshape(len(points), -1, len(variables))
    jets = [reverse_jets_of(equation.exact, places[:, i], spec) for i in range(places.shape[1])]
    return [field_of(places[:, i], jet, block.needs, equation.outputs, variables, spec) for i, jet in enumerate(jets)]


@pytest.mark.parametrize("name", EXACT)
def test_the_exact_solution_zeroes_every_block(name: str) -> None:
    equation = equations.build(name, SOFT)
    for block in equation.blocks:
        found = fields(equation, block, block.draw(generator()))
        terms = [field[term] for field in found for term in ("u", *block.needs)]
        scale = max(1.0, max(float(term.abs().max()) for term in terms))
        assert float(block.residual(*found).abs().max()) <= 1e-12 * scale, block.name


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_json_and_build_the_same_equation(name: str) -> None:
    equation = equations.build(name, {"n_interior": 33})
    again = equations.build(name, json.loads(json.dumps(equation.arguments)))
    assert again.arguments == equation.arguments
    assert [block.name for block in equation.blocks] == ["interior"]
    split = equation.test((9, 5))
    assert split.inputs.shape == (45, 2)
    assert split.targets.shape == (45, 1)
    assert torch.equal(split.inputs[1], torch.stack([equation.axes((9, 5))[0][0], equation.axes((9, 5))[1][1]]))


@pytest.mark.parametrize("name", NAMES)
def test_hard_conditions_hold_for_any_network(name: str) -> None:
    """A network with the equation's output transform zeroes the soft blocks, whatever its weights."""
    hard, soft = equations.build(name), equations.build(name, SOFT)
    assert hard.transform is not None
    periodic = [{"kind": "periodic", "input": variable, "period": period} for variable, period in hard.periods.items()]
    model = architectures.build(
        "pinn-mlp",
        {
            "layers": [2, 5, 1],
            "domain": {key: list(bounds) for key, bounds in hard.domain.items()},
            "features": [] if name == "burgers" else periodic,
            "output": {"name": hard.transform[0], "arguments": dict(hard.transform[1])},
        },
    ).double()
    for block in soft.blocks[1:]:
        if name in ("reaction", "burgers") and block.name == "periodic":
            continue  # plain inputs: periodicity of the reaction follows, that of Burgers' slope does not
        points = block.draw(generator())
        places = points.reshape(len(points), -1, 2)
        spec = jet_spec(block, ("u",), list(hard.domain))
        found = [
            field_of(
                places[:, i], reverse_jets_of(model, places[:, i], spec), block.needs, ("u",), list(hard.domain), spec
            )
            for i in range(places.shape[1])
        ]
        assert float(block.residual(*found).abs().max()) <= 1e-9, block.name


def test_cole_hopf_is_converged() -> None:
    points = torch.cartesian_prod(*equations.build("burgers").axes((33, 9)))
    values = [burgers.solution(points, nodes=nodes) for nodes in (burgers.NODES, 4001)]
    assert float((values[0] - values[1]).abs().max()) <= 1e-13


def test_allen_cahn_is_converged_in_space_and_time() -> None:
    x, t = torch.linspace(-1, 1, 65).double(), torch.tensor([0.0, 0.02, 0.1, 0.2]).double()
    shipped = allen_cahn.reference(x, t)
    for modes, steps in ((2 * allen_cahn.MODES, allen_cahn.STEPS), (allen_cahn.MODES, 2 * allen_cahn.STEPS)):
        refined = allen_cahn.reference(x, t, modes=modes, steps=steps)
        assert float((shipped - refined).abs().max()) <= 2e-9
    series = torch.from_numpy(allen_cahn.start_coefficients(20_000))
    waves = torch.cos(torch.pi * torch.outer(x, torch.arange(20_001).double()))
    assert float((waves @ series - shipped[:, 0]).abs().max()) <= 1e-4  # a kink's series falls as 1/k


def test_allen_cahn_solves_its_equation() -> None:
    """u_t of the reference by differences in time against its right-hand side by the series."""
    times = [0.098, 0.1, 0.102, 0.104, 0.106]
    found = torch.from_numpy(allen_cahn.coefficients(times))
    k = torch.pi * torch.arange(found.shape[1]).double()
    waves = torch.cos(torch.outer(torch.linspace(-1, 1, 41).double(), k))
    slope = (found[0] - 8 * found[1] + 8 * found[3] - found[4]) / (12 * 0.002)
    u = waves @ found[2]
    right = 1e-4 * (waves @ (-k * k * found[2])) + 5 * (u - u**3)
    assert float((waves @ slope - right).norm() / right.norm()) <= 1e-6


@pytest.mark.parametrize("kink", ["none", "heat", "heat-reaction"])
def test_the_kink_of_allen_cahn(kink: str) -> None:
    """The lift starts from x² cos πx, with a slope that jumps by 4 only where nothing is done about it, and both modes agree on it."""
    model = architectures.build(
        "pinn-mlp",
        {
            "layers": [2, 3, 1],
            "domain": {"x": [-1, 1], "t": [0, 1]},
            "output": {"name": "allen-cahn", "arguments": {"kink": kink}},
        },
    ).double()
    lift = model.lift
    x = torch.linspace(-1, 1, 21).double()
    start = lift(torch.stack([x, torch.zeros_like(x)], dim=1))[:, 0]  # type: ignore[operator]
    assert float((start - x * x * torch.cos(torch.pi * x)).abs().max()) <= 1e-12
    ends = torch.tensor([[-1.0, 0.3], [1.0, 0.3], [0.0, 0.3], [0.99, 0.1]]).double()
    spec = jet_spec(equations.build("allen-cahn").blocks[0], ("u",), ["x", "t"])
    jets = reverse_jets_of(lift, ends, spec)  # type: ignore[arg-type]
    torch.testing.assert_close(jets, jets_of(lift, ends, spec))  # type: ignore[arg-type]
    jump = float(jets[0, spec.position((0,)), 0] - jets[1, spec.position((0,)), 0])
    assert abs(jump - (4 if kink == "none" else 0)) <= 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_samplers_follow_the_seed_and_fill_the_box(method: str) -> None:
    domain = {"x": (-1.0, 1.0), "t": (0.0, 3.0)}
    box = Box(domain, method)  # type: ignore[arg-type]
    points = box(100, generator(3))
    assert torch.equal(points, box(100, generator(3)))
    assert not torch.equal(points, box(100, generator(4)))
    assert points.shape == (100, 2)
    assert bool(
        (points.amin(0) >= torch.tensor([-1.0, 0.0])).all() & (points.amax(0) <= torch.tensor([1.0, 3.0])).all()
    )
    counts = torch.histogram(unit_points(100, 1, method, generator(0)).flatten(), bins=10, range=(0, 1)).hist  # type: ignore[arg-type]
    assert counts.min() >= (3 if method == "uniform" else 8)


def test_faces_and_pairs() -> None:
    domain = {"x": (-1.0, 1.0), "t": (0.0, 3.0)}
    points = boundary(domain, ("x",))(7, generator())
    assert points[:, 0].tolist() == [-1.0] * 4 + [1.0] * 3
    pairs = Pairs(domain, "x")(5, generator())
    assert pairs.shape == (5, 2, 2)
    assert torch.equal(pairs[:, 0, 1], pairs[:, 1, 1])
    assert pairs[:, :, 0].tolist() == [[-1.0, 1.0]] * 5


def test_points_follow_the_residual() -> None:
    box = Box({"x": (0.0, 1.0)}, "uniform")
    points = residual_adaptive(box, lambda x: (x[:, 0] > 0.8).double(), 400, generator())
    assert len(points) == 400
    assert 0.55 < float((points > 0.8).double().mean()) < 0.65  # half by the residual, and a fifth of the others
    with pytest.raises(InputError, match="NaN or infinite at"):
        residual_adaptive(box, lambda x: torch.log(x[:, 0] - 0.5), 10, generator())


def test_bad_input() -> None:
    with pytest.raises(InputError, match=r"unknown equation 'poison'.*this version knows .*poisson"):
        equations.build("poison")
    with pytest.raises(InputError, match="n_interior"):
        equations.build("heat", {"n_interior": 0})
    with pytest.raises(InputError, match="weight"):
        equations.build("wave", {"weight": 0})
    with pytest.raises(InputError, match="unknown sampler"):
        unit_points(3, 1, "halton", generator())  # type: ignore[arg-type]


def test_an_equation_makes_a_problem() -> None:
    equation = equations.build("heat", SOFT)
    model = architectures.build("pinn-mlp", {"layers": [2, 4, 1], "domain": {"x": [0, 1], "t": [0, 1]}})
    problem = make_problem(equation, model, seed=1)
    assert {name: len(points) for name, points in problem.points.items()} == {
        "interior": 64,
        "initial": 8,
        "boundary": 8,
    }
    assert not torch.equal(problem.points["interior"], problem.fresh["interior"])
