"""Problem bundles: a folder or zip with `problem.json`, `model.safetensors`, `data.npz` and, if wanted, checkpoints."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.problems.classification import ClassificationProblem
from lsr_core.problems.operators import OperatorProblem
from lsr_core.problems.physics.equations import build as build_equation
from lsr_core.problems.physics.problem import PhysicsProblem, draw_points
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture, Quantity, Split
from lsr_core.problems.supervised import SupervisedProblem
from lsr_core.storage import atomic, code_problems, digests, inside
from lsr_core.storage.archives import unpack
from lsr_core.storage.bundle_schema import (
    BUNDLE_FORMAT_VERSION,
    CHECKPOINT_PATTERN,
    BundleFile,
    CheckpointEntry,
    ProblemDescription,
)
from lsr_core.storage.code import COPIES
from lsr_core.storage.data import read_points, read_splits, shape_of
from lsr_core.storage.weights import load_network, read_tensors
from lsr_core.validation import describe

DESCRIPTION = "problem.json"
WEIGHTS: BundleFile = "model.safetensors"
DATA: BundleFile = "data.npz"
MAX_DESCRIPTION_BYTES = 2**20
MAX_FILE_BYTES = 64 * 2**30  # readers of weights and data have smaller bounds
_DATA_KINDS: dict[str, type[SupervisedProblem]] = {
    "supervised": SupervisedProblem,
    "classification": ClassificationProblem,
    "operator": OperatorProblem,
}
_SAMPLES = "lsr_samples"


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
        if code_problems.is_code(description):
            return code_problems.load(description, folder, DATA, read_tensors(folder / weights)[0])
        try:
            model = load_network(
                network.architecture, network.arguments, read_tensors(folder / weights)[0], dtype, weights
            )
        except InputError as error:
            raise InputError(error.message, file=error.file or DESCRIPTION, key=error.key) from error
        if description.physics is not None:
            return _physics_problem(description, model, folder / DATA)
        splits = read_splits(folder / DATA)
    _check_fit(model, splits["train"], dtype, description)
    return _DATA_KINDS[description.kind](
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        grid=splits.get("grid"),
        **_common(description, model),
    )


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


def _physics_problem(description: ProblemDescription, model: nn.Module, data: Path) -> PhysicsProblem:
    """The equation from the library, on the points of the bundle; points that are not stored are drawn from the seed."""
    entry = description.physics
    assert entry is not None
    try:
        equation = build_equation(entry.equation, entry.arguments)
        points, fresh, splits = read_points(data, [block.name for block in equation.blocks])
        drawn, drawn_fresh = draw_points(equation.blocks, entry.seed)
        test = splits.get("test") or _reference(
            entry.equation, json.dumps(entry.arguments)
        )  # the order of the inputs counts
        grid = splits.get("grid") or (equation.plain_grid() if test is None else None)
        shown = test or grid
        assert shown is not None
        _check_fit(model, shown, getattr(torch, description.dtype), description, key="test" if test else "grid")
        return PhysicsProblem(
            equation=entry.equation,
            arguments=dict(entry.arguments),
            domain=dict(equation.domain),
            outputs=tuple(equation.outputs),
            blocks=tuple(equation.blocks),
            points={**drawn, **points},
            fresh={**drawn_fresh, **fresh},
            test=test,
            grid=grid,
            seed=entry.seed,
            **_common(description, model),
        )
    except InputError as error:
        raise InputError(error.message, file=error.file or DESCRIPTION, key=error.key) from error


@lru_cache(maxsize=8)
def _reference(name: str, arguments: str) -> Split | None:
    """The solution on the equation's own grid; a job opens its bundle several times."""
    return build_equation(name, json.loads(arguments)).test()


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
        problem: needs `architecture`; for data also `validation` and `test`, for an equation one of the library.
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
        _write(fresh, problem, training or {}, seeds or {}, checkpoints or {})
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
                atomic.write_text(destination / DESCRIPTION, _text(kept))
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
    try:
        return ProblemDescription.model_validate_json(digests.read(folder / DESCRIPTION, MAX_DESCRIPTION_BYTES))
    except ValidationError as error:
        raise describe(error, DESCRIPTION) from error


def parameter_count(description: ProblemDescription) -> int:
    """Scalars that a bundle's network has; nothing is allocated. Raises as `architectures.validate`."""
    if code_problems.is_code(description):
        return code_problems.about_code(description).parameters
    return architectures.validate(description.network.architecture, description.network.arguments).parameter_count()


def _check_fit(
    model: nn.Module, train: Split, dtype: torch.dtype, description: ProblemDescription, key: str = "train"
) -> None:
    """The network must take a row of the data and the names must be as many as the columns."""
    inputs, targets = train
    try:
        with torch.no_grad():
            answer = model(inputs[:1].to(dtype))
    except (RuntimeError, IndexError, ValueError) as error:
        if "allocate memory" in str(error):  # torch has no class for it
            raise InputError(
                "needs more memory for a single row than there is; use a smaller network",
                file=DESCRIPTION,
                key="network",
            ) from error
        raise InputError(
            f"the network does not take rows of the shape {shape_of(inputs)}", file=DATA, key=f"{key}_inputs"
        ) from error
    if answer.shape != targets[:1].shape:
        raise InputError(
            f"one row has the shape {shape_of(targets)}, the network gives {shape_of(answer)}",
            file=DATA,
            key=f"{key}_targets",
        )
    for side, entries, tensor in (("inputs", description.inputs, inputs), ("outputs", description.outputs, targets)):
        if entries and len(entries) != tensor[0].numel():
            raise InputError(
                f"{len(entries)} names for {tensor[0].numel()} columns in {DATA}; they must be as many",
                file=DESCRIPTION,
                key=side,
            )


