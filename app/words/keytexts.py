"""Words of the keyboard: the box that goes anywhere, and what each key does."""

from __future__ import annotations

GO_TO = "Go to"
WHERE = "Page or run"
TYPE_IT = "Type a part of its name"
LEAD = "Type a part of the name of a page or a run, then Enter."
OTHERS = "Keys that work on every page:"
KEYS = {
    "rank_down": ("Alt+PageDown", "Next smaller rank"),
    "rank_up": ("Alt+PageUp", "Next larger rank"),
    "page_next": ("Alt+Shift+PageDown", "Next page of the list"),
    "page_before": ("Alt+Shift+PageUp", "Page before it"),
}


def run(title: str) -> str:
    return f"Run: {title}"


def page(title: str) -> str:
    return f"Page: {title}"
