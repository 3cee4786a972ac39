"""Writers of the forms that need nothing of this package: a torch.export program, an ONNX model, a Python module."""

from __future__ import annotations

import io
import logging
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from torch import Tensor, fx

from lsr_core.errors import InputError
from lsr_core.portable.graph import INSTEAD, of_any_floating_type, untraceable
from lsr_core.portable.module_text import module_text
from lsr_core.portable.numbers import with_numbers_as_tensors

Form = Literal["pt2", "onnx", "python"]
OPSET = 20  # the first with GELU; read by onnxruntime 1.17 and later
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same predictor gives the same zip


def write(form: Form, path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    """Write a graph made by `explicit` in one of the forms.

    Args:
        example: inputs (n, …) of the graph's dtype.
        about: what it is, for readers of the file; any text.

    Raises:
        InputError: the form cannot hold this network, or what it takes is not installed.
    """
    _WRITERS[form](path, graph, example, about)


def program(graph: fx.GraphModule, example: Tensor) -> torch.export.ExportedProgram:
    """The graph as a torch.export program whose first dimension is free; raises as `explicit`."""
    try:
        with _quiet():
            return torch.export.export(graph, (example,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    except Exception as error:  # the exporter's own errors have no common class
        raise untraceable(error) from error


def _pt2(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    stream = io.BytesIO()  # by name the exporter insists on the ending .pt2
    torch.export.save(
        program(of_any_floating_type(graph, example.dtype), example), stream, extra_files={"about.txt": about}
    )
    path.write_bytes(stream.getvalue())


def _onnx(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    try:
        import onnx
        import onnxscript  # noqa: F401  # what torch.onnx writes with
    except ImportError as error:
        raise InputError(
            f"ONNX files need packages that are not installed ({error.name}); "
            "`pip install 'lsr-explorer[onnx]'`, or export pt2 or python",
            key="format",
        ) from error
    exported = program(with_numbers_as_tensors(graph, example.dtype), example)
    try:
        with _quiet():
            made = torch.onnx.export(
                exported, (), None, dynamo=True, input_names=["inputs"], output_names=["outputs"],
                opset_version=OPSET, verbose=False,
            )  # fmt: skip
    except Exception as error:  # an operation that ONNX does not have
        said = re.sub(r"\x1b\[\d*m", "", str(error.__cause__ or error))  # the exporter colours its words
        first = (said.strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"ONNX cannot hold this network ({first[:200]}); export pt2 or python, or {INSTEAD}", key="model"
        ) from error
    assert made is not None
    model = made.model_proto
    model.doc_string = about
    for node in model.graph.node:
        node.ClearField("metadata_props")  # stack traces with paths of this machine
        node.ClearField("doc_string")
    onnx.save(model, path)


def _python(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    text, tensors = module_text(graph, about)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("predictor.py", text.encode()), ("predictor.safetensors", safetensors.torch.save(tensors))):
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), data)


_WRITERS: dict[Form, Callable[[Path, fx.GraphModule, Tensor, str], None]] = {
    "pt2": _pt2,
    "onnx": _onnx,
    "python": _python,
}


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters warn about their own insides and log what does not concern a network."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
