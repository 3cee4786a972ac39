"""Words that lead to a run which comes with the product."""

from __future__ import annotations


def see(title: str) -> str:
    return f"See an example: {title}"
