"""What the dashboard's speed is measured by, one after the other and each in a process of its own: one JSON line for each.

    python benchmarks/pages.py [--only NAME ...]

First figure in a new browser after the start of the server, the rank slider on every page, the table of 1,000 runs, and how true the time is
that live runs say is left. On a machine with nothing else at work it takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

PARTS = ("firstfigure", "slider", "runtable", "liveprogress")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    failed = [
        name
        for name in options.only
        if subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))]).returncode
    ]
    if failed:
        raise SystemExit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
