"""The tests with the lowest versions that pyproject.toml allows, and with the newest that the index has, each in an environment of its own.

    python -m release.floors [--newest] [--python PROGRAM] [--list] [TEST …]

PyTorch of the index is the build with CUDA, some gigabytes; it needs no graphics card.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from release.distributions import wheel
from release.environment import Environment, environment
from release.project import ROOT, floors, needs, pins

EXTRAS = ("dashboard", "files", "onnx")
TOOLS = ("pytest", "hypothesis", "jsonschema", "setuptools", "websockets")  # of the tests, as they are pinned
# Every kind of problem, every way of applying a Jacobian, every file that is read or written, and the pages.
TESTS = (
    "tests/core/test_refine.py",
    "tests/core/test_jacobians.py",
    "tests/core/test_routes.py",
    "tests/core/test_uses.py",
    "tests/core/test_physics.py",
    "tests/core/test_classification.py",
    "tests/core/test_bundles.py",
    "tests/core/test_intake_tables.py",
    "tests/core/test_portable.py",
    "tests/app/test_earlier_versions.py",
    "tests/app/test_pages.py",
    "tests/app/test_cli.py",
)
# The schema of bundles is shipped as the pinned pydantic words it; others word it otherwise.
LEFT_OUT = ("tests/core/test_bundles.py::test_schema_is_up_to_date_and_fits_the_samples",)


def wanted(newest: bool) -> list[str]:
    """Requirements of such an environment."""
    tools = pins()
    libraries = list(needs(*EXTRAS)) if newest else floors(*EXTRAS)
    return [*libraries, *(f"{name}=={tools[name]}" for name in TOOLS)]


def versions(place: Environment) -> str:
    """What was installed, in one line."""
    names = list(needs(*EXTRAS))
    code = f"from importlib.metadata import version; print(', '.join(n + ' ' + version(n) for n in {names!r}))"
    return place.run([str(place.python), "-c", code]).strip()


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("tests", nargs="*", default=TESTS)
    options.add_argument("--newest", action="store_true", help="the newest versions in place of the lowest")
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--list", action="store_true", help="print what would be installed, and nothing else")
    given = options.parse_args(arguments)
    if given.list:
        print("\n".join(wanted(given.newest)))
        return 0
    with tempfile.TemporaryDirectory() as out, environment(given.python) as place:
        built = wheel(Path(out))
        place.install(*wanted(given.newest))
        place.install("--no-deps", str(built))
        print(versions(place), flush=True)
        # The tests, but not the package, come from the checkout.
        (place.folder / "tests").symlink_to(ROOT / "tests")
        for name in ("pyproject.toml", "constraints.txt", "docs", "README.md", "CHANGELOG.md"):
            (place.folder / name).symlink_to(ROOT / name)
        left_out = [word for name in LEFT_OUT for word in ("--deselect", name)]
        command = [
            str(place.python),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",
            *left_out,
            *given.tests,
        ]
        return subprocess.run(command, cwd=place.folder, env=place.variables(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
