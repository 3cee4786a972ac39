"""Errors function by function, whether the functions are cases of an equation or test data of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsr_app.reading.rundata import RunData
from lsr_app.services import problems, results
from lsr_app.shell.functions import functiontexts as words
from lsr_core.refinement.case_records import CaseFields, CasesRecord
from lsr_core.storage.runs import Run

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Functions:
    """Relative L2 errors of n functions, and what each looks like.

    Attributes:
        numbers: of the functions, (n,).
        base, refined: errors, (n,).
        names: of the input's place, of the input, of the variables and of the output.
        look: fields of the function at a place; None where none are kept.
    """

    numbers: NDArray[np.int64]
    base: Floats
    refined: Floats
    names: tuple[str, str, tuple[str, ...], str]
    look: Callable[[int], CaseFields | None]

    @property
    def worst_first(self) -> list[int]:
        """Places by falling error of the refined function."""
        return [int(place) for place in np.argsort(-self.refined, kind="stable")]


def of_cases(run: Run, record: CasesRecord) -> Functions:
    """The functions of a batch."""
    about = problems.equation(run.problem_path)
    variables = tuple(about.domain) if about is not None else ("x",)
    cases = record.cases
    return Functions(
        np.array([case.case for case in cases]),
        np.array([case.base for case in cases]),
        np.array([case.refined for case in cases]),
        (variables[0], words.SOURCE, variables, words.SOLUTION),
        lambda place: results.function_fields(run, cases[place].case),
    )


def of_data(data: RunData, rank: int) -> Functions:
    """The functions that a run shows of an operator learnt from data."""
    fields, error = data.fields, data.fields.refined_error[data.rung(rank)].astype(np.float64)
    size = np.linalg.norm(fields.targets, axis=1)
    known = np.flatnonzero(size > 0)

    def look(place: int) -> CaseFields:
        row = known[place]
        return CaseFields(
            _places(fields.inputs.shape[1]),
            _light(fields.inputs[row]),
            _places(fields.targets.shape[1])[:, None],
            _light(fields.targets[row]),
            _light(fields.network[row]),
            _light(error[row]),
        )

    return Functions(
        known,
        np.linalg.norm(fields.network - fields.targets, axis=1)[known] / size[known],
        np.linalg.norm(error, axis=1)[known] / size[known],
        (words.SENSOR, words.INPUT, (words.OUTPUT_PLACE,), words.OUTPUT),
        look,
    )


def _light(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _places(count: int) -> NDArray[np.float32]:
    return np.arange(1, count + 1, dtype=np.float32)
