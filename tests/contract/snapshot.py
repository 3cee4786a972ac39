"""The list as it is kept, and what became of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

PATH = Path(__file__).with_name("contract.json")
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
Listing = dict[str, list[str]]


def read() -> Listing:
    """The list that was kept last; empty where there is none."""
    found: Listing = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    return found


def write(listing: Listing) -> None:
    PATH.write_text(json.dumps(listing, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def difference(before: Listing, now: Listing) -> tuple[list[str], list[str]]:
    """(gone, new), each line with the part of the list that it stands in."""
    old, fresh = ({f"{part}: {line}" for part, lines in one.items() for line in lines} for one in (before, now))
    return sorted(old - fresh), sorted(fresh - old)


def announced(line: str, changelog: str | None = None) -> bool:
    """Whether the newest part of the changelog names what has gone: its last word, in backticks."""
    text = CHANGELOG.read_text(encoding="utf-8") if changelog is None else changelog
    newest = re.split(r"^## ", text, flags=re.MULTILINE)[1]
    words = re.findall(r"[\w-]+", line.split(": ", 1)[1].split(" = ")[0])
    return any(words[-1] in re.findall(r"[\w-]+", quoted) for quoted in re.findall(r"`([^`]+)`", newest))
