"""The pages there are: each is a folder of `lsr_app.screens`, its name is the address, and it says the rest in `SCREEN`."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

_HOME = Path(__file__).resolve().parents[1]
HOME, START, RUNS, COMPARE = "overview", "refine", "runs", "compare"
GROUPS = {"run": "", "all": "All runs", "start": "Begin"}  # of pages in the list, with their headings


Need = Literal["refinement", "spectrum", "experiments", "checkpoints"]  # what a page shows, see `lsr_app.shell.filling`


@dataclass(frozen=True)
class Screen:
    """How a page is listed and headed; `group` is one of `GROUPS`, `position` orders the pages of a group.

    Attributes:
        needs: what the open run must have for the page to show something; None for pages that ask nothing of it.
        scripts: Streamlit's scripts that a new browser fetches at once, by their names without digest (`lsr_app.ahead`).
    """

    title: str
    icon: str
    position: int
    lead: str = ""
    group: str = "run"
    needs: Need | None = None
    scripts: tuple[str, ...] = ("PlotlyChart",)


@cache
def found() -> dict[str, Screen]:
    """Pages by address, in the order of the list."""
    rooms = importlib.import_module("lsr_app.screens")
    names = [module.name for module in pkgutil.iter_modules(rooms.__path__) if module.ispkg]
    listed: dict[str, Screen] = {name: importlib.import_module(f"{rooms.__name__}.{name}").SCREEN for name in names}
    groups = list(GROUPS)
    return dict(sorted(listed.items(), key=lambda entry: (groups.index(entry[1].group), entry[1].position)))


def script(page: str) -> str:
    """The script of a page: its whole path, since Streamlit looks for others beside the script that it was started with."""
    return str(_HOME / "screens" / page / "page.py")
