"""What pyproject.toml and constraints.txt say of the libraries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
_FORM = re.compile(r"([\w.-]+)>=([\w.]+)")


class Need(NamedTuple):
    """A library and the lowest version that is supported."""

    name: str
    lowest: str


def needs(*extras: str) -> dict[str, Need]:
    """The libraries of the package alone and with extras, by name.

    Raises:
        ValueError: an entry is no `name>=version`.
    """
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    given = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    found = {}
    for text in given:
        matched = _FORM.fullmatch(text)
        if matched is None:
            raise ValueError(f"{text!r} in pyproject.toml; expected name>=version")
        found[matched[1]] = Need(*matched.groups())
    return found


def extras() -> list[str]:
    """Names of all extras."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["project"]["optional-dependencies"])


def floors(*names: str) -> list[str]:
    """`name==lowest` for the package with these extras."""
    return [f"{need.name}=={need.lowest}" for need in needs(*names).values()]


def pins() -> dict[str, str]:
    """Versions in constraints.txt, by name."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)
