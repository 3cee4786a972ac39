"""An empty environment that is gone afterwards, with the built wheel in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_WINDOWS = os.name == "nt"
# What would lead a fresh environment back to this checkout, to its runs or to an option of another shell.
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LSR_RUNS", "LSR_DEMO")


class Environment:
    """A virtual environment.

    Attributes:
        folder: an empty folder that programs run in.
    """

    def __init__(self, path: Path, python: str = sys.executable) -> None:
        self._programs = path / "venv" / ("Scripts" if _WINDOWS else "bin")
        self.folder = path / "work"
        self.folder.mkdir()
        subprocess.run([python, "-m", "venv", str(path / "venv")], check=True)

    @property
    def python(self) -> Path:
        return self._programs / ("python.exe" if _WINDOWS else "python")

    @property
    def lsr(self) -> Path:
        return self._programs / ("lsr.exe" if _WINDOWS else "lsr")

    def variables(self, **more: str) -> dict[str, str]:
        """The environment variables of a program here."""
        return {**{name: value for name, value in os.environ.items() if name not in _FOREIGN}, **more}

    def install(self, *arguments: str) -> None:
        """`pip install` with these arguments."""
        self.run([str(self.python), "-m", "pip", "install", "--quiet", *arguments])

    def run(self, command: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
        """What a program prints on stdout.

        Raises:
            RuntimeError: it failed; with the end of what it said.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.variables(**(variables or {})),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()[-12:]
            raise RuntimeError("\n".join([f"{' '.join(map(str, command))} ended with {done.returncode}:", *said]))
        return done.stdout


@contextmanager
def environment(python: str = sys.executable) -> Iterator[Environment]:
    """An empty environment in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="lsr-environment-") as folder:
        yield Environment(Path(folder), python)
