"""From a refined problem to a file, given out only after it was checked where it runs without this package."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from lsr_core.lab.records import Precision
from lsr_core.networks.taking import in_precision
from lsr_core.portable.check import Check, check, standalone_of
from lsr_core.portable.form import Exported, Leaving
from lsr_core.portable.forms import form_of
from lsr_core.portable.graph import explicit
from lsr_core.portable.measured import predictor_of, reported_split
from lsr_core.problems.problem import Problem
from lsr_core.refinement.spread import Spread
from lsr_core.storage import atomic


def make(path: Path, name: str, leaving: Leaving, precision: Precision | None = None) -> Exported:
    """Write a refined problem in the form of that name; raises as `deliver`."""
    form = form_of(name)
    if form.made_by is not None:
        return form.made_by(path, leaving)
    checked = deliver(path, leaving.problem, leaving.delta, name, precision, leaving.spread)
    return Exported(checked.sentence, asdict(checked))


def deliver(
    path: Path,
    problem: Problem,
    delta: Tensor,
    form: str,
    precision: Precision | None = None,
    spread: Spread | None = None,
) -> Check:
    """Write q(θ0, x) + J(x) Δθ and compare the file with the predictor in memory; without agreement no file is left.

    Args:
        path: the file, replaced if it is there.
        problem: whose model is θ0.
        delta: Δθ, flat (m,).
        form: by name, one that needs nothing of this package.
        precision: dtype of inputs, weights and outputs; None = that of Δθ.
        spread: of a smoothed refinement: the file then gives outputs and standard deviations of further observations.

    Raises:
        InputError: the network cannot be written in this form, or the file does not agree.
    """
    standalone = standalone_of(form)
    exact = predictor_of(problem, delta, delta.dtype, spread)
    dtype = delta.dtype if precision is None else getattr(torch, precision)
    predictor = predictor_of(problem, delta, dtype, spread)
    named = reported_split(problem)
    example = in_precision(named[1].inputs[:2], dtype).contiguous()
    graph = explicit(predictor, example, plain=standalone.plain)
    with atomic.replacing(path) as temporary:
        standalone.write(temporary, graph, example, f"{problem.title or problem.name}, refined predictor")
        return check(temporary, form, predictor, exact, named)
