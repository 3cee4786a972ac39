"""`onnx`: a model that needs onnxruntime only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_core.errors import InputError
from lsr_core.portable.form import Form, Standalone

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, fx

OPSET = 20  # the first with GELU; read by onnxruntime 1.17 and later


def write(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    try:
        import onnx
        import onnxscript  # noqa: F401  # what torch.onnx writes with
    except ImportError as error:
        raise InputError(
            f"ONNX files need packages that are not installed ({error.name}); "
            "`pip install 'lsr-explorer[onnx]'`, or export pt2 or python",
            key="format",
        ) from error
    import torch

    from lsr_core.portable.graph import INSTEAD, outputs_of
    from lsr_core.portable.numbers import with_numbers_as_tensors
    from lsr_core.portable.program import program, quiet

    exported = program(with_numbers_as_tensors(graph, example.dtype), example)
    try:
        with quiet():
            made = torch.onnx.export(
                exported, (), None, dynamo=True, input_names=["inputs"], output_names=["outputs", "std"][: outputs_of(graph)],
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


def read(path: Path) -> Callable[[np.ndarray], np.ndarray | tuple[np.ndarray, ...]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def call(inputs: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
        found = session.run(None, {"inputs": inputs})
        return found[0] if len(found) == 1 else tuple(found)

    return call


def _explain(said: str) -> str:
    if "NOT_IMPLEMENTED" in said:
        return (
            f"onnxruntime has no float64 kernel for an operation of this network ({said[-120:]}); "
            "export ONNX with precision float32, or pt2 or python in float64"
        )
    if "onnxruntime" in said and "ModuleNotFound" in said:
        return "ONNX files are checked with onnxruntime, which is not installed; `pip install 'lsr-explorer[onnx]'`"
    return ""


def _usage(file: str, point: str, std: bool) -> str:
    call = f'session.run(None, {{"inputs": np.array([[{point}]], dtype=np.float64)}})'
    return f'import numpy as np\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession("{file}")\n' + (
        f"mean, std = {call}\nprint(mean, std)" if std else f"print({call}[0])"
    )


FORM = Form(
    name="onnx",
    label="ONNX",
    help="For any number of points; needs onnxruntime only.",
    suffix=".onnx",
    usage=_usage,
    standalone=Standalone(write, read, single=1e-5, plain=True, explain=_explain),
)
