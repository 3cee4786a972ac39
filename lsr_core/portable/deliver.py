"""From a refined problem to a file that runs without this package, given out only after it was checked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from lsr_core.networks.taking import in_precision
from lsr_core.portable.check import Check, check
from lsr_core.portable.graph import explicit
from lsr_core.portable.write import Form, write
from lsr_core.problems.problem import Problem
from lsr_core.problems.supervised import Split
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.storage import atomic
from lsr_core.storage.export import named_delta

Precision = Literal["float64", "float32"]


def deliver(path: Path, problem: Problem, delta: Tensor, form: Form, precision: Precision | None = None) -> Check:
    """Write q(θ0, x) + J(x) Δθ and compare the file with the predictor in memory; without agreement no file is left.

    Args:
        path: the file, replaced if it is there.
        problem: whose model is θ0.
        delta: Δθ, flat (m,).
        form: pt2, onnx or python.
        precision: dtype of inputs, weights and outputs; None = that of Δθ.

    Raises:
        InputError: the network cannot be written in this form, or the file does not agree.
    """
    exact = predictor_of(problem, delta, delta.dtype)
    dtype = delta.dtype if precision is None else getattr(torch, precision)
    predictor = predictor_of(problem, delta, dtype)
    named = reported_split(problem)
    example = in_precision(named[1].inputs[:2], dtype).contiguous()
    graph = explicit(predictor, example, plain=form == "onnx")
    with atomic.replacing(path) as temporary:
        write(form, temporary, graph, example, f"{problem.title or problem.name}, refined predictor")
        return check(temporary, form, predictor, exact, named)


def predictor_of(problem: Problem, delta: Tensor, dtype: torch.dtype) -> RefinedPredictor:
    """The predictor in a dtype, on the CPU; raises as `named_delta`."""
    delta = delta.detach().cpu()
    return RefinedPredictor(problem.model.cpu(), named_delta(problem.model, delta)).to(dtype).eval()


def reported_split(problem: Problem) -> tuple[str, Split]:
    """The split that errors are reported on: test, else what is displayed."""
    splits = problem.splits()
    return ("test", splits["test"]) if "test" in splits else problem.display
