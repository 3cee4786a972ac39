"""The files of a bundle, written into an empty folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.problems.problem import Problem
from lsr_core.storage import atomic, inside
from lsr_core.storage.bundle_files import DATA, DESCRIPTION, MAX_FILE_BYTES, WEIGHTS
from lsr_core.storage.bundle_schema import BUNDLE_FORMAT_VERSION, CheckpointEntry, ProblemDescription
from lsr_core.storage.code_problems import copy_code
from lsr_core.storage.kinds import storing
from lsr_core.storage.weights import write_tensors
from lsr_core.validation import describe


def file_entry(path: Path) -> dict[str, Any]:
    """Digest and size of a file of a bundle that is being written."""
    with inside.opened(path, MAX_FILE_BYTES) as stream:
        return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest(), "bytes": stream.tell()}


def text_of(description: ProblemDescription) -> str:
    """Of `problem.json`."""
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
            write_tensors(folder / file, tensors)
        entries.append(CheckpointEntry(epoch=epoch, file=file))
    return entries


def write_bundle(
    folder: Path,
    problem: Problem,
    training: Mapping[str, Any],
    seeds: Mapping[str, int],
    checkpoints: Mapping[int, Mapping[str, Tensor]],
) -> None:
    assert problem.architecture is not None
    tensors = _stored(problem.model.state_dict())
    numbers = [tensor for tensor in tensors.values() if tensor.is_floating_point() or tensor.is_complex()]
    dtypes = {str(tensor.dtype.to_real()).removeprefix("torch.") for tensor in numbers}
    if len(dtypes) != 1:
        raise InputError(f"has weights of several types ({', '.join(sorted(dtypes))}); convert it to one", key="model")
    kind = storing(problem.kind)
    copies = copy_code(problem, folder)
    atomic.write_with(folder / WEIGHTS, lambda path: write_tensors(path, tensors))
    atomic.write_arrays(folder / DATA, kind.arrays(problem))
    entries = _write_checkpoints(folder, checkpoints, tensors)
    stored = dict.fromkeys((WEIGHTS, DATA, *copies, *(entry.file for entry in entries)))
    quantities = {"inputs": problem.input_quantities, "outputs": problem.output_quantities}
    try:
        description = ProblemDescription.model_validate(
            {
                "format_version": BUNDLE_FORMAT_VERSION,
                "kind": problem.kind if type(problem) is kind.problem_class else "",
                **kind.entry(problem),
                "name": problem.name,
                "title": problem.title,
                "description": problem.description,
                "network": {"architecture": problem.architecture.name, "arguments": problem.architecture.arguments},
                "dtype": dtypes.pop(),
                "seeds": dict(seeds),
                "training": dict(training),
                **{key: [{"name": q.name, "unit": q.unit} for q in given] for key, given in quantities.items()},
                "files": {name: file_entry(folder / name) for name in stored},
                "checkpoints": entries,
            }
        )
    except ValidationError as error:
        raise describe(error) from error
    atomic.write_text(folder / DESCRIPTION, text_of(description))
