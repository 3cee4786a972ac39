"""Sample problems: bundles with trained weights and data, each beside the script that made it."""

from __future__ import annotations

import os
from pathlib import Path

PROBLEM_VARIABLE = "LSR_PROBLEM"
GIVEN = "given"
_ROOT = Path(__file__).parent
_ORDER = (
    *("sine2d", "sine2d-untrained", "noisy1d"),
    *("poisson", "poisson-untrained", "wave-untrained", "convection-untrained", "convection-periodic-untrained"),
    *("reaction", "burgers", "allen-cahn", "heat-coefficient", "poisson-inverse"),
    *(
        "antiderivative",
        "diffusion-reaction",
        "burgers-operator",
        "burgers-operator-untrained",
        "digits",
        "digits-untrained",
        "sequence",
    ),
)


def names() -> list[str]:
    """Names of the samples, in the order in which they are worth looking at.

    `lsr dashboard PATH` hands a bundle of the user's own to the server through the environment; it then comes first.
    """
    found = {path.parent.name for path in _ROOT.glob("*/problem.json")}
    given = [GIVEN] if os.environ.get(PROBLEM_VARIABLE) else []
    return given + [name for name in _ORDER if name in found] + sorted(found - set(_ORDER))


def folder(name: str) -> Path:
    """Folder of the sample `name`; KeyError if there is none."""
    if name not in names():
        raise KeyError(name)
    return Path(os.environ[PROBLEM_VARIABLE]) if name == GIVEN else _ROOT / name


def runs_folder() -> Path:
    """Folder of the runs that come with the samples."""
    return _ROOT / "runs"
