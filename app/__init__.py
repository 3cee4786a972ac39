"""The dashboard and the command line. From a notebook: `lsr_app.explore(run_or_result)` and `lsr_app.stop()`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lsr_app.notebook import explore, stop

__all__ = ["explore", "stop"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lsr_app' has no attribute {name!r}")
    return getattr(importlib.import_module("lsr_app.notebook"), name)
