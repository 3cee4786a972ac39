"""Builds the wheel and the source distribution from a copy, so that the checkout stays as it is and nothing of an earlier build gets in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.project import ROOT

FILES = ("pyproject.toml", "README.md", "LICENSE")
FOLDERS = {"lsr_core": "lsr_core", "lsr_app": "app", "lsr_samples": "sample_models"}  # of the packages


def build(out: Path, *which: str, **variables: str) -> None:
    """Write the distributions into `out`: both, the wheel from the source distribution, or `--wheel` alone.

    Args:
        variables: of the environment.

    Raises:
        RuntimeError: it failed; with what was said.
    """
    with tempfile.TemporaryDirectory(prefix="lsr-source-") as folder:
        for name in FILES:
            shutil.copy2(ROOT / name, folder)
        for name in FOLDERS.values():
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "build", *which, "--no-isolation", "--outdir", str(out), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    if done.returncode:
        raise RuntimeError((done.stdout + done.stderr)[-3000:])


def wheel(out: Path) -> Path:
    """The wheel of this checkout as it is, built into `out`; raises as `build`."""
    build(out, "--wheel")
    (found,) = out.glob("*.whl")
    return found
