"""A finished bundle, as a zip."""

from __future__ import annotations

from lsr_app.controls import Now


def section(now: Now) -> None:
    """The form."""
