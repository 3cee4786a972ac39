"""`weights`: a plain state dict fitted to the refined field."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lsr_core.portable.form import Exported, Form, Leaving


def _make(path: Path, leaving: Leaving) -> Exported:
    from lsr_core.portable.weights import aligned_weights

    fitted = aligned_weights(path, leaving.problem, leaving.delta)
    return Exported(fitted.sentence, {**asdict(fitted), "survives": fitted.survives})


def _usage(file: str, point: str, std: bool) -> str:
    return f'from safetensors.torch import load_file\n\nmodel.load_state_dict(load_file("{file}"))'


FORM = Form(
    name="weights",
    label="Aligned weights",
    help="A plain state dict: the network fitted to the refined field. It keeps only part of the gain; the file says how much. Up to two minutes.",
    suffix="-weights.safetensors",
    usage=_usage,
    made_by=_make,
)
