"""Weights and data in files: read, looked at, mapped, and made into a bundle."""

from __future__ import annotations

from lsr_app.controls import Now


def section(now: Now) -> None:
    """The form."""
