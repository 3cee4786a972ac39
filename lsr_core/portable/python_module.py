"""`python`: a graph as the text of a Python module that needs torch only, and the tensors that go beside it, in a zip."""

from __future__ import annotations

import re
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lsr_core.portable.form import Form, Standalone, tensor_text

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, fx

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # so that the same predictor gives the same zip

_TEXT = '''"""{about}

The refined predictor q(θ0, x) + J(x) Δθ of Linearized Subspace Refinement (Cao & Zhang 2026), needs torch only:

    from predictor import load
    outputs = load()(inputs)  # inputs: {shape}, n any number; outputs: {dtype}{several}

Buffers named step_… are Δθ, the others θ0; what is between is written out, value and tangent together.
"""

import json
import math
import pkgutil
import struct

import torch
from torch import device, inf, nan, nn

_DTYPES = {{"F64": torch.float64, "F32": torch.float32, "I64": torch.int64, "BOOL": torch.bool}}
_COMPLEX = {pairs}  # stored as pairs of real numbers


class RefinedPredictor(nn.Module):
    """x ↦ q(θ0, x) + J(x) Δθ. It computes a correction and is not a network with other weights."""

    def __init__(self, tensors):
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)

    @torch.no_grad()
    def forward(self, inputs):
        inputs = torch.as_tensor(inputs{turned})
{body}

    def predict(self, inputs, std=False):
        """Outputs; with `std` also the standard deviation of a further observation at each, where the file has them."""
        found = self(inputs)
        several = isinstance(found, (list, tuple))
        if std and not several:
            raise ValueError("this predictor holds no standard deviations: its refinement was not smoothed")
        return tuple(found) if std else found[0] if several else found


def load():
    """The predictor with the weights beside this module, in a folder or in a zip."""
    data = pkgutil.get_data(__name__, "predictor.safetensors")
    (length,) = struct.unpack("<Q", data[:8])
    header, values = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    tensors = {{}}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if begin == end:
            tensors[name] = torch.empty(entry["shape"], dtype=_DTYPES[entry["dtype"]])
            continue
        tensors[name] = torch.frombuffer(values[begin:end], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    for name in _COMPLEX:
        tensors[name] = torch.view_as_complex(tensors[name])
    return RefinedPredictor(tensors).eval()
'''


def write(path: Path, graph: fx.GraphModule, example: Tensor, about: str) -> None:
    import safetensors.torch

    text, tensors = module_text(graph, about)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("predictor.py", text.encode()), ("predictor.safetensors", safetensors.torch.save(tensors))):
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), data)


def read(path: Path) -> Callable[[np.ndarray], np.ndarray | tuple[np.ndarray, ...]]:
    import importlib
    import sys

    import torch

    sys.path.insert(0, str(path))  # a zip can be imported from as it is
    try:
        module = importlib.import_module("predictor").load()
    finally:
        sys.path.remove(str(path))
        sys.modules.pop("predictor", None)

    def call(inputs: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
        found = module(torch.from_numpy(inputs))
        return tuple(part.numpy() for part in found) if isinstance(found, list | tuple) else found.numpy()

    return call


def module_text(graph: fx.GraphModule, about: str) -> tuple[str, dict[str, Tensor]]:
    """Text and tensors, by the names that the text uses; complex ones as pairs, which safetensors has in every precision.

    Args:
        graph: made by `explicit`.
        about: a sentence for the docstring; whatever could end it is taken out.
    """
    from lsr_core.networks.answers import dtype_name
    from lsr_core.networks.functions import as_pairs

    buffers = dict(graph.named_buffers())
    tensors = {name: as_pairs(value.detach()).cpu().contiguous().clone() for name, value in buffers.items()}
    pairs = tuple(name for name, value in buffers.items() if value.is_complex())
    (place,) = [node for node in graph.graph.nodes if node.op == "placeholder"]
    rows = place.meta["val"]
    code = graph.graph.python_code("self").src
    body = textwrap.dedent(code[code.index(":\n", code.index("def forward")) + 2 :])
    body = re.sub(r";  (\w+ = )+None", "", body)  # memory is the allocator's business
    (given,) = (node.args[0] for node in graph.graph.nodes if node.op == "output")
    several = isinstance(given, list | tuple)
    outputs = (given[0] if several else given).meta["val"]
    kind = (
        "a tensor or an array of any floating type"
        if rows.is_floating_point()
        else f"a tensor or an array of {dtype_name(rows.dtype)}"
    )
    turned = f", dtype=torch.{dtype_name(rows.dtype)}" if rows.is_floating_point() else ""
    shape = f"{kind}, (" + ", ".join(["n", *(str(int(size)) for size in rows.shape[1:])]) + ")"
    text = _TEXT.format(
        about=plain(about), pairs=pairs, shape=shape, dtype=dtype_name(outputs.dtype), turned=turned,
        several=", and the standard deviation of a further observation at each" if several else "",
        body=textwrap.indent(body.strip(), "        "),
    )  # fmt: skip
    compile(text, "predictor.py", "exec")
    return text, tensors


def plain(text: str) -> str:
    """The text on one line without what could end a docstring or escape from it."""
    return " ".join(re.sub(r"[\\\"\x00-\x1f\x7f]", " ", text).split())


def _usage(file: str, point: str, std: bool) -> str:
    ask = f"mean, std = load().predict({tensor_text(point)}, std=True)\nprint(mean, std)"
    return (
        f'import sys\nimport torch\n\nsys.path.insert(0, "{file}")  # or the folder it was unpacked to\n'
        f"from predictor import load\n\n{ask if std else f'print(load()({tensor_text(point)}))'}"
    )


FORM = Form(
    name="python",
    label="Python module",
    help="Every operation written out, with the weights beside it, in a zip; needs torch only.",
    suffix="-python.zip",
    usage=_usage,
    standalone=Standalone(write, read),
)
