"""`accuracy`: equations on which accuracy is quoted, of which a solution is known as a formula or can be computed."""

from __future__ import annotations

from typing import Any

from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.written import CAVITY, KDV, KURAMOTO_SIVASHINSKY, poisson_nd

REFERENCE = "Rathore et al. (2024), arXiv 2402.01868, and later"


def _reaction(rho: int) -> dict[str, Any]:
    start = "exp(-(x - pi)^2 / (2*(pi/4)^2))"
    return {
        "title": f"Reaction, rate {rho}",
        "inputs": {"x": (0.0, 6.283185307179586), "t": (0.0, 1.0)},
        "equations": [{"equation": f"u_t = {rho}*u*(1 - u)", "points": 4000}],
        "conditions": [
            {"where": "t = 0", "equation": f"u = {start}"},
            {"where": "x periodic", "equation": "u"},
        ],
        "solution": {"u": f"{start}*exp({rho}*t) / ({start}*exp({rho}*t) + 1 - {start})"},
    }


HELMHOLTZ: dict[str, Any] = {
    "title": "Helmholtz (1, 4)",
    "inputs": {"x": (-1.0, 1.0), "y": (-1.0, 1.0)},
    "equations": [
        {
            "equation": "u_xx + u_yy + u = (1 - 17*pi^2) * sin(pi*x) * sin(4*pi*y)",
            "points": 5000,
        }
    ],
    "conditions": [{"where": "boundary", "equation": "u = 0", "points": 800}],
    "solution": {"u": "sin(pi*x) * sin(4*pi*y)"},
}

KOVASZNAY: dict[str, Any] = {
    "title": "Kovasznay flow, Re 40",
    "inputs": {"x": (-0.5, 1.0), "y": (-0.5, 1.5)},
    "outputs": ["u", "v", "p"],
    "constants": {"re": 40.0, "la": -0.9637405441957689},
    "equations": [
        {"equation": "u*u_x + v*u_y + p_x - (u_xx + u_yy)/re = 0", "points": 2500},
        {"equation": "u*v_x + v*v_y + p_y - (v_xx + v_yy)/re = 0", "points": 2500},
        {"equation": "u_x + v_y = 0", "points": 2500},
    ],
    "conditions": [
        {"where": "boundary", "equation": "u = 1 - exp(la*x)*cos(2*pi*y)"},
        {"where": "boundary", "equation": "v = la/(2*pi)*exp(la*x)*sin(2*pi*y)"},
        {"where": "x = 1", "equation": "p = (1 - exp(2*la*x))/2", "points": 100},
    ],
    "solution": {
        "u": "1 - exp(la*x)*cos(2*pi*y)",
        "v": "la/(2*pi)*exp(la*x)*sin(2*pi*y)",
        "p": "(1 - exp(2*la*x))/2",
    },
}

_MODES = (4, 8, 12, 16)
MULTISCALE: dict[str, Any] = {
    "title": "Poisson with four scales",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0)},
    "equations": [
        {
            "equation": "u_xx + u_yy + " + " + ".join(f"{2 * k * k}*pi^2*sin({k}*pi*x)*sin({k}*pi*y)/4" for k in _MODES) + " = 0",
            "points": 9000,
        }
    ],
    "conditions": [{"where": "boundary", "equation": "u = 0", "points": 1600, "weight": 100.0}],
    "solution": {"u": " + ".join(f"sin({k}*pi*x)*sin({k}*pi*y)/4" for k in _MODES)},
}  # fmt: skip

