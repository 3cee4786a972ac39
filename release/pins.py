"""Moves constraints.txt to the newest versions that go together: one resolution of the whole project by pip, nothing is installed.

    python -m release.pins [--write] [--move torch]

Prints what would move. With --write the file is written anew; `make pins` then installs and runs the tests.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.project import CONSTRAINTS, extras, needs, pins

# Moved only when asked for: their newest build is not everywhere that the tests run, or takes gigabytes.
HELD = ("torch",)


def resolved(requirements: list[str]) -> dict[str, str]:
    """The versions that pip would install into an empty environment, by name in its plain form.

    Raises:
        RuntimeError: nothing fits; with what pip said.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--quiet",
            "--report",
            str(report),
        ]
        done = subprocess.run([*command, *requirements], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-2000:])
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return {plain(one["metadata"]["name"]): one["metadata"]["version"] for one in found["install"]}


def plain(name: str) -> str:
    """A project's name as indexes compare it (PEP 503, for names without runs of separators)."""
    return name.lower().replace("_", "-").replace(".", "-")


def moved(now: Mapping[str, str], newest: Mapping[str, str]) -> dict[str, str]:
    """The pins as they would stand; a build's own mark, as in 2.13.0+cpu, is left out."""
    return {name: newest.get(plain(name), version).split("+")[0] for name, version in now.items()}


def rewritten(text: str, versions: Mapping[str, str]) -> str:
    """constraints.txt with other versions; comments stay."""
    lines = (line.split("==")[0] if "==" in line else "" for line in text.splitlines())
    return "".join(
        (f"{name}=={versions[name]}" if name in versions else line) + "\n"
        for name, line in zip(lines, text.splitlines(), strict=True)
    )


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--write", action="store_true")
    options.add_argument("--move", action="append", default=[], choices=HELD, help="also this one")
    given = options.parse_args(arguments)
    now = pins()
    held = [f"{name}=={now[name]}" for name in HELD if name not in given.move]
    wanted = [f"{need.name}>={need.lowest}" for need in needs(*extras()).values()]
    after = moved(now, resolved([*wanted, *held]))
    for name, version in now.items():
        if after[name] != version:
            print(f"{name} {version} -> {after[name]}")
    changed = after != now
    if not changed:
        print("every pin is the newest that goes with the others")
    elif given.write:
        CONSTRAINTS.write_text(rewritten(CONSTRAINTS.read_text(encoding="utf-8"), after), encoding="utf-8")
        print("constraints.txt is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
