"""Steady flows of PINNacle: velocity and pressure, viscosity 1/100.

At the outflow PINNacle gives the pressure alone, which leaves the velocity there open; here the flow leaves straight on, v = 0.
"""

from __future__ import annotations

from typing import Any


def _motion(points: int) -> list[dict[str, Any]]:
    return [
        {"equation": "u*u_x + v*u_y + p_x = laplace(u)/100", "points": points, "name": "along x"},
        {"equation": "u*v_x + v*v_y + p_y = laplace(v)/100", "points": points, "name": "along y"},
        {"equation": "u_x + v_y = 0", "points": points, "name": "volume"},
    ]


def _given(where: str, points: int, **values: str) -> list[dict[str, Any]]:
    return [
        {"where": where, "equation": f"{name} = {value}", "points": points, "weight": 100.0}
        for name, value in values.items()
    ]


LID: dict[str, Any] = {
    "title": "Flow under a lid that moves with 4x(1 - x)",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0)},
    "outputs": ["u", "v", "p"],
    "equations": _motion(2000),
    "conditions": [
        *_given("y = 1", 300, u="4*x*(1 - x)", v="0"),
        *_given("x = 0, x = 1, y = 0", 500, u="0", v="0"),
        {"where": "x = 0 and y = 0", "equation": "p = 0", "points": 1},
    ],
}

STEP: dict[str, Any] = {
    "title": "Flow behind a step",
    "inputs": {"x": (0.0, 4.0), "y": (0.0, 2.0)},
    "outputs": ["u", "v", "p"],
    "shapes": {"block": "box(0, 2, 1, 2)"},
    "domain": "box - block",
    "equations": _motion(2500),
    "conditions": [
        *_given("x = 0", 200, u="4*y*(1 - y)", v="0"),
        *_given("x = 4", 200, p="0", v="0"),
        *_given("boundary and x > 0 and x < 4", 800, u="0", v="0"),
    ],
}
