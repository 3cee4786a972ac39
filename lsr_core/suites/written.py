"""Equations of both suites, written out."""

from __future__ import annotations

from typing import Any

TWO_PI = 6.283185307179586


def poisson_nd(dimensions: int, points: int) -> dict[str, Any]:
    """Δu = −(π²/4) Σ sin(π xᵢ/2) on the unit cube, solved by Σ sin(π xᵢ/2), which is given on the boundary."""
    names = [f"x{index}" for index in range(dimensions)]
    total = " + ".join(f"sin(pi*{name}/2)" for name in names)
    return {
        "title": f"Poisson in {dimensions} dimensions",
        "inputs": dict.fromkeys(names, (0.0, 1.0)),
        "equations": [{"equation": f"laplace(u) = -pi^2/4*({total})", "points": points}],
        "conditions": [{"where": "boundary", "equation": f"u = {total}", "points": points, "weight": 100.0}],
        "solution": {"u": total},
    }


KDV: dict[str, Any] = {
    "title": "Korteweg-de Vries, 0.022",
    "inputs": {"x": (-1.0, 1.0), "t": (0.0, 1.0)},
    "equations": [{"equation": "u_t + u*u_x + 0.022^2*u_xxx = 0", "points": 4000}],
    "conditions": [
        {"where": "t = 0", "equation": "u = cos(pi*x)"},
        {"where": "x periodic", "equation": "u, u_x, u_xx"},
    ],
}

KURAMOTO_SIVASHINSKY: dict[str, Any] = {
    "title": "Kuramoto-Sivashinsky to t = 1",
    "inputs": {"x": (0.0, TWO_PI), "t": (0.0, 1.0)},
    "equations": [{"equation": "u_t + 100/16*u*u_x + 100/256*u_xx + 100/65536*u_xxxx = 0", "points": 4000}],
    "conditions": [
        {"where": "t = 0", "equation": "u = cos(x)*(1 + sin(x))"},
        {"where": "x periodic", "equation": "u, u_x, u_xx, u_xxx"},
    ],
}

CAVITY: dict[str, Any] = {
    "title": "Lid-driven cavity, Re 100, by its stream function",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0)},
    "outputs": ["s"],
    "equations": [
        {
            "equation": "s_y*(s_xxx + s_xyy) - s_x*(s_xxy + s_yyy) = (s_xxxx + 2*s_xxyy + s_yyyy)/100",
            "points": 4000,
            "weight": 1e-4,
        }
    ],
    "conditions": [
        {"where": "boundary", "equation": "s = 0", "points": 800},
        {"where": "y = 1", "equation": "s_y = 1", "name": "lid"},
        {"where": "y = 0", "equation": "s_y = 0", "name": "floor"},
        {"where": "x = 0, x = 1", "equation": "s_x = 0", "name": "sides"},
    ],
}

_SQUARE = " + ".join(f"x{index}^2" for index in range(5))
HEAT_BALL: dict[str, Any] = {
    "title": "Heat in the ball of five dimensions",
    "inputs": {**{f"x{index}": (-1.0, 1.0) for index in range(5)}, "t": (0.0, 1.0)},
    "shapes": {"ball5": "ball(0, 0, 0, 0, 0, 1)"},
    "domain": "ball5",
    "equations": [{"equation": f"u_t = laplace(u)/5 - ({_SQUARE})/5*exp(({_SQUARE})/2 + t)", "points": 6000}],
    "conditions": [
        {"where": "t = 0", "equation": f"u = exp(({_SQUARE})/2)", "points": 3000},
        {"where": "boundary", "equation": "dn(u) = exp(1/2 + t)", "points": 3000},
    ],
    "solution": {"u": f"exp(({_SQUARE})/2 + t)"},
}
