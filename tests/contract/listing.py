"""The list as the code has it now: names and commands are asked, keys of `--json` come from commands that are run."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import lsr_app
import lsr_core
from lsr_app import cli
from lsr_core.diagnosis.plane import PlaneSettings
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.integrations import during
from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.records import BaselinePoint, IterationStep, IterationSummary
from lsr_core.lab.records import IsolationRecord, RaceRecord
from lsr_core.portable import forms
from lsr_core.refinement.case_records import CasesRecord
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.results import Directions, Fields, LossPaths, Spectrum, Sweep
from lsr_core.refinement.smoothing_record import SmoothingCurves
from lsr_core.refinement.summary import Summary
from lsr_core.solver.config import SolveConfig
from lsr_core.solver.records import SolveStep, SolveSummary
from lsr_core.storage.bundle_schema import ProblemDescription
from lsr_core.storage.digests import Digests
from lsr_core.storage.export import PredictorDescription
from lsr_core.storage.records import Manifest, Status
from lsr_core.suites.running import SuiteRow
from tests.contract.printed import printed_keys
from tests.contract.snapshot import Listing

FILES: dict[str, type[BaseModel]] = {
    "problem.json": ProblemDescription, "run.json": Manifest, "status.json": Status, "summary.json": Summary, "digests.json": Digests,
    "race.json": RaceRecord, "isolation.json": IsolationRecord, "training.json": TrainingRecord, "cases.json": CasesRecord,
    "iteration.json": IterationSummary, "steps.jsonl": IterationStep, "baselines.jsonl": BaselinePoint, "solve.json": SolveSummary,
    "solve.jsonl": SolveStep, "predictor.safetensors": PredictorDescription, "lsr suite": SuiteRow,
}  # fmt: skip
SETTINGS: dict[str, type[BaseModel]] = {
    "refine": RefineConfig, "iterate": IterateConfig, "solve": SolveConfig, "plane": PlaneSettings,
}  # fmt: skip
ARRAYS = {
    "sweep.npz": Sweep, "spectrum.npz": Spectrum, "fields.npz": Fields, "paths.npz": LossPaths, "directions.npz": Directions,
    "smoothing.npz": SmoothingCurves,
}  # fmt: skip


def current(scratch: Path) -> Listing:
    """All of the list; `scratch` is an empty folder to run commands in."""
    found = {
        "names": [*_names("lsr_core", lsr_core, lsr_core.__all__), *_names("lsr_app", lsr_app, lsr_app.__all__)],
        "integrations": list(_names(during.__name__, during, ("Gain", "RefineDuring", "keep_in"))),
        "options": list(_options()),
        "export formats": list(forms.FORMS),
        "settings": [f"{job} {line}" for job, model in SETTINGS.items() for line in model_lines(model)],
        "files": [f"{name} {line}" for name, model in FILES.items() for line in model_lines(model)],
        "arrays": [f"{name} {field.name}" for name, kind in ARRAYS.items() for field in fields(kind)],
        "json": printed_keys(scratch),
    }
    return {part: sorted(set(lines)) for part, lines in found.items()}


def _names(home: str, module: Any, names: Any) -> Iterator[str]:
    """Each public name and its arguments, and the public members of classes with theirs; a line each, so that a new one takes none away."""
    for name in names:
        value = getattr(module, name)
        yield f"{home}.{name}"
        if not isinstance(value, type):
            yield from _arguments(f"{home}.{name}", value)
            continue
        if not issubclass(value, BaseModel | Exception):
            yield from _arguments(f"{home}.{name}", value)
        for member in sorted(set(_members(value))):
            kept = inspect.getattr_static(value, member, None)
            call = kept.__func__ if isinstance(kept, staticmethod | classmethod) else kept
            yield f"{home}.{name}.{member}"
            if inspect.isfunction(call):
                yield from _arguments(f"{home}.{name}.{member}", call)


def _members(kind: type) -> Iterator[str]:
    """What this package, and not torch or pydantic, gives a class."""
    for ancestor in kind.__mro__:
        if ancestor.__module__.startswith("lsr_"):
            yield from (
                name for name in {*vars(ancestor), *vars(ancestor).get("__annotations__", {})} if name[0] != "_"
            )


def _arguments(name: str, value: Any) -> Iterator[str]:
    """Arguments with their places, and = where there is a default."""
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError):
        return
    for place, one in enumerate(one for one in parameters if one.name not in ("self", "cls")):
        yield f"{name}({'by name' if one.kind is inspect.Parameter.KEYWORD_ONLY else place}: {_argument(one)})"


def _argument(one: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(one.kind, "")
    return f"{stars}{one.name}{'' if one.default is inspect.Parameter.empty else '='}"


def _options() -> Iterator[str]:
    """Every command, its arguments and options."""
    import typer

    group: Any = typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        for parameter in command.params:
            yield f"lsr {name} {' '.join([*parameter.opts, *parameter.secondary_opts])}"


def model_lines(model: type[BaseModel]) -> Iterator[str]:
    """Fields of a model and of those within, with their types, as the JSON Schema of what is written has them."""
    schema = model.model_json_schema()
    yield from _schema(schema, schema.get("$defs", {}), "", ())


def _schema(part: dict[str, Any], known: dict[str, Any], path: str, seen: tuple[str, ...]) -> Iterator[str]:
    if name := part.get("$ref", "").rpartition("/")[2]:
        if name not in seen:
            yield from _schema(known[name], known, path, (*seen, name))
        return
    for key, value in part.get("properties", {}).items():
        needed = "" if key in part.get("required", ()) else "?"
        yield from (f"{path}.{key}{needed} = {choice}" for choice in _types(value))
        yield from _schema(value, known, f"{path}.{key}", seen)
    for inner in (part.get("items"), part.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _schema(inner, known, f"{path}[]", seen)
    for choice in part.get("anyOf", ()):
        yield from _schema(choice, known, path, seen)


def _types(part: dict[str, Any]) -> list[str]:
    """What a value may be, a line each, so that a new choice takes none away."""
    if "anyOf" in part:
        return [one for choice in part["anyOf"] for one in _types(choice)]
    if "const" in part or "enum" in part:
        return [repr(value) for value in part.get("enum", [part.get("const")])]
    return [str(part.get("$ref", "").rpartition("/")[2] or part.get("type", "any"))]
