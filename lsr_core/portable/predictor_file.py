"""`predictor`: network, step and description in one file that this package reads."""

from __future__ import annotations

from pathlib import Path

from lsr_core.portable.form import Exported, Form, Leaving, tensor_text


def _make(path: Path, leaving: Leaving) -> Exported:
    from lsr_core.storage.export import save_predictor

    save_predictor(path, leaving.problem, leaving.delta, leaving.known, leaving.spread)
    return Exported()


def _usage(file: str, point: str, std: bool) -> str:
    ask = f"mean, std = predictor.predict({tensor_text(point)}, std=True)\nprint(mean, std)"
    return (
        "import torch\nfrom lsr_core import load_predictor\n\n"
        f'predictor = load_predictor("{file}")\n{ask if std else f"print(predictor({tensor_text(point)}))"}'
    )


FORM = Form(
    name="predictor",
    label="Refined predictor",
    help="One safetensors file with the network, the step Δθ and a JSON description; needs this package and nothing else.",
    suffix=".safetensors",
    usage=_usage,
    made_by=_make,
)
