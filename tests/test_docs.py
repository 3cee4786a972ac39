"""The documentation: its code runs, its commands exist, and the site is built with every link leading somewhere, without the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import lsr_core
from docs.making import checked
from lsr_app import cli
from tests import examples

ROOT = Path(__file__).parents[1]
PAGES = examples.pages()
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
RUNNING = [page for page in PAGES if any(block.mark == "run" for block in examples.blocks(page))]
LONG = [page for page in PAGES if any(block.mark == "run slow" for block in examples.blocks(page))]


@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.stem)
def test_code_runs_as_it_is_printed(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSR_RUNS", raising=False)
    assert examples.run(page, tmp_path) > 0


@pytest.mark.slow
@pytest.mark.parametrize("page", LONG, ids=lambda page: page.stem)
def test_long_examples_run_too(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSR_RUNS", raising=False)
    assert examples.run(page, tmp_path, slow=True) > 0


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_compiles_and_commands_take_their_options(page: Path) -> None:
    group: Any = typer.main.get_command(cli.app)
    known = {
        name: {opt for one in command.params for opt in [*one.opts, *one.secondary_opts]}
        for name, command in group.commands.items()
    }
    for block in examples.blocks(page):
        if block.language == "python":
            compile(block.code, page.name, "exec")
        elif block.language in ("", "sh") and "lsr " in block.code and "[" not in block.code:
            for words in examples.lines(block.code):
                if words[0] == "lsr" and words[1].isalpha() and words[1] != "COMMAND":
                    given = {word.split("=")[0] for word in words[2:] if word.startswith("--") and word != "--help"}
                    assert given <= known[words[1]] | {"--debug"}, " ".join(words)


def test_an_example_that_fails_or_prints_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    fenced = "<!-- run -->\n```{}\n{}\n```\n{}"
    page.write_text(
        fenced.format("python", "x = 1\nprint(x + 1)", "<!-- prints 2 -->\n") + fenced.format("python", "print(x)", "")
    )
    assert examples.run(page, tmp_path) == 2
    page.write_text(fenced.format("python", "print(3)", "\n<!-- prints 4 -->\n"))
    with pytest.raises(AssertionError, match="promises '4'"):
        examples.run(page, tmp_path)
    page.write_text(fenced.format("", "lsr refine nothing-of-that-name", ""))
    with pytest.raises(AssertionError, match="nothing-of-that-name"):
        examples.run(page, tmp_path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.always
def test_the_site_is_built_and_every_link_leads_somewhere(site: Path) -> None:
    assert checked.faults(site) == []
    assert len(list(site.rglob("*.html"))) > len(PAGES)


def test_the_reference_names_all_there_is(site: Path) -> None:
    python = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in lsr_core.__all__:
        assert f'id="lsr_core.{name}"' in python, name
    commands = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    group: Any = typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        assert f'id="lsr-{name}"' in commands
        for option in command.params:
            assert option.name == "help" or all(opt in commands for opt in option.opts), (name, option.name)
    settings = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    assert all(name in settings for name in lsr_core.RefineConfig.model_fields)


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">b</a><a href="#here">a</a><a href="/c.html">c</a>'
    )
    (tmp_path / "b.html").write_text('<img src="https://example.org/x.png"><a href="missing.html">c</a>')
    (tmp_path / "c.css").write_text("@import 'x.css';")
    assert [line.partition(":")[0] if "fetches" not in line else line for line in checked.faults(tmp_path)] == [
        "a.html", "a.html", "b.html fetches https://example.org/x.png", "b.html", "c.css fetches from the network",
    ]  # fmt: skip
