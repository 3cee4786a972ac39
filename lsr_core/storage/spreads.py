"""Standard deviations of a smoothed refinement in files: of runs, and of predictors that are given out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor

from lsr_core.errors import InputError
from lsr_core.refinement.spread import Spread
from lsr_core.storage import atomic, digests
from lsr_core.storage.weights import check_finite, read_tensors

SHAPES = {"directions": "mk", "along": "k", "outside": "1", "free": "m", "noise": "o"}


def read_spread(tensors: Mapping[str, Tensor], scalars: int, file: str) -> Spread:
    """A spread from its tensors by name.

    Args:
        scalars: of the step that it belongs to.

    Raises:
        InputError: one is missing, of another shape or type, or not finite.
    """
    names = [field.name for field in fields(Spread)]
    if set(tensors) != set(names):
        raise InputError(
            f"the standard deviations need {', '.join(names)}; it holds {', '.join(tensors)[:200]}", file=file
        )
    lengths = {"m": scalars, "1": 1}
    for name, value in tensors.items():
        wanted = tuple(
            lengths.setdefault(letter, size) for letter, size in zip(SHAPES[name], value.shape, strict=False)
        )
        if (
            value.ndim != len(SHAPES[name])
            or value.shape != wanted
            or value.dtype not in (torch.float64, torch.float32)
        ):
            raise InputError(
                f"is {value.dtype} {tuple(value.shape)}, expected numbers {wanted}", file=file, key=f"spread.{name}"
            )
        check_finite(value, file, f"spread.{name}")
    return Spread(**{name: tensors[name] for name in names})


def write(path: Path, spread: Spread) -> None:
    """A spread as a file of a run."""
    from safetensors.torch import save_file

    tensors = {name: part.detach().cpu().contiguous().clone() for name, part in spread.parts().items()}
    atomic.write_with(path, lambda temporary: save_file(tensors, temporary))


def read(path: Path, scalars: int) -> Spread | None:
    """The spread of a run; None where it has none. Raises as `read_spread`."""
    return read_spread(read_tensors(path)[0], scalars, path.name) if digests.there(path) else None