def check_files(
    folder: Path, description: ProblemDescription, largest: int = MAX_FILE_BYTES
) -> Iterator[tuple[str, InputError]]:
    """Names and faults of the files of a bundle that are not those of its description; larger ones than `largest` are left out."""
    for name, entry in description.files.items():
        if entry.bytes <= largest:
            try:
                _check_digest(folder / name, entry.bytes, entry.sha256)
            except InputError as error:
                yield name, error


def _check_digest(path: Path, size: int, digest: str) -> None:
    with inside.opened(path, MAX_FILE_BYTES) as stream:
        found = stream.seek(0, os.SEEK_END)
        if found != size:
            raise InputError(
                f"has {found:,} bytes, {DESCRIPTION} says {size:,}; the file is truncated or was changed",
                file=path.name,
            )
        stream.seek(0)
        if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
            raise InputError(
                f"its SHA-256 is not the one in {DESCRIPTION}; the file was damaged or changed", file=path.name
            )


def _entry(path: Path) -> dict[str, Any]:
    """Digest and size of a file of a bundle that is being written."""
    with inside.opened(path, MAX_FILE_BYTES) as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "bytes": stream.tell()}


def _text(description: ProblemDescription) -> str:
    return description.model_dump_json(indent=1) + "\n"


def _stored(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}


def _write_checkpoints(
    folder: Path, states: Mapping[int, Mapping[str, Tensor]], model: Mapping[str, Tensor]
) -> list[CheckpointEntry]:
    entries = []
    for epoch, state in sorted(states.items()):
        tensors = _stored(state)
        same = tensors.keys() == model.keys() and all(torch.equal(tensors[name], model[name]) for name in model)
        file = WEIGHTS if same else f"checkpoint-{epoch:04d}.safetensors"
        if not same:
            safetensors.torch.save_file(tensors, folder / file)
        entries.append(CheckpointEntry(epoch=epoch, file=file))
    return entries


def _write(
    folder: Path,
    problem: Problem,
    training: Mapping[str, Any],
    seeds: Mapping[str, int],
    checkpoints: Mapping[int, Mapping[str, Tensor]],
) -> None:
    assert problem.architecture is not None
    tensors = _stored(problem.model.state_dict())
    dtypes = {str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values() if tensor.is_floating_point()}
    if len(dtypes) != 1:
        raise InputError(f"has weights of several types ({', '.join(sorted(dtypes))}); convert it to one", key="model")
    splits = problem.splits()
    kind: dict[str, Any] = {"kind": next((name for name, made in _DATA_KINDS.items() if type(problem) is made), "")}
    arrays: dict[str, Any] = {}
    copies = code_problems.copy_code(problem, folder)
    if isinstance(problem, PhysicsProblem) and problem.architecture.name in COPIES:
        kind, arrays = code_problems.physics_parts(problem)
    elif isinstance(problem, PhysicsProblem):
        equation = {"equation": problem.equation, "arguments": dict(problem.arguments), "seed": problem.seed}
        kind = {"kind": "physics", "physics": equation}
        library = build_equation(problem.equation, problem.arguments)
        if library.exact is not None:
            splits.pop("test", None)  # a formula is cheaper to evaluate than to store
        plain = library.plain_grid()
        if plain is not None and problem.grid is not None and torch.equal(plain.inputs, problem.grid.inputs.cpu()):
            splits.pop("grid")  # zeros where nothing is known
        given = {"points": problem.points, "fresh": problem.fresh}
        for (prefix, sets), drawn in zip(given.items(), draw_points(library.blocks, problem.seed), strict=True):
            for name, points in sets.items():
                kept = points.detach().cpu()
                if name not in drawn or not torch.equal(kept.double(), drawn[name]):  # the seed gives the others again
                    arrays[f"{prefix}_{name}"] = kept.numpy()
    for name, split in splits.items():
        for part, tensor in zip(("inputs", "targets"), split, strict=True):
            rows = tensor.detach().cpu()
            if part == "targets":
                rows = rows.reshape(len(rows), -1)  # as a refinement sees them
            arrays[f"{name}_{part}"] = rows.numpy()
    atomic.write_with(folder / WEIGHTS, lambda path: safetensors.torch.save_file(tensors, path))
    atomic.write_arrays(folder / DATA, arrays)
    entries = _write_checkpoints(folder, checkpoints, tensors)
    stored = dict.fromkeys((WEIGHTS, DATA, *copies, *(entry.file for entry in entries)))
    quantities = {"inputs": problem.input_quantities, "outputs": problem.output_quantities}
    try:
        description = ProblemDescription.model_validate(
            {
                "format_version": BUNDLE_FORMAT_VERSION,
                **kind,
                "name": problem.name,
                "title": problem.title,
                "description": problem.description,
                "network": {"architecture": problem.architecture.name, "arguments": problem.architecture.arguments},
                "dtype": dtypes.pop(),
                "seeds": dict(seeds),
                "training": dict(training),
                **{key: [{"name": q.name, "unit": q.unit} for q in given] for key, given in quantities.items()},
                "files": {name: _entry(folder / name) for name in stored},
                "checkpoints": entries,
            }
        )
    except ValidationError as error:
        raise describe(error) from error
    atomic.write_text(folder / DESCRIPTION, _text(description))
