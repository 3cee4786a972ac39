"""Equations whose solution is known outside the run: some are solved, some are not, and some do not settle their field."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.validation import checked

Truth = Callable[[np.ndarray], np.ndarray]
Made = tuple[PhysicsProblem, dict[str, Any], Truth]


def typed(
    index: int, arguments: Mapping[str, Any], truth: Truth, *, scale: Mapping[str, float] | None = None, **settings: Any
) -> Made:
    """A problem on an untrained network, with settings for `refine`; the seed follows from the index."""
    network = {"seed": index, **({"scale": dict(scale)} if scale else {})}
    problem = problem_of(checked(TypedArguments, dict(arguments)), checked(StartingNetwork, network))
    return problem, {"max_rank": 200, **settings}, truth


def one(text: str, points: int = 600) -> list[dict[str, Any]]:
    return [{"equation": text, "points": points}]


def at(where: str, text: str, points: int = 200) -> dict[str, Any]:
    return {"where": where, "equation": text, "points": points}


def ode(right: Callable[[float, Sequence[float]], list[float]], start: list[float], end: float) -> Truth:
    found = solve_ivp(right, (0, end), start, method="Radau", rtol=1e-10, atol=1e-12, dense_output=True)
    return lambda points: found.sol(points[:, 0]).T


def convection(index: int, beta: float, **settings: Any) -> Made:
    """u_t + β u_x = 0 with a sine that travels."""
    arguments = {
        "inputs": {"x": [0, 2 * math.pi], "t": [0, 1]}, "constants": {"beta": beta}, "equations": one("u_t + beta*u_x = 0", 1200),
        "conditions": [at("t = 0", "u = sin(x)"), at("x periodic", "u")],
    }  # fmt: skip
    return typed(index, arguments, lambda p: np.sin(p[:, :1] - beta * p[:, 1:]), **settings)


def reaction(index: int, rho: float, **settings: Any) -> Made:
    """u_t = ρ u (1 − u), which has the roots 0 and 1 beside the solution."""
    bump = "exp(-(x - pi)^2 / (2*(pi/4)^2))"
    arguments = {
        "inputs": {"x": [0, 2 * math.pi], "t": [0, 1]}, "constants": {"rho": rho}, "equations": one("u_t = rho*u*(1 - u)", 1200),
        "conditions": [at("t = 0", f"u = {bump}"), at("x periodic", "u")],
    }  # fmt: skip

    def truth(points: np.ndarray) -> np.ndarray:
        start = np.exp(-((points[:, :1] - np.pi) ** 2) / (2 * (np.pi / 4) ** 2))
        grown = start * np.exp(rho * points[:, 1:])
        return grown / (grown + 1 - start)

    return typed(index, arguments, truth, scale={"x": 4, "t": 2}, gauss_newton=10, **settings)


def epidemic(index: int, rate: float, end: float) -> Made:
    """Susceptible, infected and recovered over `end` days counted as one; grows from half a percent."""
    beta, gamma = end * rate, end / 4
    arguments = {
        "inputs": {"t": [0, 1]}, "outputs": ["s", "i", "r"],
        "equations": [*one(f"s_t = -{beta}*i*s", 300), *one(f"i_t = {beta}*i*s - {gamma}*i", 300), *one(f"r_t = {gamma}*i", 300)],
        "conditions": [at("t = 0", "s = 0.995", 1), at("t = 0", "i = 0.005", 1), at("t = 0", "r = 0", 1)],
    }  # fmt: skip
    truth = ode(
        lambda t, y: [-beta * y[1] * y[0], beta * y[1] * y[0] - gamma * y[1], gamma * y[1]], [0.995, 0.005, 0], 1
    )
    return typed(index, arguments, truth, gauss_newton=10)


def lorenz(index: int, end: float) -> Made:
    arguments = {
        "inputs": {"t": [0, end]}, "outputs": ["x", "y", "z"],
        "equations": [*one("x_t = 10*(y-x)", 400), *one("y_t = x*(28-z)-y", 400), *one("z_t = x*y-8/3*z", 400)],
        "conditions": [at("t = 0", "x = -8", 1), at("t = 0", "y = 7", 1), at("t = 0", "z = 27", 1)],
    }  # fmt: skip
    truth = ode(
        lambda t, y: [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]], [-8, 7, 27], end
    )
    return typed(index, arguments, truth, gauss_newton=10)


def stiff(index: int, mu: float) -> Made:
    """Van der Pol."""
    end = 2 * mu
    arguments = {
        "inputs": {"t": [0, end]}, "equations": one(f"u_tt = {mu}*(1-u^2)*u_t - u", 800),
        "conditions": [at("t = 0", "u = 2", 1), {**at("t = 0", "u_t = 0", 1), "name": "speed"}],
    }  # fmt: skip
    truth = ode(lambda t, y: [y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]], [2, 0], end)
    return typed(index, arguments, lambda p: truth(p)[:, :1], gauss_newton=10)


def well(index: int, waves: int) -> Made:
    """u'' + (kπ)² u = 0, zero at both ends: any multiple of a sine solves it."""
    energy = (waves * math.pi) ** 2
    arguments = {
        "inputs": {"x": [0, 1]}, "equations": one(f"u_xx + {energy!r}*u = 0", 400), "conditions": [at("x = 0, x = 1", "u = 0", 2)],
    }  # fmt: skip
    return typed(index, arguments, lambda p: math.sqrt(2) * np.sin(waves * np.pi * p[:, :1]))


def one_end(index: int, waves: int) -> Made:
    """u'' = f with a value at one end only."""
    arguments = {
        "inputs": {"x": [0, 1]}, "equations": one(f"u_xx = -({waves}*pi)^2*sin({waves}*pi*x)", 400),
        "conditions": [at("x = 0", "u = 0", 1)],
    }  # fmt: skip
    return typed(index, arguments, lambda p: np.sin(waves * np.pi * p[:, :1]))


def slopes_only(index: int, waves: int) -> Made:
    """Poisson's equation with slopes all around: a constant is free."""
    load = f"-2*({waves}*pi)^2*cos({waves}*pi*x)*cos({waves}*pi*y)"
    arguments = {
        "inputs": {"x": [0, 1], "y": [0, 1]}, "equations": one(f"u_xx + u_yy = {load}", 900),
        "conditions": [at("x = 0, x = 1", "u_x = 0"), at("y = 0, y = 1", "u_y = 0")],
    }  # fmt: skip
    return typed(index, arguments, lambda p: 1 + np.cos(waves * np.pi * p[:, :1]) * np.cos(waves * np.pi * p[:, 1:]))


