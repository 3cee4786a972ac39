"""Where an iteration stands, in one safetensors file, so that it is there wholly or not at all."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch
from pydantic import ValidationError

from lsr_core.errors import InputError
from lsr_core.iteration.state import IterationProgress, IterationState
from lsr_core.storage import atomic, digests
from lsr_core.storage.weights import check_finite, read_tensors
from lsr_core.validation import describe

STATE = "state.safetensors"
HEADER_KEY = "lsr_iteration"


def write_state(run: Path, state: IterationState) -> None:
    """Replace the state in a run's folder."""
    tensors = {"theta": state.theta, "best_theta": state.best_theta, "best_delta": state.best_delta}
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items() if tensor is not None}
    header = {HEADER_KEY: state.progress.model_dump_json()}
    atomic.write_with(run / STATE, lambda path: safetensors.torch.save_file(plain, path, metadata=header))


def read_state(run: Path, n_params: int) -> IterationState | None:
    """The state in a run's folder; None where no half step has been made.

    Raises:
        InputError: it is damaged, or belongs to a network of another size.
    """
    path = run / STATE
    if not digests.there(path):
        return None
    tensors, metadata = read_tensors(path)
    try:
        progress = IterationProgress.model_validate_json(metadata.get(HEADER_KEY, ""))
    except ValidationError as error:
        raise describe(error, STATE) from error
    wanted = {"theta"} | ({"best_theta", "best_delta"} if progress.best else set())
    if set(tensors) != wanted:
        raise InputError(f"holds {', '.join(sorted(tensors))}; {', '.join(sorted(wanted))} were expected", file=STATE)
    for name, tensor in tensors.items():
        if tensor.shape != (n_params,) or tensor.dtype != torch.float64:
            raise InputError(f"does not hold {n_params:,} float64 numbers; start again", file=STATE, key=name)
        check_finite(tensor, STATE, name)
    return IterationState(tensors["theta"], progress, tensors.get("best_theta"), tensors.get("best_delta"))
