"""Problem bundles: a folder or zip with `problem.json`, `model.safetensors` and `data.npz`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.problems.supervised import Architecture, Quantity, Split, SupervisedProblem
from lsr_core.storage import atomic
from lsr_core.storage.archives import unpack
from lsr_core.storage.arrays import read_arrays
from lsr_core.storage.bundle_schema import BUNDLE_FORMAT_VERSION, BundleFile, ProblemDescription
from lsr_core.storage.weights import load_network, read_tensors
from lsr_core.validation import describe

DESCRIPTION = "problem.json"
WEIGHTS: BundleFile = "model.safetensors"
DATA: BundleFile = "data.npz"
MAX_DESCRIPTION_BYTES = 2**20
SPLITS = ("train", "validation", "test", "grid")
_SAMPLES = "lsr_samples"


def load_problem(source: str | Path) -> SupervisedProblem:
    """The problem in a bundle, wholly checked.

    Args:
        source: name of a sample, or path of a bundle's folder or zip. A bare name that is both means the sample;
            write `./name` for the folder.

    Returns:
        The problem with its model in eval mode and in the dtype it is stored in; data in the dtype they are stored in.

    Raises:
        InputError: naming the file and the key at fault.
    """
    with bundle_folder(source) as folder:
        description = read_description(folder)
        for file, entry in description.files.items():
            _check_digest(folder / file, entry.bytes, entry.sha256)
        dtype: torch.dtype = getattr(torch, description.dtype)
        network = description.network
        try:
            model = load_network(
                network.architecture, network.arguments, read_tensors(folder / WEIGHTS)[0], dtype, WEIGHTS
            )
        except InputError as error:
            raise InputError(error.message, file=error.file or DESCRIPTION, key=error.key) from error
        splits = _read_splits(folder / DATA)
    _check_fit(model, splits["train"], dtype, description)
    return SupervisedProblem(
        name=description.name,
        title=description.title,
        description=description.description,
        model=model,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        grid=splits.get("grid"),
        input_quantities=tuple(Quantity(entry.name, entry.unit) for entry in description.inputs),
        output_quantities=tuple(Quantity(entry.name, entry.unit) for entry in description.outputs),
        architecture=Architecture(network.architecture, dict(network.arguments)),
    )


def save_problem(
    folder: str | Path,
    problem: SupervisedProblem,
    *,
    training: Mapping[str, str | int | float | bool | None] | None = None,
    seeds: Mapping[str, int] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a bundle; it appears under its name only when it is complete.

    Args:
        folder: where; must not exist, unless it is a bundle and `overwrite` is set.
        problem: needs `architecture`, `validation` and `test`.
        training: how the weights came about, shown to readers.
        seeds: the seeds used, by purpose.
        overwrite: replace a bundle that is there.

    Raises:
        InputError: the problem cannot be stored, or the folder is taken.
    """
    folder = Path(folder)
    if folder.exists() and not (overwrite and (folder / DESCRIPTION).is_file()):
        raise InputError("there is something already; choose another folder", file=str(folder))
    if problem.architecture is None:
        raise InputError("only a network built by a registered architecture can be stored", key="architecture")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp") as scratch:
        fresh = Path(scratch) / "new"
        fresh.mkdir()
        _write(fresh, problem, training or {}, seeds or {})
        load_problem(fresh)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        fresh.rename(folder)
    return folder


@contextmanager
def bundle_folder(source: str | Path) -> Iterator[Path]:
    """Yield the folder that holds a bundle's files; a zip is unpacked for the duration.

    Raises:
        InputError: no such sample, folder or zip, or a zip that is refused.
    """
    path = Path(source)
    if isinstance(source, str) and source in sample_names():
        yield importlib.import_module(_SAMPLES).folder(source)
    elif path.is_dir():
        yield path
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="lsr-bundle-") as scratch:
            unpack(path, Path(scratch), {DESCRIPTION, WEIGHTS, DATA})
            yield Path(scratch)
    else:
        samples = ", ".join(sample_names()) or "none installed"
        raise InputError(f"no bundle folder, zip or sample of this name; samples are: {samples}", file=str(source))


def copy_bundle(source: str | Path, destination: Path) -> None:
    """Copy the three files of a bundle into a new folder, after checking them; on failure the folder is gone again.

    Raises:
        InputError: the bundle cannot be used.
        OSError: it cannot be written, for example because the disk is full.
    """
    load_problem(source)
    with bundle_folder(source) as folder:
        destination.mkdir(parents=True)
        try:
            for name in (DESCRIPTION, WEIGHTS, DATA):
                shutil.copyfile(folder / name, destination / name)
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
    path = folder / DESCRIPTION
    if not path.is_file():
        raise InputError("this file is missing", file=DESCRIPTION)
    if path.stat().st_size > MAX_DESCRIPTION_BYTES:
        raise InputError(f"is larger than {MAX_DESCRIPTION_BYTES:,} bytes; it should only describe", file=DESCRIPTION)
    try:
        return ProblemDescription.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise describe(error, DESCRIPTION) from error


