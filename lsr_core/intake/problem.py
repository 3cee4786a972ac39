"""The problem that a foreign network and mapped data make."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lsr_core.intake.mapping import Mapped
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.problems.splits import Architecture, Quantity

_OPERATORS = ("deeponet", "deeponet-points", "neuraloperator-fno")


def of(
    title: str,
    model: nn.Module,
    architecture: Architecture,
    mapped: Mapped,
    units: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> SupervisedProblem:
    """Errors of an operator are those of single functions.

    Args:
        units: of the inputs and of the outputs, column by column, as far as they are known.
    """
    kind = OperatorProblem if architecture.name in _OPERATORS else SupervisedProblem
    quantities = [
        tuple(Quantity(name, unit) for name, unit in zip(names, [*known, *[""] * len(names)], strict=False))
        for names, known in zip(mapped.names, units, strict=True)
    ]
    return kind(
        name=title, title=title, model=model, train=mapped.splits["train"], validation=mapped.splits.get("validation"),
        test=mapped.splits.get("test"), architecture=architecture, input_quantities=quantities[0],
        output_quantities=quantities[1],
    )  # fmt: skip
