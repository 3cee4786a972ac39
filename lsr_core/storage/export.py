"""The refined predictor as one safetensors file that needs nothing else to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from lsr_core.errors import InputError
from lsr_core.networks.copies import in_dtype, scalars
from lsr_core.problems.problem import Problem
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.spread import Spread
from lsr_core.refinement.summary import Errors
from lsr_core.refinement.unknowns import UnknownNumber
from lsr_core.storage import atomic, inside
from lsr_core.storage.bundle_schema import NetworkEntry, QuantityEntry
from lsr_core.storage.code import COPIES
from lsr_core.storage.spreads import read_spread
from lsr_core.storage.weights import check_finite, check_same_names, fill, load_network, read_tensors, write_tensors
from lsr_core.validation import describe

PREDICTOR_FORMAT_VERSION = 1
HEADER_KEY = "lsr_predictor"
MODEL, DELTA, SPREAD = "model.", "delta.", "spread."


def _known_version(version: Any) -> Any:
    if version != PREDICTOR_FORMAT_VERSION:
        raise ValueError(f"format version {version!r:.40} is not known; this version reads {PREDICTOR_FORMAT_VERSION}")
    return version


class PredictorDescription(BaseModel):
    """The JSON in the header of the file.

    `errors` belong to the network (`base`) and to the predictor (`refined`) on the problem's own data; `unknowns` are numbers of the equation
    that were found with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="null")

    format_version: Annotated[Literal[1], BeforeValidator(_known_version)] = 1
    problem: str = Field(max_length=100)
    network: NetworkEntry | None = Field(None, description="none if the architecture is not registered")
    model_dtype: Literal["float64", "float32"]
    dtype: Literal["float64", "float32"] = Field(description="of Δθ, in which the predictor computes")
    rank: int = Field(ge=0)
    run: str | None = None
    inputs: list[QuantityEntry] = Field(default_factory=list)
    outputs: list[QuantityEntry] = Field(default_factory=list)
    base: Errors = Field(default_factory=Errors)
    refined: Errors = Field(default_factory=Errors)
    unknowns: dict[str, UnknownNumber] = Field(default_factory=dict)


def save_predictor(
    path: str | Path, problem: Problem, delta: Tensor, metadata: Mapping[str, Any], spread: Spread | None = None
) -> Path:
    """Write network, Δθ and description into one file.

    Args:
        path: the file, replaced if it is there.
        problem: whose model is θ0.
        delta: Δθ, flat (m,), in the order of the parameters that require a gradient.
        metadata: `rank`, and if known `base` and `refined` errors, `unknowns` and the `run`; other keys are passed over, so
            a summary's fields can be given as they are.
        spread: of a smoothed refinement, by all scalars of Δθ.

    Raises:
        InputError: Δθ has another length or is not finite, or metadata do not fit.
    """
    path = inside.named(path)
    check_finite(delta, path.name, "delta")
    state = problem.model.state_dict()
    entry = problem.architecture
    if entry is not None and entry.name in COPIES:
        entry = None  # made by code, which no predictor carries
    known = {key: metadata[key] for key in ("rank", "run", "base", "refined", "unknowns") if key in metadata}
    try:
        description = PredictorDescription(
            problem=problem.name,
            network=NetworkEntry(architecture=entry.name, arguments=entry.arguments) if entry else None,
            model_dtype=_dtype_name(next(problem.model.parameters())),
            dtype=_dtype_name(delta),
            inputs=[QuantityEntry(name=quantity.name, unit=quantity.unit) for quantity in problem.input_quantities],
            outputs=[QuantityEntry(name=quantity.name, unit=quantity.unit) for quantity in problem.output_quantities],
            **known,
        )
    except ValidationError as error:
        raise describe(error) from error
    tensors = {MODEL + name: _plain(tensor) for name, tensor in state.items()}
    tensors |= {DELTA + name: _plain(step) for name, step in named_delta(problem.model, delta).items()}
    tensors |= {SPREAD + name: _plain(part) for name, part in (spread.parts() if spread else {}).items()}
    unsaid = None if description.unknowns else {"unknowns"}  # which earlier versions do not know
    header = {HEADER_KEY: description.model_dump_json(exclude=unsaid)}
    atomic.write_with(path, lambda temporary: write_tensors(temporary, tensors, header))
    return path