ENTRIES = (
    SuiteEntry("wave", "wave", {"n_interior": 5000}, activation="sin", scale={"x": 2.0, "t": 4.0}, published=1.27e-2, source=REFERENCE),
    SuiteEntry(
        "convection", "convection", {"n_interior": 5000}, activation="sin", scale={"x": 0.08839, "t": 5.657},
        circular=True, published=1.94e-3, source=REFERENCE,
    ),
    *(
        SuiteEntry(f"reaction-{rho}", "typed", _reaction(rho), widths=(40, 40), activation="tanh", scale={"x": 4.0, "t": 1.0}, way="solve",
              settings={"search": False, "rank": 600, "tolerance": 1e-8}, published=9.92e-3 if rho == 5 else None, source=REFERENCE)
        for rho in (5, 6, 8)
    ),
    SuiteEntry(
        "burgers", "burgers", {"n_interior": 16000}, widths=(30, 30, 30), scale={"x": 3.0, "t": 1.5}, way="train",
        settings={"gauss_newton": 10}, training={"adam_steps": 1500, "steps": 120}, published=1.62e-8, reference_error=None,
        source="arXiv 2501.16371",
    ),
    SuiteEntry(
        "burgers-0.01", "burgers", {"n_interior": 16000, "viscosity": 0.01}, widths=(30, 30, 30), scale={"x": 3.0, "t": 1.5}, way="train",
        settings={"gauss_newton": 10}, training={"adam_steps": 1000, "steps": 80}, published=7.97e-14, reference_error=None,
        source="arXiv 2607.02194, code",
    ),
    SuiteEntry(
        "allen-cahn", "allen-cahn", {"n_interior": 16000}, widths=(30, 30, 30), scale=2.0, circular=True, way="train",
        settings={"gauss_newton": 10}, training={"adam_steps": 2000, "steps": 150}, published=9.43e-7, reference_error=2e-10,
        source="arXiv 2501.16371",
    ),
    SuiteEntry(
        "kdv", "typed", KDV, widths=(40, 40), activation="sin", scale={"x": 2.5, "t": 0.3}, circular=True, way="solve",
        settings={"search": False, "rank": 800, "tolerance": 1e-9, "windows": 20}, published=8.24e-11, reference="kdv", reference_error=2.3e-9,
        source="arXiv 2607.02194",
    ),
    SuiteEntry(
        "kuramoto-sivashinsky", "typed", KURAMOTO_SIVASHINSKY, widths=(40, 40), activation="sin", scale={"x": 4.0, "t": 0.3}, circular=True,
        way="solve", settings={"search": False, "rank": 800, "tolerance": 1e-7, "windows": 40}, published=5.12e-7,
        reference="kuramoto-sivashinsky", reference_error=3e-7, source="arXiv 2607.02194",
    ),
    SuiteEntry("helmholtz", "typed", HELMHOLTZ, activation="sin", scale={"x": 2.0, "y": 6.0}, published=2.0e-9, source="arXiv 2604.05230"),
    SuiteEntry(
        "kovasznay", "typed", KOVASZNAY, widths=(40, 40), scale=2.0, way="solve",
        settings={"windows": "none", "search": False, "rank": 1200}, published=1.1e-3, source="J-PIKAN",
    ),
    SuiteEntry(
        "poisson-multiscale", "typed", MULTISCALE, widths=(64, 64), activation="sin", scale=12.0,
        settings={"max_rank": 1400}, published=4.46e-14, source="arXiv 2607.02194",
    ),
    SuiteEntry(
        "cavity", "typed", CAVITY, widths=(40, 40), activation="tanh", scale=4.0, way="solve",
        settings={"windows": "none", "search": False, "rank": 900}, reference="cavity", reference_error=1e-4,
        source="published figures are of velocities",
    ),
    SuiteEntry(
        "poisson-5d", "typed", poisson_nd(5, 4000), activation="sin", scale=0.25, settings={"max_rank": 2000}, published=3.03e-16,
        source="arXiv 2607.02194",
    ),
    SuiteEntry(
        "poisson-10d", "typed", poisson_nd(10, 4000), activation="sin", scale=0.5, settings={"max_rank": 1400}, published=5.96e-12,
        source="arXiv 2607.02194",
    ),
)  # fmt: skip