def _read_splits(path: Path) -> dict[str, Split]:
    required = [f"{split}_{part}" for split in SPLITS[:3] for part in ("inputs", "targets")]
    arrays = read_arrays(path, required=required, optional=["grid_inputs", "grid_targets"])
    if ("grid_inputs" in arrays) != ("grid_targets" in arrays):
        raise InputError("a grid needs both grid_inputs and grid_targets", file=DATA, key="grid_inputs")
    tensors = {key: _tensor(array, key) for key, array in arrays.items()}
    splits = {}
    for split in SPLITS:
        if f"{split}_inputs" not in tensors:
            continue
        inputs, targets = tensors[f"{split}_inputs"], tensors[f"{split}_targets"]
        if len(inputs) != len(targets):
            raise InputError(
                f"has {len(targets)} rows, {split}_inputs has {len(inputs)}; they must be as many",
                file=DATA,
                key=f"{split}_targets",
            )
        for part, tensor in (("inputs", inputs), ("targets", targets)):
            wanted = tensors[f"train_{part}"].shape[1:]
            if tensor.shape[1:] != wanted:
                raise InputError(
                    f"one row has the shape {_shape(tensor)}, in train it is {_shape(tensors[f'train_{part}'])}",
                    file=DATA,
                    key=f"{split}_{part}",
                )
        if split != "grid" and bool((targets == targets[:1]).all()) and (len(targets) > 1 or split == "train"):
            raise InputError(
                "all rows are equal; there is nothing to fit or to measure", file=DATA, key=f"{split}_targets"
            )
        splits[split] = Split(inputs, targets)
    return splits


def _tensor(array: np.ndarray, key: str) -> Tensor:
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise InputError(f"is {array.dtype}; save it as float64 or float32", file=DATA, key=key)
    wanted = 2 if key.endswith("_targets") else None
    if array.ndim < 2 or (wanted and array.ndim != wanted):
        expected = "(rows, outputs)" if wanted else "(rows, inputs)"
        raise InputError(f"has the shape {array.shape}; expected {expected}", file=DATA, key=key)
    if array.size == 0:
        raise InputError(f"is empty, its shape is {array.shape}; at least one row is needed", file=DATA, key=key)
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        raise InputError(
            f"{bad:,} of {array.size:,} values are NaN or infinite; remove or repair them", file=DATA, key=key
        )
    return torch.from_numpy(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")))


def _check_fit(model: nn.Module, train: Split, dtype: torch.dtype, description: ProblemDescription) -> None:
    """The network must take a row of the data and the names must be as many as the columns."""
    inputs, targets = train
    try:
        with torch.no_grad():
            answer = model(inputs[:1].to(dtype))
    except (RuntimeError, IndexError, ValueError) as error:
        raise InputError(
            f"the network does not take rows of the shape {_shape(inputs)}", file=DATA, key="train_inputs"
        ) from error
    if answer.shape != targets[:1].shape:
        raise InputError(
            f"one row has the shape {_shape(targets)}, the network gives {_shape(answer)}",
            file=DATA,
            key="train_targets",
        )
    for key, entries, tensor in (("inputs", description.inputs, inputs), ("outputs", description.outputs, targets)):
        if entries and len(entries) != tensor[0].numel():
            raise InputError(
                f"{len(entries)} names for {tensor[0].numel()} columns in {DATA}; they must be as many",
                file=DESCRIPTION,
                key=key,
            )


def _shape(tensor: Tensor) -> str:
    return "x".join(str(length) for length in tensor.shape[1:]) or "()"


def _check_digest(path: Path, size: int, digest: str) -> None:
    if not path.is_file():
        raise InputError("this file is missing", file=path.name)
    found = path.stat().st_size
    if found != size:
        raise InputError(
            f"has {found:,} bytes, {DESCRIPTION} says {size:,}; the file is truncated or was changed", file=path.name
        )
    if _digest(path) != digest:
        raise InputError(
            f"its SHA-256 is not the one in {DESCRIPTION}; the file was damaged or changed", file=path.name
        )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write(folder: Path, problem: SupervisedProblem, training: Mapping[str, Any], seeds: Mapping[str, int]) -> None:
    assert problem.architecture is not None
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in problem.model.state_dict().items()}
    dtypes = {str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values() if tensor.is_floating_point()}
    if len(dtypes) != 1:
        raise InputError(f"has weights of several types ({', '.join(sorted(dtypes))}); convert it to one", key="model")
    arrays = {
        f"{name}_{part}": tensor.detach().cpu().numpy()
        for name, split in problem.splits().items()
        for part, tensor in zip(("inputs", "targets"), split, strict=True)
    }
    atomic.write_with(folder / WEIGHTS, lambda path: safetensors.torch.save_file(tensors, path))
    atomic.write_arrays(folder / DATA, arrays)
    quantities = {"inputs": problem.input_quantities, "outputs": problem.output_quantities}
    try:
        description = ProblemDescription.model_validate(
            {
                "format_version": BUNDLE_FORMAT_VERSION,
                "kind": "supervised",
                "name": problem.name,
                "title": problem.title,
                "description": problem.description,
                "network": {"architecture": problem.architecture.name, "arguments": problem.architecture.arguments},
                "dtype": dtypes.pop(),
                "seeds": dict(seeds),
                "training": dict(training),
                **{key: [{"name": q.name, "unit": q.unit} for q in given] for key, given in quantities.items()},
                "files": {
                    name: {"sha256": _digest(folder / name), "bytes": (folder / name).stat().st_size}
                    for name in (WEIGHTS, DATA)
                },
            }
        )
    except ValidationError as error:
        raise describe(error) from error
    atomic.write_text(folder / DESCRIPTION, description.model_dump_json(indent=1) + "\n")