def load_predictor(path: str | Path, model: nn.Module | None = None) -> RefinedPredictor:
    """The predictor in a file written by `save_predictor`, computing in the dtype of its Δθ.

    Args:
        path: the file.
        model: the network to put the weights into, if its architecture is not a registered one; it is not changed.

    Raises:
        InputError: truncated, not such a file, of another version, or tensors that do not fit the network.
    """
    path = inside.named(path)
    tensors, metadata = read_tensors(path)
    description = _description(metadata, path.name)
    groups = {prefix: _group(tensors, prefix) for prefix in (MODEL, DELTA, SPREAD)}
    if sum(map(len, groups.values())) != len(tensors):
        raise InputError(f"has tensors outside {MODEL}*, {DELTA}* and {SPREAD}*; not a predictor", file=path.name)
    dtype, model_dtype = getattr(torch, description.dtype), getattr(torch, description.model_dtype)
    if model is not None:
        network = fill(RefinedPredictor(model, {}).model, groups[MODEL], model_dtype, path.name)
    elif description.network is not None:
        entry = description.network
        try:
            network = load_network(entry.architecture, entry.arguments, groups[MODEL], model_dtype, path.name)
        except InputError as error:
            raise InputError(error.message, file=path.name, key=error.key) from error
    else:
        raise InputError(
            "its architecture is not a registered one; pass the network, load_predictor(path, model=...)",
            file=path.name,
        )
    parameters = dict(network.named_parameters())
    check_same_names({}, {name: None for name in groups[DELTA] if name not in parameters}, path.name, DELTA)
    for name, step in groups[DELTA].items():
        if (
            step.dtype.to_real() != dtype
            or step.is_complex() != parameters[name].is_complex()
            or step.shape != parameters[name].shape
        ):
            raise InputError(
                f"is {step.dtype} {tuple(step.shape)}, expected {dtype} {tuple(parameters[name].shape)}".replace(
                    "torch.", ""
                ),
                file=path.name,
                key=DELTA + name,
            )
        check_finite(step, path.name, DELTA + name)
    count = sum(map(scalars, groups[DELTA].values()))
    spread = read_spread(groups[SPREAD], count, path.name) if groups[SPREAD] else None
    return RefinedPredictor(in_dtype(network, dtype), groups[DELTA], spread=spread).eval()


def read_predictor_description(path: str | Path) -> PredictorDescription:
    """What a predictor's file says about itself; raises InputError as `load_predictor`."""
    path = inside.named(path)
    return _description(read_tensors(path)[1], path.name)


def named_delta(model: nn.Module, delta: Tensor) -> dict[str, Tensor]:
    """Δθ (m,) by parameter name, shaped like the parameters.

    Raises:
        InputError: it has another length than the parameters that require a gradient.
    """
    free = {name: value for name, value in model.named_parameters() if value.requires_grad}
    count = sum(map(scalars, free.values()))
    if delta.shape != (count,):
        raise InputError(f"has the shape {tuple(delta.shape)}, the network has {count:,} free parameters", key="delta")
    pieces = delta.split([scalars(value) for value in free.values()])
    return {name: _shaped(piece, value) for (name, value), piece in zip(free.items(), pieces, strict=True)}


def _shaped(piece: Tensor, value: Tensor) -> Tensor:
    return torch.view_as_complex(piece.view(*value.shape, 2)) if value.is_complex() else piece.view_as(value)


def _description(metadata: Mapping[str, str], file: str) -> PredictorDescription:
    if HEADER_KEY not in metadata:
        raise InputError("is not a refined predictor; `lsr export RUN --format predictor` writes one", file=file)
    try:
        return PredictorDescription.model_validate_json(metadata[HEADER_KEY])
    except ValidationError as error:
        raise describe(error, file) from error


def _group(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().clone()


def _dtype_name(tensor: Tensor) -> Any:
    return str(tensor.dtype.to_real()).removeprefix("torch.")
