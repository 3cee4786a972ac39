"""`problem.json` of a bundle, as pydantic models; the shipped JSON Schema is generated from them.

Run `python -m lsr_core.storage.bundle_schema` to write the schema again after a change.
"""

from __future__ import annotations

import json
import math
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from lsr_core.problems.kinds import HOMES, ProblemKind, words_of

BUNDLE_FORMAT_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("problem.schema.json")
BundleFile = Literal["model.safetensors", "data.npz"]
CodeFile = Literal["code.py", "program.pt2"]  # only in runs and bundles of this machine, never in a zip
CHECKPOINT_PATTERN = r"^checkpoint-[0-9]{4,9}\.safetensors$"
CheckpointFile = Annotated[str, StringConstraints(pattern=CHECKPOINT_PATTERN)]
MAX_CHECKPOINTS = 100
# Marks that reorder or hide text: a name must look like what it is.
_HIDDEN = frozenset("\u2028\u2029\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" or character in _HIDDEN for character in text):
        raise ValueError("must not contain control characters")
    return text


def _paragraphs(text: str) -> str:
    _one_line(text.replace("\n", " "))
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be finite (got {value})")
    return value


def _known_version(version: Any) -> Any:
    if version != BUNDLE_FORMAT_VERSION:
        raise ValueError(f"format version {version!r:.40} is not known; this version reads {BUNDLE_FORMAT_VERSION}")
    return version


def _both_files(files: dict[str, Any]) -> dict[str, Any]:
    missing = {"model.safetensors", "data.npz"} - set(files)
    if missing:
        raise ValueError(f"the entry for {min(missing)} is missing")
    return files


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_one_line)]
Unit = Annotated[str, StringConstraints(max_length=40), AfterValidator(_one_line)]
Title = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]
MAX_TEXT = 4000
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(_paragraphs)]
Scalar = Annotated[str | int | float | bool | None, AfterValidator(_finite)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuantityEntry(_Part):
    """Name and unit of an input or output, as shown on axes; plain text."""

    name: Name
    unit: Unit = ""


class NetworkEntry(_Part):
    """A registered architecture and its arguments."""

    architecture: Name
    arguments: dict[str, Any] = Field(default_factory=dict)


class PhysicsEntry(_Part):
    """An equation of the library, by name and arguments; no code comes with a bundle."""

    equation: Name
    arguments: dict[str, Any] = Field(default_factory=dict)
    seed: int = Field(0, ge=0, lt=2**63, description="from which points that are not stored are drawn")


class FileEntry(_Part):
    """Digest and size of a file of the bundle."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: int = Field(ge=1)


class CheckpointEntry(_Part):
    """Weights at one moment of the training; the last may be those of the model itself."""

    epoch: int = Field(ge=0, lt=10**9, description="complete passes over the training data")
    file: CheckpointFile | Literal["model.safetensors"]


class ProblemDescription(_Part):
    """The whole of `problem.json`."""

    format_version: Annotated[Literal[1], BeforeValidator(_known_version)]
    kind: ProblemKind
    name: Name
    title: Title = ""
    description: Text = ""
    network: NetworkEntry
    physics: PhysicsEntry | None = Field(None, description="the equation, if the kind is physics")
    dtype: Literal["float64", "float32"] = Field(description="of the weights; data may be of either")
    seeds: dict[Name, int] = Field(default_factory=dict, max_length=50)
    training: dict[Name, Scalar] = Field(default_factory=dict, max_length=100, description="the recipe, to be read")
    inputs: list[QuantityEntry] = Field(default_factory=list, max_length=10_000)
    outputs: list[QuantityEntry] = Field(default_factory=list, max_length=10_000)
    checkpoints: list[CheckpointEntry] = Field(
        default_factory=list, max_length=MAX_CHECKPOINTS, description="along the training, by epoch"
    )
    files: Annotated[dict[BundleFile | CodeFile | CheckpointFile, FileEntry], AfterValidator(_both_files)]

    @model_validator(mode="after")
    def _entry_where_there_is_one(self) -> ProblemDescription:
        for kind in HOMES:
            key = words_of(kind).entry
            if key and (getattr(self, key) is not None) != (words_of(self.kind).entry == key):
                raise ValueError(f"the kind {kind}, and no other, has the entry `{key}`")
        return self

    @model_validator(mode="after")
    def _checkpoints_are_the_other_files(self) -> ProblemDescription:
        named = [entry.file for entry in self.checkpoints]
        if any(later.epoch <= earlier.epoch for earlier, later in pairwise(self.checkpoints)):
            raise ValueError("the epochs of `checkpoints` must rise")
        if len(set(named)) < len(named):
            raise ValueError("two checkpoints name the same file; each epoch has its own")
        others = set(self.files) - {"data.npz", "model.safetensors", "code.py", "program.pt2"}
        if wrong := sorted(others.symmetric_difference(set(named) - {"model.safetensors"})):
            raise ValueError(f"{wrong[0]} must stand both under `checkpoints` and under `files`")
        return self

    def without_checkpoints(self) -> ProblemDescription:
        """The same problem as a bundle of three files."""
        files = {name: entry for name, entry in self.files.items() if not name.startswith("checkpoint-")}
        return self.model_copy(update={"checkpoints": [], "files": files})


def schema_text() -> str:
    """The JSON Schema of `problem.json`, as shipped."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **ProblemDescription.model_json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
