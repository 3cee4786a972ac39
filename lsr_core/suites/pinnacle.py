"""`pinnacle`: equations of PINNacle (Hao et al. 2024, arXiv 2306.08827), with solutions by a formula, a series, or finite elements.

Published figures are the smallest of its main table; its set-up (network, points, hardware) is another, so they are a yardstick and no comparison.
"""

from __future__ import annotations

from typing import Any

from lsr_core.problems.physics.typed.flows import CAVITY
from lsr_core.suites.cells import many_areas
from lsr_core.suites.entries import SuiteEntry
from lsr_core.suites.flows import STEP
from lsr_core.suites.inverse import poisson_inverse
from lsr_core.suites.punched import BALLS, BOLTZMANN, HOLES, PIPES
from lsr_core.suites.written import HEAT_BALL, KURAMOTO_SIVASHINSKY, poisson_nd

SOURCE = "PINNacle, arXiv 2306.08827"

WAVE_1D: dict[str, Any] = {
    "title": "Wave 1D",
    "inputs": {"x": (0.0, 1.0), "t": (0.0, 1.0)},
    "equations": [{"equation": "u_tt = 4*u_xx", "points": 5000}],
    "conditions": [
        {"where": "t = 0", "equation": "u = sin(pi*x) + sin(4*pi*x)/2"},
        {"where": "t = 0", "equation": "u_t = 0", "name": "speed"},
        {"where": "x = 0, x = 1", "equation": "u = 0", "points": 800},
    ],
    "solution": {"u": "sin(pi*x)*cos(2*pi*t) + sin(4*pi*x)*cos(8*pi*t)/2"},
}

HEAT_MULTISCALE: dict[str, Any] = {
    "title": "Heat 2D, two scales",
    "inputs": {"x": (0.0, 1.0), "y": (0.0, 1.0), "t": (0.0, 5.0)},
    "constants": {"a": 4.052847345693511e-07, "b": 0.10132118364233778},
    "equations": [{"equation": "u_t = a*u_xx + b*u_yy", "points": 8000}],
    "conditions": [
        {"where": "t = 0", "equation": "u = sin(20*pi*x)*sin(pi*y)", "points": 3000},
        {"where": "x = 0, x = 1, y = 0, y = 1", "equation": "u = 0", "points": 2000},
    ],
    "solution": {"u": "sin(20*pi*x)*sin(pi*y)*exp(-(400*pi^2*a + pi^2*b)*t)"},
}

ENTRIES = (
    SuiteEntry("PoissonND", "typed", poisson_nd(5, 4000), activation="sin", scale=0.5, settings={"max_rank": 1400}, published=4.7e-4, source=SOURCE),
    SuiteEntry("Poisson2D_Classic", "typed", HOLES, activation="tanh", scale=6.0, settings={"max_rank": 1400}, published=1.2e-2,
          reference="holes", reference_error=5e-12, source=SOURCE),
    SuiteEntry("KuramotoSivashinsky", "typed", KURAMOTO_SIVASHINSKY, widths=(40, 40), activation="sin", scale={"x": 4.0, "t": 1.0},
          circular=True, way="solve", settings={"search": False, "rank": 600, "tolerance": 1e-7, "windows": 10}, published=9.6e-1,
          reference="kuramoto-sivashinsky", reference_error=3e-7, source=SOURCE),
    SuiteEntry("Burgers1D", "burgers", {"n_interior": 16000}, widths=(30, 30, 30), scale={"x": 3.0, "t": 1.5}, way="train",
          settings={"gauss_newton": 10}, training={"adam_steps": 1500, "steps": 120}, published=1.3e-2, reference_error=None, source=SOURCE),
    SuiteEntry("Wave1D", "typed", WAVE_1D, activation="sin", scale={"x": 2.0, "t": 4.0}, published=9.8e-2, source=SOURCE),
    SuiteEntry("Heat2D_Multiscale", "typed", HEAT_MULTISCALE, activation="sin", scale={"x": 20.0, "y": 1.0, "t": 1.0},
          published=4.4e-2, source=SOURCE),
    SuiteEntry("HeatND", "typed", HEAT_BALL, widths=(250,), activation="tanh", scale=0.5, settings={"max_rank": 2001},
          published=1.2e-4, source=SOURCE),
    SuiteEntry("PoissonBoltzmann2D", "typed", BOLTZMANN, widths=(44, 44), scale=5.0, settings={"max_rank": 2100}, published=1.4e-2,
          reference="poisson-boltzmann", reference_error=2e-6, source=SOURCE),
    SuiteEntry("Poisson2D_ManyArea", "typed", many_areas(), widths=(40, 40), scale=5.0, settings={"max_rank": 1800}, published=5.9e-1,
          reference="many-areas", reference_error=4e-8, source=SOURCE),
    SuiteEntry("Poisson3D_ComplexGeometry", "typed", BALLS, widths=(32, 32), scale={"x": 3.0, "y": 14.0, "z": 8.0}, settings={"max_rank": 1200},
          published=1.0e-1, reference="balls", reference_error=7.2e-3, source=SOURCE),
    SuiteEntry("Heat2D_ComplexGeometry", "typed", PIPES, widths=(32, 32), scale={"x": 10.0, "y": 15.0, "t": 2.0}, settings={"max_rank": 1200},
          published=2.4e-2, reference="pipes", reference_error=3e-3, source=SOURCE),
    SuiteEntry("NS2D_LidDriven", "typed", CAVITY, widths=(30, 30), scale=4.0, way="solve",
          settings={"windows": "none", "search": False, "rank": 1100, "steps": 12, "enough": 0.05}, published=3.6e-2,
          reference="lid", reference_error=6e-5, source=SOURCE),
    SuiteEntry("NS2D_BackStep", "typed", STEP, widths=(24, 24), scale={"x": 8.0, "y": 4.0}, way="solve",
          settings={"windows": "none", "search": False, "rank": 740, "steps": 8, "enough": 0.05}, published=8.2e-2,
          reference="step", reference_error=1.5e-3, source=SOURCE),
    SuiteEntry("PoissonInv", "typed", poisson_inverse(), widths=(16, 16), scale=1.0, way="solve",
          settings={"windows": "none", "search": False, "rank": 300}, published=2.0e-2, source=SOURCE),
)  # fmt: skip
