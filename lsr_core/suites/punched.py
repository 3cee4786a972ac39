"""Linear equations of PINNacle on domains with holes."""

from __future__ import annotations

from typing import Any

HOLES: dict[str, Any] = {
    "title": "Laplace on a square with four holes",
    "inputs": {"x": (-0.5, 0.5), "y": (-0.5, 0.5)},
    "shapes": {
        "a": "disk(-0.3, -0.3, 0.1)",
        "b": "disk(-0.3, 0.3, 0.1)",
        "c": "disk(0.3, -0.3, 0.1)",
        "d": "disk(0.3, 0.3, 0.1)",
    },
    "domain": "box - a - b - c - d",
    "equations": [{"equation": "u_xx + u_yy = 0", "points": 4000}],
    "conditions": [
        {"where": "x = -0.5, x = 0.5, y = -0.5, y = 0.5", "equation": "u = 1", "points": 800, "weight": 100.0},
        {"where": "a, b, c, d", "equation": "u = 0", "points": 800, "weight": 100.0},
    ],
}

BOLTZMANN: dict[str, Any] = {
    "title": "Poisson-Boltzmann on a square with four holes",
    "inputs": {"x": (-1.0, 1.0), "y": (-1.0, 1.0)},
    "shapes": {
        "a": "disk(0.5, 0.5, 0.2)",
        "b": "disk(0.4, -0.4, 0.4)",
        "c": "disk(-0.2, -0.7, 0.1)",
        "d": "disk(-0.6, 0.5, 0.3)",
    },
    "domain": "box - a - b - c - d",
    "equations": [{"equation": "64*u - laplace(u) = 10*(17 + x^2 + y^2)*sin(pi*x)*sin(4*pi*y)", "points": 6000}],
    "conditions": [
        {"where": "x = -1, x = 1, y = -1, y = 1", "equation": "u = 0.2", "points": 1000, "weight": 1e4},
        {"where": "a, b, c, d", "equation": "u = 1", "points": 1200, "weight": 1e4},
    ],
}

_CUBE = (
    "20*exp(sin(pi*x) + sin(10*pi*y) + sin(5*pi*z))*(x^2 + y^2 + z^2 - 1)/(x^2 + y^2 + z^2 + 1)"
    " + 100*sin(pi*x)*sin(10*pi*y)*sin(5*pi*z)"
)
BALLS: dict[str, Any] = {
    "title": "A cube with four balls cut out",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0), "z": (0.0, 1.0)},
    "shapes": {
        "a": "ball(0.4, 0.3, 0.6, 0.2)",
        "b": "ball(0.6, 0.7, 0.6, 0.2)",
        "c": "ball(0.2, 0.8, 0.7, 0.1)",
        "d": "ball(0.6, 0.2, 0.3, 0.1)",
    },
    "domain": "box - a - b - c - d",
    "equations": [
        {"where": "z < 0.5", "equation": f"64*u - laplace(u) = {_CUBE}", "points": 3500, "name": "below"},
        {"where": "z > 0.5", "equation": f"100*u - laplace(u) = {_CUBE}", "points": 3500, "name": "above"},
    ],
    "conditions": [{"where": "boundary", "equation": "dn(u) = 0", "points": 2000}],
}

_LARGE = [(x, y) for x in (-4, 4) for y in (-9, -3, 3, 9)] + [(0, y) for y in (-6, 0, 6)]
_SMALL = [(x, y) for x in (-3.2, 3.2) for y in (-6, 0, 6)]
_PIPES = {
    **{f"a{place}": f"disk({x}, {y}, 1)" for place, (x, y) in enumerate(_LARGE)},
    **{f"b{place}": f"disk({x}, {y}, 0.4)" for place, (x, y) in enumerate(_SMALL)},
}
PIPES: dict[str, Any] = {
    "title": "Heat between 17 pipes; t is the square root of the time, in which the field is smooth at its start",
    "inputs": {"x": (-8.0, 8.0), "y": (-12.0, 12.0), "t": (0.0, 1.7320508075688772)},
    "shapes": _PIPES,
    "domain": " - ".join(["box", *_PIPES]),
    "equations": [{"equation": "u_t = 2*t*laplace(u)", "points": 6000}],
    "conditions": [
        {"where": "t = 0", "equation": "u = 0", "points": 1000},
        {"where": ", ".join(name for name in _PIPES if name[0] == "a"), "equation": "dn(u) = 5 - u", "points": 1500},
        {"where": ", ".join(name for name in _PIPES if name[0] == "b"), "equation": "dn(u) = 1 - u", "points": 600},
        {"where": "x = -8, x = 8, y = -12, y = 12", "equation": "dn(u) = 0.1 - u", "points": 1000},
    ],
}
