"""The dashboard and the command line. From a notebook: `lsr_app.slider(run_or_result)`, `lsr_app.explore(…)`, `lsr_app.stop()`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsr_app.notebook import explore, slider, stop

__all__ = ["explore", "slider", "stop"]

if not TYPE_CHECKING:  # a type checker would take every name for one that there is

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'lsr_app' has no attribute {name!r}")
        return getattr(importlib.import_module("lsr_app.notebook"), name)
