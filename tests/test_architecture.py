"""What keeps the house readable: no circle of imports, no long file, no long function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"lsr_core": "lsr_core", "lsr_app": "app", "lsr_samples": "sample_models"}
BESIDE = ("benchmarks", "docs", "release")
MAX_FILE, MAX_FUNCTION = 300, 60


def files() -> dict[str, Path]:
    """Every module by the name under which it is imported."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join([package, *(part for part in parts if part != "__init__")])] = path
    return found


MODULES = files()
LONG = MODULES | {str(path.relative_to(ROOT)): path for folder in BESIDE for path in (ROOT / folder).rglob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imported(tree: ast.Module) -> Iterator[str]:
    """Modules of ours that are named in any import: at the top, in functions, and for a type checker only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in ([inner] if inner in MODULES else [node.module]) if name in MODULES)


def test_imports_form_no_circle_not_even_for_a_type_checker() -> None:
    graph = {name: set(imported(tree)) for name, tree in TREES.items()}
    assert len(graph) > 300
    assert sum(map(len, graph.values())) > 1000
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_no_file_is_long() -> None:
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in LONG.items()}
    assert len(lengths) > len(MODULES) + 40
    assert {name: length for name, length in lengths.items() if length > MAX_FILE} == {}


def test_no_function_is_long() -> None:
    lengths = {
        f"{name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, path in LONG.items()
        for node in ast.walk(TREES.get(name) or ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 2000
    assert {name: length for name, length in lengths.items() if length > MAX_FUNCTION} == {}


def test_a_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for name, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    assert len(places) > 300
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


PLAN = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WALKS = ("A residual on its way to a predictor", "A slider move", "An upload")
MAX_WALK = 8


def named(text: str) -> set[str]:
    """Python files that a text names by the ends of their paths; NAME stands for any folder."""
    return set(re.findall(r"`([\w/]+\.py)`", text))


def test_the_plan_names_files_that_there_are() -> None:
    there = ["/" + path.relative_to(ROOT).as_posix() for path in LONG.values()]
    there += ["/" + path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")]
    found = named(PLAN) - {"page.py"}
    assert len(found) > 60
    wanted = {name: re.compile(f"/{re.escape(name).replace('NAME', '[a-z]+')}$") for name in found}
    assert [name for name, pattern in wanted.items() if not any(map(pattern.search, there))] == []


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_goes_through_few_files(walk: str) -> None:
    section = PLAN.split(f"\n## {walk}\n")[1].split("\n#")[0]
    assert 5 < len(named(section)) <= MAX_WALK
