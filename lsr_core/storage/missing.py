"""A bundle without the samples whose targets are missing, for those who ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lsr_core.errors import InputError
from lsr_core.problems.kinds import words_of
from lsr_core.storage import atomic, inside
from lsr_core.storage.arrays import read_arrays
from lsr_core.storage.bundle_files import DESCRIPTION, MAX_FILE_BYTES
from lsr_core.storage.bundle_schema import MAX_TEXT, FileEntry
from lsr_core.storage.bundle_writing import file_entry, text_of
from lsr_core.storage.bundles import read_description
from lsr_core.storage.data import DATA, SPLITS


def without_missing(folder: Path, destination: Path) -> dict[str, int]:
    """Copy a bundle, but for samples with a target that is NaN.

    Infinite values stay, and are refused as ever: they are no missing ones.

    Args:
        folder: of the bundle.
        destination: a new folder.

    Returns:
        How many samples were left out, by split; nothing where none was, and then nothing is written.

    Raises:
        InputError: an equation, which has no targets; a split of which nothing is left.
    """
    description = read_description(folder)
    if words_of(description.kind).entry:
        raise InputError(
            "an equation has no targets that could be missing; leave out --drop-missing", key="drop_missing"
        )
    arrays = read_arrays(
        folder / DATA, optional=[f"{split}_{part}" for split in SPLITS for part in ("inputs", "targets")]
    )
    counts: dict[str, int] = {}
    for split in SPLITS:
        inputs, targets = (arrays.get(f"{split}_{part}") for part in ("inputs", "targets"))
        if inputs is None or targets is None or targets.dtype.kind != "f" or len(inputs) != len(targets):
            continue
        kept = ~np.isnan(targets.reshape(len(targets), -1)).any(axis=1)
        if kept.all():
            continue
        if not kept.any():
            raise InputError(
                "every sample misses a target, so that nothing would be left", file=DATA, key=f"{split}_targets"
            )
        counts[split] = int((~kept).sum())
        arrays[f"{split}_inputs"], arrays[f"{split}_targets"] = inputs[kept], targets[kept]
    if not counts:
        return counts
    destination.mkdir(parents=True)
    for name in description.files:
        if name != DATA:
            inside.copy(folder / name, destination / name, MAX_FILE_BYTES)
    atomic.write_arrays(destination / DATA, arrays)
    files = {**description.files, DATA: FileEntry(**file_entry(destination / DATA))}
    words = in_words(counts)
    said = f"{description.description[: MAX_TEXT - len(words) - 1]} {words}".strip()
    atomic.write_text(
        destination / DESCRIPTION, text_of(description.model_copy(update={"files": files, "description": said}))
    )
    return counts


def in_words(counts: dict[str, int]) -> str:
    """What was left out, as a sentence; empty where nothing was."""
    if not counts:
        return ""
    parts = ", ".join(f"{count:,} of {split}" for split, count in counts.items())
    return f"Samples with a missing target were left out: {parts}."