def two_materials(index: int, place: float, low: float, high: float) -> Made:
    """k(y) u'' = 0 with a flux above: as it is written, no row knows of the jump in k."""
    arguments = {
        "inputs": {"x": [0, 1], "y": [0, 1]}, "constants": {"ka": high, "kb": low},
        "equations": one(f"(kb + (ka-kb)*step(y-{place}))*(u_xx + u_yy) = 0", 900),
        "conditions": [at("y = 0", "u = 1"), at("y = 1", f"ka*u_y = {high}"), at("x = 0, x = 1", "u_x = 0")],
    }  # fmt: skip

    def truth(points: np.ndarray) -> np.ndarray:
        y = points[:, 1:]
        return np.where(y < place, 1 + high / low * y, 1 + high / low * place + (y - place))

    return typed(index, arguments, truth)


def poisson(index: int, waves: int, **settings: Any) -> Made:
    load = f"-2*({waves}*pi)^2*sin({waves}*pi*x)*sin({waves}*pi*y)"
    arguments = {
        "inputs": {"x": [0, 1], "y": [0, 1]}, "equations": one(f"u_xx + u_yy = {load}", 900), "conditions": [at("boundary", "u = 0")],
    }  # fmt: skip
    return typed(
        index, arguments, lambda p: np.sin(waves * np.pi * p[:, :1]) * np.sin(waves * np.pi * p[:, 1:]), **settings
    )


def heat(index: int, rate: float) -> Made:
    arguments = {
        "inputs": {"x": [0, 1], "t": [0, 1]}, "constants": {"k": rate}, "equations": one("u_t = k*u_xx", 900),
        "conditions": [at("t = 0", "u = sin(pi*x)"), at("x = 0, x = 1", "u = 0")],
    }  # fmt: skip
    return typed(index, arguments, lambda p: np.exp(-rate * np.pi**2 * p[:, 1:]) * np.sin(np.pi * p[:, :1]))


def oscillator(index: int, speed: float) -> Made:
    arguments = {
        "inputs": {"t": [0, 1]}, "equations": one(f"u_tt + {speed}^2*u = 0", 400),
        "conditions": [at("t = 0", "u = 1", 1), {**at("t = 0", "u_t = 0", 1), "name": "speed"}],
    }  # fmt: skip
    return typed(index, arguments, lambda p: np.cos(speed * p[:, :1]))


def field_error(problem: PhysicsProblem, predict: Callable[[Tensor], Tensor], truth: Truth) -> float:
    """Relative L2 error of the output that is worst, on a grid."""
    axes = [np.linspace(low, high, 401 if len(problem.domain) == 1 else 41) for low, high in problem.domain.values()]
    points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    wanted = truth(points)
    found = predict(torch.from_numpy(points)).detach().numpy().reshape(wanted.shape)
    return float((np.linalg.norm(found - wanted, axis=0) / np.linalg.norm(wanted, axis=0)).max())
