"""Steady flows of PINNacle: velocity and pressure, viscosity 1/100.

At the outflow PINNacle gives the pressure alone, which leaves the velocity there open; here the flow leaves straight on, v = 0.
"""

from __future__ import annotations

from typing import Any

from lsr_core.problems.physics.typed.flows import REYNOLDS, given, motion

STEP: dict[str, Any] = {
    "title": "Flow behind a step",
    "inputs": {"x": (0.0, 4.0), "y": (0.0, 2.0)},
    "outputs": ["u", "v", "p"],
    "constants": REYNOLDS,
    "shapes": {"block": "box(0, 2, 1, 2)"},
    "domain": "box - block",
    "equations": motion(2500),
    "conditions": [
        *given("x = 0", 200, u="4*y*(1 - y)", v="0"),
        *given("x = 4", 200, p="0", v="0"),
        *given("boundary and x > 0 and x < 4", 800, u="0", v="0"),
    ],
}
