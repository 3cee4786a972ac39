"""The names of a problem, read from its bundle: it may come from anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from lsr_app.words import parts
from lsr_app.words.parts import Parts
from lsr_core.problems.splits import Quantity
from lsr_core.storage import code
from lsr_core.storage.bundles import description_of, description_text, read_description


@dataclass(frozen=True)
class About:
    """Names for the screen, none of them escaped yet."""

    name: str
    title: str
    description: str = ""
    architecture: str = ""
    kind: str = "supervised"
    inputs: tuple[Quantity, ...] = ()
    outputs: tuple[Quantity, ...] = ()
    seeds: Mapping[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        """What the errors of this kind of problem are called."""
        return parts.of(self.kind)


@dataclass(frozen=True)
class Identified:
    """The title of a problem, and what tells it from others: a digest of its description, which holds those of weights and data."""

    title: str
    identity: str


def named(folder: Path) -> Identified:
    """Title and identity of a bundle, whose checkpoints make no other problem of it.

    Raises:
        InputError: its description is missing or does not follow the format.
    """
    return _named(description_text(folder))


@lru_cache(maxsize=128)  # many runs are of few problems, and a description is quicker to read than to understand
def _named(text: bytes) -> Identified:
    described = description_of(text)
    whole = described.without_checkpoints().model_dump_json()
    return Identified(described.title or described.name, hashlib.sha256(whole.encode()).hexdigest())


def about_bundle(folder: Path) -> About:
    """Names of a bundle.

    Raises:
        InputError: its description is missing or does not follow the format.
    """
    described = read_description(folder)
    return About(
        name=described.name,
        title=described.title or described.name,
        description=described.description,
        kind=described.kind,
        architecture=_architecture(described.network.architecture, described.network.arguments),
        inputs=tuple(Quantity(entry.name, entry.unit) for entry in described.inputs),
        outputs=tuple(Quantity(entry.name, entry.unit) for entry in described.outputs),
        seeds=described.seeds,
    )


def _architecture(name: str, arguments: Mapping[str, Any]) -> str:
    """'MLP 2–128×6–1, tanh' for multilayer perceptrons, otherwise the registered name."""
    layers = arguments.get("layers")
    if name in code.COPIES:
        return f"from {arguments.get('file')}"
    if name not in ("mlp", "pinn-mlp") or not isinstance(layers, list) or len(layers) < 2:
        return name
    runs = [f"{width}×{len(group)}" if many else str(width) for width, many, group in _runs(layers)]
    return f"MLP {'–'.join(runs)}, {arguments.get('activation', 'tanh')}"


def _runs(layers: list[int]) -> Iterator[tuple[int, bool, list[int]]]:
    for width, group in groupby(layers):
        members = list(group)
        yield width, len(members) > 1, members
