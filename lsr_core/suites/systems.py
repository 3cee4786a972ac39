"""`systems`: ordinary differential equations that are long in time or stiff, which windows of time are for.

No figures are published for these by networks that are not given data; a classical method is faster, and is what errors are measured against.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from lsr_core.problems.physics.typed.expressions import expression
from lsr_core.problems.splits import Split
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.references import REFERENCES

TIMES = 2001  # at which errors are measured
TOLERANCE = 3e-13


class System(NamedTuple):
    """y' = f(y) on [0, end]; a state u_t beside u makes an equation of second order.

    Attributes:
        start: of the states.
        slopes: right-hand sides, by state.
        reference_error: by how much Radau's method at `TOLERANCE` differs from itself at ten times that, the largest of all outputs.
    """

    title: str
    end: float
    start: Mapping[str, float]
    slopes: Mapping[str, str]
    reference_error: float

    @property
    def outputs(self) -> list[str]:
        return [name for name in self.start if not name.endswith("_t")]

    def typed(self) -> dict[str, Any]:
        """As it would be typed."""
        equations = [
            {"equation": f"{name}{'t' if name.endswith('_t') else '_t'} = {slope}", "points": 400}
            for name, slope in self.slopes.items()
            if slope != f"{name}_t"
        ]
        conditions = [
            {"where": "t = 0", "equation": f"{name} = {value}", "points": 1, "name": f"start {name.replace('_', ' ')}"}
            for name, value in self.start.items()
        ]
        return {
            "title": self.title,
            "inputs": {"t": (0.0, self.end)},
            "outputs": self.outputs,
            "equations": equations,
            "conditions": conditions,
        }

    def reference(self, tolerance: float = TOLERANCE) -> Split:
        """The outputs at evenly spread times, by Radau's method (Hairer & Wanner 1996)."""
        names = tuple(self.start)
        parts = [expression(slope, names, {}, "system") for slope in self.slopes.values()]

        def slope(_: float, at: NDArray[np.float64]) -> list[float]:
            values = dict(zip(names, at.tolist(), strict=True))
            return [float(part(values)) for part in parts]

        times = np.linspace(0, self.end, TIMES)
        start = list(self.start.values())
        found = solve_ivp(slope, (0, self.end), start, "Radau", times, rtol=tolerance, atol=1e-3 * tolerance)
        wanted = [names.index(name) for name in self.outputs]
        return Split(torch.from_numpy(times[:, None]), torch.from_numpy(found.y[wanted].T.copy()))


SYSTEMS = {
    "lotka-volterra": System(
        "Lotka-Volterra to t = 10",
        10.0,
        {"r": 100.0, "p": 15.0},
        {"r": "2*r - 0.04*r*p", "p": "0.02*r*p - 1.06*p"},
        3e-13,
    ),
    "sir": System(
        "Epidemic, 60 days in [0, 1]",
        1.0,
        {"s": 0.995, "i": 0.005, "r": 0.0},
        {"s": "-48*i*s", "i": "48*i*s - 15*i", "r": "15*i"},
        3e-13,
    ),
    "lorenz": System(
        "Lorenz to t = 3",
        3.0,
        {"x": -8.0, "y": 7.0, "z": 27.0},
        {"x": "10*(y - x)", "y": "x*(28 - z) - y", "z": "x*y - 8/3*z"},
        4e-12,
    ),
    "van-der-pol": System(
        "Van der Pol, 100, to t = 200",
        200.0,
        {"u": 2.0, "u_t": 0.0},
        {"u": "u_t", "u_t": "100*(1 - u^2)*u_t - u"},
        5e-12,
    ),
    "robertson": System(
        "Robertson to t = 10",
        10.0,
        {"a": 1.0, "b": 0.0, "c": 0.0},
        {"a": "-0.04*a + 1e4*b*c", "b": "0.04*a - 1e4*b*c - 3e7*b^2", "c": "3e7*b^2"},
        2e-12,
    ),
}
ENTRIES = tuple(
    SuiteEntry(name, "typed", system.typed(), widths=(40,), way="solve", reference=name, reference_error=system.reference_error)
    for name, system in SYSTEMS.items()
)  # fmt: skip
REFERENCES.update({name: partial(System.reference, system) for name, system in SYSTEMS.items()})
