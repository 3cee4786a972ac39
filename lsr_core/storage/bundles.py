"""Problem bundles: a folder or zip with `problem.json`, `model.safetensors`, `data.npz` and, if wanted, checkpoints."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture, Quantity
from lsr_core.storage import atomic, code_problems, digests, inside
from lsr_core.storage.archives import MAX_BYTES, unpack
from lsr_core.storage.bundle_files import DATA, DESCRIPTION, MAX_DESCRIPTION_BYTES, MAX_FILE_BYTES, WEIGHTS, check_files
from lsr_core.storage.bundle_schema import (
    CHECKPOINT_PATTERN,
    ProblemDescription,
)
from lsr_core.storage.bundle_writing import text_of, write_bundle
from lsr_core.storage.kinds import storing
from lsr_core.storage.weights import load_network, read_tensors
from lsr_core.validation import describe

_SAMPLES = "lsr_samples"
NO_BUNDLE = (
    f"a problem is a sample, or a folder or zip of {DESCRIPTION}, {WEIGHTS} and {DATA}. Weights with a table become one by "
    "`lsr bring WEIGHTS DATA --out FOLDER`, by problem() in a Python file (`lsr refine my_problem.py`), or on the page Bring your own of "
    "`lsr dashboard`; an equation may be a file that ends in .json"
)


def load_problem(source: str | Path, checkpoint: int | None = None) -> Problem:
    """The problem in a bundle, wholly checked.

    Args:
        source: name of a sample, or path of a bundle's folder or zip. A bare name that is both means the sample;
            write `./name` for the folder.
        checkpoint: epoch of one of its checkpoints, whose weights are then taken; None for the network itself.

    Returns:
        The problem with its model in eval mode and in the dtype it is stored in; data in the dtype they are stored in.

    Raises:
        InputError: naming the file and the key at fault.
    """
    with bundle_folder(source) as folder:
        description = read_description(folder)
        for _, error in check_files(folder, description):
            raise error
        dtype: torch.dtype = getattr(torch, description.dtype)
        network = description.network
        weights = WEIGHTS if checkpoint is None else _checkpoint_file(description, checkpoint)
        tensors = read_tensors(folder / weights)[0]
        if code_problems.is_code(description):
            return code_problems.load(description, folder, DATA, tensors)
        try:
            model = load_network(network.architecture, network.arguments, tensors, dtype, weights)
        except InputError as error:
            raise InputError(error.message, file=error.file or DESCRIPTION, key=error.key) from error
        return storing(description.kind).read(description, _common(description, model), folder / DATA)


def _checkpoint_file(description: ProblemDescription, epoch: int) -> str:
    for entry in description.checkpoints:
        if entry.epoch == epoch:
            return entry.file
    there = ", ".join(str(entry.epoch) for entry in description.checkpoints) or "none"
    raise InputError(f"has no checkpoint of epoch {epoch}; there are: {there}", file=DESCRIPTION, key="checkpoints")


def _common(description: ProblemDescription, model: nn.Module) -> dict[str, Any]:
    """What every kind of problem takes from its description."""
    network = description.network
    return {
        "name": description.name,
        "title": description.title,
        "description": description.description,
        "model": model,
        "input_quantities": tuple(Quantity(entry.name, entry.unit) for entry in description.inputs),
        "output_quantities": tuple(Quantity(entry.name, entry.unit) for entry in description.outputs),
        "architecture": Architecture(network.architecture, dict(network.arguments)),
    }


def save_problem(
    folder: str | Path,
    problem: Problem,
    *,
    training: Mapping[str, str | int | float | bool | None] | None = None,
    seeds: Mapping[str, int] | None = None,
    checkpoints: Mapping[int, Mapping[str, Tensor]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a bundle; it appears under its name only when it is complete.

    Args:
        folder: where; must not exist, unless it is a bundle and `overwrite` is set.
        problem: needs `architecture`; of an equation, one of the library.
        training: how the weights came about, shown to readers.
        seeds: the seeds used, by purpose.
        checkpoints: state dicts along the training, by epoch; one that is the model's own is stored once.
        overwrite: replace a bundle that is there.

    Raises:
        InputError: the problem cannot be stored, or the folder is taken.
    """
    folder = inside.named(folder)
    if inside.there(folder) and not (overwrite and not folder.is_symlink() and inside.there(folder / DESCRIPTION)):
        raise InputError("there is something already; choose another folder", file=str(folder))
    if problem.architecture is None:
        raise InputError("only a network built by a registered architecture can be stored", key="architecture")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        write_bundle(fresh, problem, training or {}, seeds or {}, checkpoints or {})
        if problem.architecture.name != "python-session":  # what only lives in this process cannot be read back
            for epoch in (None, *(checkpoints or {})):
                load_problem(fresh, epoch)
        if inside.there(folder):
            folder.rename(Path(scratch) / "old")
        fresh.rename(folder)
    return folder


