"""Evaluates an exported file in a process that has neither `lsr_core` nor `lsr_app`; run as a script.

`python -P runner.py FORMAT FILE INPUTS OUTPUTS`: INPUTS is an npz of arrays, OUTPUTS gets an array of the same name for each.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = np.ndarray


def _program(path: Path) -> Callable[[Arrays], Arrays]:
    import torch

    with path.open("rb") as stream:  # by name only files that end in .pt2 are read
        module = torch.export.load(stream).module()
    return lambda inputs: module(torch.from_numpy(inputs)).detach().numpy()


def _onnx(path: Path) -> Callable[[Arrays], Arrays]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, {"inputs": inputs})[0]


def _python(path: Path) -> Callable[[Arrays], Arrays]:
    import torch

    sys.path.insert(0, str(path))  # a zip can be imported from as it is
    module = importlib.import_module("predictor").load()
    return lambda inputs: module(torch.from_numpy(inputs)).numpy()


READERS = {"pt2": _program, "onnx": _onnx, "python": _python}


def main(arguments: list[str]) -> None:
    for name in ("lsr_core", "lsr_app"):
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it raises
    kind, path, inputs, outputs = arguments
    call = READERS[kind](Path(path))
    with np.load(inputs, allow_pickle=False) as given:
        np.savez(outputs, **{name: call(given[name]) for name in given.files})  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])
