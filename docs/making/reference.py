"""Pages of the reference, made from the code while the site is built: what they say is what there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import typer
from pydantic import BaseModel

from lsr_app import cli
from lsr_core.portable import forms
from tests.contract.listing import ARRAYS, FILES, SETTINGS, model_lines

ROOT = Path(__file__).parents[2]


def commands() -> str:
    """Every command with its help, its options, and the keys that it prints."""
    group: Any = typer.main.get_command(cli.app)
    keys = json.loads((ROOT / "tests/contract/contract.json").read_text(encoding="utf-8"))["json"]
    parts = []
    for name, command in group.commands.items():
        given = " ".join(
            (one.metavar or one.name.upper()) for one in command.params if one.param_type_name == "argument"
        )
        rows = [_option(option) for option in command.params]
        printed = [line.removeprefix(f"{name} ").strip(".") for line in keys if line.startswith(f"{name} ")]
        parts += [
            f"## lsr {name}",
            "",
            (command.help or "").strip(),
            "",
            "```",
            f"lsr {name} {given} [OPTIONS]".replace("  ", " "),
            "```",
            "",
        ]
        parts += [*_table(("option", "what"), rows), ""]
        if printed:
            parts += [
                "",
                "Keys of `--json`: " + ", ".join(f"`{key}`" for key in printed if key.count(".") == 0) + ".",
                "",
            ]
    return "\n".join(parts)


def _option(option: Any) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts] if name.startswith("-"))
    return names or f"`{(option.metavar or option.name).replace('|', ' or ')}`", (
        getattr(option, "help", None) or ""
    ).replace("|", "\\|")


def settings() -> str:
    """Every setting of the jobs, from the models that check them."""
    titles = {"refine": "Refinement", "iterate": "Iterative LSR", "solve": "From scratch", "plane": "Loss plane"}
    parts = []
    for job, model in SETTINGS.items():
        parts += [f"## {titles[job]}: `lsr {job}`", ""]
        parts += _table(("setting", "takes", "default", "what"), list(_fields(model)))
        parts.append("")
    return "\n".join(parts)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    described = _attributes(model)
    for name, field in model.model_fields.items():
        words = field.description or described.get(name, "")
        yield f"`{name}`", _taken(field.annotation), f"`{field.default}`", words.replace("|", "\\|").replace("\n", " ")


def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Descriptions from the docstring, where a model has them there."""
    found, last = {}, ""
    _, _, text = (model.__doc__ or "").partition("Attributes:")
    for line in text.splitlines():
        name, colon, words = line.strip().partition(": ")
        if colon and set(name.split(", ")) <= set(model.model_fields):
            last = name
            found[last] = words
        elif last and line.strip():
            found[last] += " " + line.strip()
    return {name: words for names, words in found.items() for name in names.split(", ")}


def _taken(annotation: Any) -> str:
    """A type in words: choices by name, numbers, text."""
    words = {int: "whole number", float: "number", str: "text", bool: "yes or no", type(None): "nothing"}
    if annotation in words:
        return words[annotation]
    inner = get_args(annotation)
    if str(get_origin(annotation)) == "typing.Literal":
        return ", ".join(f"`{choice}`" for choice in inner)
    if inner and get_origin(annotation) not in (tuple, list, dict):
        return " or ".join(dict.fromkeys(_taken(one) for one in inner if one is not type(None)))
    return {"ByteSize": "bytes, or as `2GB`"}.get(getattr(annotation, "__name__", ""), "text")


def formats() -> str:
    """Every file of a run and of a bundle, with its fields or arrays."""
    parts = [
        f"Forms of `lsr export`: {', '.join(f'`{name}`' for name in ('csv', 'json', 'report', *forms.FORMS))}.",
        "",
    ]
    for name, model in FILES.items():
        if not name.startswith("lsr "):
            choices: dict[str, list[str]] = {}
            for path, kind in (line.split(" = ", 1) for line in model_lines(model)):
                choices.setdefault(path.strip("."), []).append(kind)
            rows = [(f"`{path}`", " or ".join(dict.fromkeys(kinds))) for path, kinds in choices.items()]
            parts += [f"## {name}", "", _first_line(model), "", *_table(("field", "type"), rows), ""]
    for name, arrays in ARRAYS.items():
        kind: Any = arrays
        parts += [f"## {name}", "", _first_line(kind), ""]
        parts += [f"Arrays: {', '.join(f'`{field}`' for field in kind.__dataclass_fields__)}.", ""]
    return "\n".join(parts)


def _first_line(kind: Any) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows)]


MAKERS: dict[str, Callable[[], str]] = {"commands": commands, "settings": settings, "formats": formats}
