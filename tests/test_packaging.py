"""What is installed: every package and data file, and a command that works from the wheel alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from release import distributions
from release.distributions import FOLDERS

ROOT = Path(__file__).parents[1]


def test_every_package_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for name, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found
    assert settings["package-dir"] == FOLDERS


def test_no_module_of_the_app_hides_one_of_the_standard_library() -> None:
    """`streamlit run` puts the folder of the script first on the path."""
    names = {path.stem for path in (ROOT / "app").iterdir() if path.stem != "__init__"}
    assert not names & set(sys.stdlib_module_names)
    assert "pages" not in names


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {name.split(">=")[0] for name in wanted} <= pinned


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    distributions.build(out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "twine", "check", "--strict", "*"],
        ["-m", "check_wheel_contents", "--config", str(ROOT / "pyproject.toml"), "*.whl"],
    ],
)
def test_what_is_built_is_fit_for_an_index(dist: Path, command: list[str]) -> None:
    *arguments, pattern = command
    files = sorted(map(str, dist.glob(pattern)))
    done = subprocess.run([sys.executable, *arguments, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_all_files_and_no_others(wheel: Path) -> None:
    members = set(zipfile.ZipFile(wheel).namelist())
    for name, folder in FOLDERS.items():
        source = {
            f"{name}/{path.relative_to(ROOT / folder).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert source <= members, sorted(source - members)
    tops = {member.split("/")[0] for member in members}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(FOLDERS)


@pytest.mark.always
def test_the_command_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    environment = {**os.environ, "PYTHONPATH": str(target), "LSR_RUNS": str(tmp_path / "runs")}

    def lsr(*arguments: str) -> dict[str, object]:
        command = [sys.executable, "-m", "lsr_app", *arguments, "--json"]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
        assert result.returncode == 0, result.stderr
        record: dict[str, object] = json.loads(result.stdout)
        return record

    samples = lsr("samples")["samples"]
    assert isinstance(samples, list)
    assert all(str(sample["folder"]).startswith(str(target)) for sample in samples)
    assert lsr("refine", "noisy1d", "--max-rank", "20")["status"] == "complete"
    guide = (ROOT / "docs" / "python-file.md").read_text(encoding="utf-8")
    (tmp_path / "my_problem.py").write_text(guide.split("```python\n")[1].split("```")[0], encoding="utf-8")
    assert lsr("refine", "my_problem.py", "--max-rank", "20")["problem"] == "oscillator"
