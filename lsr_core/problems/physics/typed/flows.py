"""Steady flows as rows of a typed equation: velocity (u, v) and pressure p, at a Reynolds number that is a constant called re."""

from __future__ import annotations

from typing import Any

REYNOLDS = {"re": 100.0}


def motion(points: int) -> list[dict[str, Any]]:
    """The equations of Navier and Stokes in a plane."""
    return [
        {"equation": "u*u_x + v*u_y + p_x = laplace(u)/re", "points": points, "name": "along x"},
        {"equation": "u*v_x + v*v_y + p_y = laplace(v)/re", "points": points, "name": "along y"},
        {"equation": "u_x + v_y = 0", "points": points, "name": "volume"},
    ]


def given(where: str, points: int, **values: str) -> list[dict[str, Any]]:
    """Conditions on values, which weigh a hundred times what the equations do."""
    return [
        {"where": where, "equation": f"{name} = {value}", "points": points, "weight": 100.0}
        for name, value in values.items()
    ]


CAVITY: dict[str, Any] = {
    "title": "Flow under a lid that moves with 4x(1 - x)",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0)},
    "outputs": ["u", "v", "p"],
    "constants": REYNOLDS,
    "equations": motion(2000),
    "conditions": [
        *given("y = 1", 300, u="4*x*(1 - x)", v="0"),
        *given("x = 0, x = 1, y = 0", 500, u="0", v="0"),
        {"where": "x = 0 and y = 0", "equation": "p = 0", "points": 1},
    ],
}
