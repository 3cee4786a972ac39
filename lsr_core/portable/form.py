"""What a form is in which a refined problem leaves: its words, its file, and how that is made, proved and used.

Nothing here loads torch: command line and pages list the forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, fx

    from lsr_core.problems.problem import Problem
    from lsr_core.refinement.spread import Spread


@dataclass(frozen=True)
class Leaving:
    """What files are made of.

    Attributes:
        problem: whose model is θ0.
        delta: Δθ, flat (m,).
        known: what else a file may say: see `save_predictor`.
        spread: of a smoothed refinement, at the rank that it chose.
    """

    problem: Problem
    delta: Tensor
    known: Mapping[str, Any] = field(default_factory=dict)
    spread: Spread | None = None


@dataclass(frozen=True)
class Exported:
    """A sentence about a file that was made, and its figures by name."""

    sentence: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Standalone:
    """How a file that needs nothing of this package is written, and read again to be checked.

    Attributes:
        write: (path, graph made by `explicit`, inputs (n, …) of its dtype, any text on what it is); raises `InputError` for a network that
            the form cannot hold, or where what it takes is not installed.
        read: makes of a path a function from inputs to outputs, or to these and standard deviations. Its source is run by itself in a
            fresh process: it imports what it needs.
        single: largest max|difference|/max|q| with which a file in float32 is given out.
        plain: whether the graph may hold only what ONNX and its runtime have.
        explain: what to tell a user about the last line that the fresh process said; "" for nothing in particular.
    """

    write: Callable[[Path, fx.GraphModule, Tensor, str], None]
    read: Callable[[Path], Callable[[np.ndarray], np.ndarray | tuple[np.ndarray, ...]]]
    single: float = 1e-6
    plain: bool = False
    explain: Callable[[str], str] = lambda said: ""


@dataclass(frozen=True)
class Form:
    """A form by name.

    Attributes:
        label: for a choice.
        help: one or two sentences on what it is.
        suffix: of file names.
        usage: Python text that uses a file, by its name, the text of one point, and whether it gives standard deviations; "" where there is
            nothing to show.
        made_by: makes the file and says something about it; None where `standalone` does.
    """

    name: str
    label: str
    help: str
    suffix: str
    usage: Callable[[str, str, bool], str] = lambda file, point, std: ""
    made_by: Callable[[Path, Leaving], Exported] | None = None
    standalone: Standalone | None = None


def tensor_text(point: str) -> str:
    """One point as a tensor, in Python."""
    return f"torch.tensor([[{point}]], dtype=torch.float64)"
