"""`pt2`: a torch.export program."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_core.portable.form import Form, Standalone, tensor_text

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, fx


def write(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    import torch

    from lsr_core.portable.graph import of_any_floating_type
    from lsr_core.portable.program import program

    stream = io.BytesIO()  # by name the exporter insists on the ending .pt2
    made = program(of_any_floating_type(graph, example.dtype), example)
    torch.export.save(made, stream, extra_files={"about.txt": about})
    path.write_bytes(stream.getvalue())


def read(path: Path) -> Callable[[np.ndarray], np.ndarray | tuple[np.ndarray, ...]]:
    import torch

    with path.open("rb") as stream:  # by name only files that end in .pt2 are read
        module = torch.export.load(stream).module()

    def call(inputs: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
        found = module(torch.from_numpy(inputs))
        return (
            tuple(part.detach().numpy() for part in found)
            if isinstance(found, list | tuple)
            else found.detach().numpy()
        )

    return call


def _usage(file: str, point: str, std: bool) -> str:
    call = f"predictor({tensor_text(point)})"
    ask = f"mean, std = {call}\nprint(mean, std)" if std else f"print({call})"
    return f'import torch\n\npredictor = torch.export.load("{file}").module()\n{ask}'


FORM = Form(
    name="pt2",
    label="PyTorch program",
    help="A torch.export program for any number of points; needs torch only.",
    suffix=".pt2",
    usage=_usage,
    standalone=Standalone(write, read),
)