@contextmanager
def bundle_folder(source: str | Path) -> Iterator[Path]:
    """Yield the folder that holds a bundle's files; a zip is unpacked for the duration.

    Raises:
        InputError: no such sample, folder or zip, or a zip that is refused.
    """
    if isinstance(source, str) and source in sample_names():
        yield importlib.import_module(_SAMPLES).folder(source)
        return
    path = inside.named(source)
    if path.is_dir() or path.is_symlink():
        yield path
    elif path.is_file():
        with inside.opened_as_named(path, MAX_BYTES) as stream:
            if stream.read(2) != b"PK":
                raise InputError(f"is no zip: {NO_BUNDLE}", file=path.name)
        with tempfile.TemporaryDirectory(prefix="lsr-bundle-") as scratch:
            unpack(path, Path(scratch), {DESCRIPTION, WEIGHTS, DATA}, pattern=CHECKPOINT_PATTERN)
            yield Path(scratch)
    else:
        samples = ", ".join(sample_names()) or "none installed"
        raise InputError(f"no bundle folder, zip or sample of this name; samples are: {samples}", file=str(source))


def copy_bundle(source: str | Path, destination: Path, *, checkpoints: bool = False) -> None:
    """Copy a bundle into a new folder, after checking what is copied; on failure the folder is gone again.

    Args:
        checkpoints: take the checkpoints along; without them the copy has its three files.

    Raises:
        InputError: the bundle cannot be used.
        OSError: it cannot be written, for example because the disk is full.
    """
    with bundle_folder(source) as folder:
        description = read_description(folder)
        for epoch in (None, *(entry.epoch for entry in description.checkpoints if checkpoints)):
            load_problem(folder, epoch)
        kept = description if checkpoints else description.without_checkpoints()
        destination.mkdir(parents=True)
        try:
            for name in kept.files:
                inside.copy(folder / name, destination / name, MAX_FILE_BYTES)
            if kept.checkpoints == description.checkpoints:
                inside.copy(folder / DESCRIPTION, destination / DESCRIPTION, MAX_DESCRIPTION_BYTES)
            else:
                atomic.write_text(destination / DESCRIPTION, text_of(kept))
        except BaseException:
            shutil.rmtree(destination, ignore_errors=True)
            raise


def sample_names() -> list[str]:
    """Names of the samples that are installed; none when the library stands alone."""
    if importlib.util.find_spec(_SAMPLES) is None:
        return []
    names: list[str] = importlib.import_module(_SAMPLES).names()
    return names


def read_description(folder: Path) -> ProblemDescription:
    """The checked `problem.json` of a bundle's folder.

    Raises:
        InputError: it is missing, too large, or does not follow the format.
    """
    return description_of(description_text(folder))


def description_text(folder: Path) -> bytes:
    """`problem.json` of a bundle's folder, not looked into. Raises `InputError` where it is missing or too large."""
    return digests.read(folder / DESCRIPTION, MAX_DESCRIPTION_BYTES)


def description_of(text: bytes) -> ProblemDescription:
    """What a `problem.json` says. Raises `InputError` where it does not follow the format."""
    try:
        return ProblemDescription.model_validate_json(text)
    except ValidationError as error:
        raise describe(error, DESCRIPTION) from error


def parameter_count(description: ProblemDescription) -> int:
    """Scalars that a bundle's network has; nothing is allocated. Raises as `architectures.validate`."""
    if code_problems.is_code(description):
        return code_problems.about_code(description).parameters
    return architectures.validate(description.network.architecture, description.network.arguments).parameter_count()
