"""What settings of a refinement are called on pages."""

from __future__ import annotations

_NAMES = {  # where the name in words is not the setting's own
    "rcond": "Cut-off",
    "dtype": "Number type",
    "max_rank": "Maximum rank",
    "parameter_fraction": "Share of parameters",
    "gauss_newton": "Gauss-Newton steps",
    "sketch_dtype": "Sketch precision",
    "regularise": "Smoothing",
}


def name(setting: str) -> str:
    """Of a field of `RefineConfig`."""
    return _NAMES.get(setting, setting.replace("_", " ").capitalize())
