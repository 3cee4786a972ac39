"""A graph as a torch.export program, which two of the forms are written from."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, fx

from lsr_core.portable.graph import untraceable


def program(graph: fx.GraphModule, example: Tensor) -> torch.export.ExportedProgram:
    """The graph as a torch.export program whose first dimension is free; raises as `explicit`."""
    try:
        with quiet():
            return torch.export.export(graph, (example,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    except Exception as error:  # the exporter's own errors have no common class
        raise untraceable(error) from error


@contextmanager
def quiet() -> Iterator[None]:
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
