"""Forty equations whose answer is known: solved, another root, several solutions, too few conditions, not resolved; eight of each.

Of each kind the first four were looked at while the rules were written; the others changed nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _typed import Truth, at, ode, one

from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.refinement.summary import Limit
from lsr_core.validation import checked

TUNED = 4
SOLVED: frozenset[Limit] = frozenset({"conditioning", "unfinished"})
NOT_SOLVED: frozenset[Limit] = frozenset({"unsolved", "undetermined"})
UNDETERMINED: frozenset[Limit] = frozenset({"undetermined"})
UNSOLVED: frozenset[Limit] = frozenset({"unsolved"})


@dataclass(frozen=True)
class Case:
    """An equation, and what is right to say of it.

    Attributes:
        limits: verdicts that name it rightly.
        truth: the solution that is wanted (n, o) at points (n, d); never shown to the run.
    """

    kind: str
    index: int
    name: str
    problem: PhysicsProblem
    settings: dict[str, Any]
    limits: frozenset[Limit]
    truth: Truth

    @property
    def tuned(self) -> bool:
        return self.index < TUNED


@dataclass(frozen=True)
class Text:
    """What is written, and how it is refined."""

    name: str
    inputs: dict[str, Sequence[float]]
    equations: list[dict[str, Any]]
    conditions: list[dict[str, Any]]
    truth: Truth
    outputs: Sequence[str] = ("u",)
    steps: int = 0
    rank: int = 100
    shift: float = 0.0
    scale: float = 2.0
    widths: Sequence[int] = (24, 24)
    more: dict[str, Any] = field(default_factory=dict)


def forty(kinds: Sequence[str] | None = None) -> Iterator[Case]:
    """All of them, made one after the other."""
    for kind, (limits, texts) in KINDS.items():
        if kinds is not None and kind not in kinds:
            continue
        for index, text in enumerate(texts):
            arguments = {
                "inputs": text.inputs, "outputs": list(text.outputs), "equations": text.equations, "conditions": text.conditions, **text.more,
            }  # fmt: skip
            start = StartingNetwork(widths=list(text.widths), scale=text.scale, seed=index)
            made = problem_of(checked(TypedArguments, arguments), start)
            if text.shift:
                made.model.linears[-1].bias.data += text.shift  # type: ignore[union-attr, operator]
            settings = {"max_rank": text.rank, **({"gauss_newton": text.steps} if text.steps else {})}
            yield Case(kind, index, text.name, made, settings, limits, text.truth)


LINE = {"x": [0, 1]}
TIME = {"t": [0, 1]}
SQUARE = {"x": [0, 1], "y": [0, 1]}
STRIP = {"x": [0, 1], "t": [0, 1]}


def ends(low: str, high: str) -> list[dict[str, Any]]:
    return [at("x = 0", low, 1), {**at("x = 1", high, 1), "name": "end"}]


def bratu(lam: float, branch: int) -> Truth:
    """u'' + λ e^u = 0, zero at both ends: 2 ln(cosh(θ/4)/cosh((x − ½) θ/2)) with θ = √(2λ) cosh(θ/4), of which there are two below 3.51."""
    from scipy.optimize import brentq

    def gap(theta: float) -> float:
        return theta - math.sqrt(2 * lam) * math.cosh(theta / 4)

    theta = brentq(gap, *((0.0, 4.8) if branch == 0 else (4.8, 60.0)))
    return lambda p: 2 * np.log(np.cosh(theta / 4) / np.cosh((p[:, :1] - 0.5) * theta / 2))


def wave_1d(c: float, k: float) -> Truth:
    return lambda p: np.sin(k * np.pi * p[:, :1]) * np.cos(c * k * np.pi * p[:, 1:2])


SOLVED_ONES = (
    Text("Poisson on a line", LINE, one("u_xx = -pi^2*sin(pi*x)", 200), ends("u = 0", "u = 0"), lambda p: np.sin(np.pi * p[:, :1])),
    Text("logistic growth", TIME, one("u_t = 3*u*(1 - u)", 200), [at("t = 0", "u = 0.2", 1)],
         lambda p: 0.2 * np.exp(3 * p) / (0.2 * np.exp(3 * p) + 0.8), steps=10),
    Text("heat", STRIP, one("u_t = 0.1*u_xx", 500), [at("t = 0", "u = sin(pi*x)", 100), at("x = 0, x = 1", "u = 0", 100)],
         lambda p: np.exp(-0.1 * np.pi**2 * p[:, 1:]) * np.sin(np.pi * p[:, :1])),
    Text("Poisson on a square", SQUARE, one("u_xx + u_yy = -2*pi^2*sin(pi*x)*sin(pi*y)", 500), [at("boundary", "u = 0", 200)],
         lambda p: np.sin(np.pi * p[:, :1]) * np.sin(np.pi * p[:, 1:]), rank=200),
    Text("oscillator", {"t": [0, 6]}, one("u_tt + 4*u = 0", 300), [at("t = 0", "u = 1", 1), {**at("t = 0", "u_t = 0", 1), "name": "speed"}],
         lambda p: np.cos(2 * p), scale=4.0),
    Text("quadratic sink", LINE, one("u_xx = u^2 + 2 - x^2*(1 - x)^2*1", 200), ends("u = 0", "u = 0"),
         lambda p: _numeric_sink(p), steps=10),
    Text("travelling front of Burgers", STRIP, one("u_t + u*u_x = 0.1*u_xx", 600),
         [at("t = 0", "u = 0.5 - 0.5*tanh((x - 0.3)/0.4)", 100), at("x = 0", "u = 0.5 - 0.5*tanh((-0.3 - 0.5*t)/0.4)", 60),
          {**at("x = 1", "u = 0.5 - 0.5*tanh((0.7 - 0.5*t)/0.4)", 60), "name": "right"}],
         lambda p: 0.5 - 0.5 * np.tanh((p[:, :1] - 0.3 - 0.5 * p[:, 1:]) / 0.4), steps=12),
    Text("two species", {"t": [0, 2]}, [*one("a_t = a*(1 - b)", 200), *one("b_t = b*(a - 1)", 200)],
         [at("t = 0", "a = 1.5", 1), {**at("t = 0", "b = 0.8", 1), "name": "second"}],
         ode(lambda t, y: [y[0] * (1 - y[1]), y[1] * (y[0] - 1)], [1.5, 0.8], 2), outputs=("a", "b"), steps=12),
)  # fmt: skip


def _numeric_sink(points: np.ndarray) -> np.ndarray:
    from scipy.integrate import solve_bvp

    x = np.linspace(0, 1, 41)
    found = solve_bvp(
        lambda x, y: [y[1], y[0] ** 2 + 2 - x**2 * (1 - x) ** 2],
        lambda a, b: [a[0], b[0]],
        x,
        np.zeros((2, 41)),
        tol=1e-10,
    )
    return found.sol(points[:, 0])[0][:, None]


WRONG_ROOTS = (
    Text("Bratu, the upper branch is wanted", LINE, one("u_xx + 2*exp(u) = 0", 200), ends("u = 0", "u = 0"), bratu(2, 1), steps=12),
    Text("Bratu, the lower branch is wanted", LINE, one("u_xx + 2*exp(u) = 0", 200), ends("u = 0", "u = 0"), bratu(2, 0), steps=15, shift=4.0),
    Text("a start on the unstable root", TIME, one("u_t = 25*u*(1 - u)", 120), [at("t = 0", "u = 0.001", 1)],
         lambda p: 0.001 * np.exp(25 * p) / (0.001 * np.exp(25 * p) + 0.999), steps=10),
    Text("slopes of either sign", LINE, one("u_x^2 = 4", 200), [at("x = 0", "u = 0", 1)], lambda p: -2 * p, steps=12, shift=2.0),
    Text("Bratu with a weak source", LINE, one("u_xx + 1*exp(u) = 0", 200), ends("u = 0", "u = 0"), bratu(1, 1), steps=12),
    Text("reaction with another rate", TIME, one("u_t = 20*u*(1 - u)", 120), [at("t = 0", "u = 0.002", 1)],
         lambda p: 0.002 * np.exp(20 * p) / (0.002 * np.exp(20 * p) + 0.998), steps=10),
    Text("square root of a known square", LINE, one("u*u_x = 1 + x", 200), [at("x = 0", "u^2 = 1", 1)], lambda p: -(1 + p), steps=12, shift=2.0),
    Text("pendulum over the top", TIME, one("u_tt + 40*sin(u) = 0", 200), [at("t = 0", "u = 0", 1), {**at("t = 1", "u = 0", 1), "name": "end"}],
         lambda p: _pendulum(p), steps=12),
)  # fmt: skip


def _pendulum(points: np.ndarray) -> np.ndarray:
    """The swing of one half period that is 0 at both ends; 0 all over is another."""
    from scipy.integrate import solve_ivp
    from scipy.optimize import brentq

    def swing(speed: float, times: np.ndarray) -> np.ndarray:
        return solve_ivp(
            lambda t, y: [y[1], -40 * math.sin(y[0])], (0, 1), [0, speed], rtol=1e-10, atol=1e-12, t_eval=times
        ).y[0]

    speed = brentq(lambda s: swing(s, np.array([1.0]))[0], 11.0, 12.6)
    order = np.argsort(points[:, 0])
    values = np.empty(len(points))
    values[order] = swing(speed, points[order, 0])
    return values[:, None]


NON_UNIQUE = (
    Text("a well at its own frequency", LINE, one("u_xx + pi^2*u = 0", 200), ends("u = 0", "u = 0"), lambda p: np.sin(np.pi * p)),
    Text("slopes all around", SQUARE, one("u_xx + u_yy = -2*pi^2*cos(pi*x)*cos(pi*y)", 500),
         [at("x = 0, x = 1", "u_x = 0", 100), at("y = 0, y = 1", "u_y = 0", 100)],
         lambda p: 1 + np.cos(np.pi * p[:, :1]) * np.cos(np.pi * p[:, 1:]), rank=200),
    Text("slopes at both ends", LINE, one("u_xx = -pi^2*cos(pi*x)", 200), ends("u_x = 0", "u_x = 0"), lambda p: 2 + np.cos(np.pi * p)),
    Text("pressure without a level", LINE, [*one("u_x = 0", 100), *one("p_x = u - 1", 100)], [at("x = 0", "u = 1", 1)],
         lambda p: np.concatenate([1 + 0 * p, 3 + 0 * p], axis=1), outputs=("u", "p")),
    Text("a well at its third frequency", LINE, one("u_xx + 9*pi^2*u = 0", 200), ends("u = 0", "u = 0"), lambda p: np.sin(3 * np.pi * p)),
    Text("a circle", {"x": [0, 6.283185307179586]}, one("u_xx = sin(x)", 200), [at("x periodic", "u, u_x", 1)], lambda p: 1 - np.sin(p)),
    Text("two unknowns, one equation between them", TIME, one("a_t + b_t = 1", 200),
         [at("t = 0", "a = 0", 1), {**at("t = 0", "b = 0", 1), "name": "second"}],
         lambda p: np.concatenate([p / 2, p / 2], axis=1) + np.concatenate([p**2, -(p**2)], axis=1), outputs=("a", "b")),
    Text("a beam that floats", LINE, one("u_xxxx = cos(2*pi*x)", 200),
         [at("x = 0, x = 1", "u_xx = 0", 2), {**at("x = 0, x = 1", "u_xxx = 0", 2), "name": "shear"}],
         lambda p: 1 + (np.cos(2 * np.pi * p) / (2 * np.pi) ** 4)),
)  # fmt: skip
FEW = (
    Text("one end only", LINE, one("u_xx = -pi^2*sin(pi*x)", 200), [at("x = 0", "u = 0", 1)], lambda p: np.sin(np.pi * p)),
    Text("heat without ends", STRIP, one("u_t = 0.1*u_xx", 500), [at("t = 0", "u = sin(pi*x)", 100)],
         lambda p: np.exp(-0.1 * np.pi**2 * p[:, 1:]) * np.sin(np.pi * p[:, :1])),
    Text("wave without a speed", STRIP, one("u_tt = u_xx", 500), [at("t = 0", "u = sin(pi*x)", 100), at("x = 0, x = 1", "u = 0", 100)],
         wave_1d(1, 1)),
    Text("nothing but an equation", SQUARE, one("u_xx + u_yy = 1", 400), [], lambda p: (p[:, :1] ** 2 + p[:, 1:] ** 2) / 4),
    Text("a beam held at its ends alone", LINE, one("u_xxxx = 1", 200), ends("u = 0", "u = 0"), lambda p: p**2 * (1 - p) ** 2 / 24),
    Text("a nonlinear one without a start", TIME, one("u_t = u*(1 - u)", 200), [], lambda p: 1 / (1 + np.exp(-p)), steps=8),
    Text("Laplace with three sides", SQUARE, one("u_xx + u_yy = 0", 500), [at("x = 0, x = 1", "u = 0", 100), at("y = 0", "u = sin(pi*x)", 100)],
         lambda p: np.sin(np.pi * p[:, :1]) * np.sinh(np.pi * (1 - p[:, 1:])) / math.sinh(math.pi)),
    Text("advection without an inflow", STRIP, one("u_t + 2*u_x = 0", 500), [at("t = 0", "u = sin(pi*x)", 100)],
         lambda p: np.sin(np.pi * (p[:, :1] - 2 * p[:, 1:]))),
)  # fmt: skip


def convection(beta: float) -> Text:
    return Text(f"convection, speed {beta:g}", {"x": [0, 2 * math.pi], "t": [0, 1]}, one(f"u_t + {beta}*u_x = 0", 600),
                [at("t = 0", "u = sin(x)", 100), at("x periodic", "u", 100)], lambda p: np.sin(p[:, :1] - beta * p[:, 1:]))  # fmt: skip


def epidemic(rate: float, end: float) -> Text:
    b, g = end * rate, end / 4
    return Text(f"epidemic over {end:g} days", TIME,
                [*one(f"s_t = -{b}*i*s", 150), *one(f"i_t = {b}*i*s - {g}*i", 150)],
                [at("t = 0", "s = 0.995", 1), {**at("t = 0", "i = 0.005", 1), "name": "second"}],
                ode(lambda t, y: [-b * y[1] * y[0], b * y[1] * y[0] - g * y[1]], [0.995, 0.005], 1), outputs=("s", "i"), steps=8)  # fmt: skip


def lorenz(end: float) -> Text:
    return Text(f"Lorenz to {end:g}", {"t": [0, end]}, [*one("x_t = 10*(y-x)", 150), *one("y_t = x*(28-z)-y", 150), *one("z_t = x*y-8/3*z", 150)],
                [at("t = 0", "x = -8", 1), {**at("t = 0", "y = 7", 1), "name": "b"}, {**at("t = 0", "z = 27", 1), "name": "c"}],
                ode(lambda t, y: [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]], [-8, 7, 27], end),
                outputs=("x", "y", "z"), steps=8)  # fmt: skip


def oscillator(end: float) -> Text:
    return Text(f"oscillator to {end:g}", {"t": [0, end]}, one("u_tt + 4*u = 0", 300),
                [at("t = 0", "u = 1", 1), {**at("t = 0", "u_t = 0", 1), "name": "speed"}], lambda p: np.cos(2 * p))  # fmt: skip


def helmholtz(k: float) -> Text:
    return Text(f"Helmholtz, {k:g} half waves", SQUARE, one(f"u_xx + u_yy + u = (1 - 2*{k}^2*pi^2)*sin({k}*pi*x)*sin({k}*pi*y)", 500),
                [at("boundary", "u = 0", 200)], lambda p: np.sin(k * np.pi * p[:, :1]) * np.sin(k * np.pi * p[:, 1:]))  # fmt: skip


UNRESOLVED = (
    convection(50), epidemic(0.8, 60), oscillator(100), helmholtz(12), convection(70), lorenz(2), oscillator(150), helmholtz(15),
)  # fmt: skip
KINDS: dict[str, tuple[frozenset[Limit], tuple[Text, ...]]] = {
    "solved": (SOLVED, SOLVED_ONES),
    "wrong root": (NOT_SOLVED, WRONG_ROOTS),
    "non-unique": (UNDETERMINED, NON_UNIQUE),
    "too few conditions": (UNDETERMINED, FEW),
    "not resolved": (UNSOLVED, UNRESOLVED),
}
