"""The input function that the network and the equation of a bundle are given, and bundles for others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lsr_core.validation import checked

if TYPE_CHECKING:
    from lsr_core.problems.physics.input_functions import InputArguments

OPERATOR = "deeponet-field"  # the architecture whose networks see an input function
INPUT_POINTS = 201  # that a curve is drawn through


def input_arguments(folder: Path) -> InputArguments | None:
    """Which input function a bundle's network and equation are given; None for problems without one.

    Raises:
        InputError: the bundle is damaged.
    """
    from lsr_core.problems.physics.input_functions import InputArguments
    from lsr_core.storage.bundles import read_description

    described = read_description(folder)
    if described.physics is None or described.network.architecture != OPERATOR:
        return None
    given = described.physics.arguments.get("input")
    return None if given is None else checked(InputArguments, given)


def input_curve(folder: Path, changes: Mapping[str, object]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places on [0, 1] and the values of the input function of a bundle there, with some of its arguments changed.

    Raises:
        InputError: arguments that cannot be used.
    """
    from lsr_core.problems.physics.input_functions import InputArguments, sensor_values

    before = input_arguments(folder)
    assert before is not None
    values = sensor_values(checked(InputArguments, {**before.model_dump(), **changes}).function(), INPUT_POINTS)
    return np.linspace(0, 1, INPUT_POINTS), values.numpy()


def with_input(folder: Path, changes: Mapping[str, object], out: Path) -> Path:
    """The bundle for another input function, written to a new folder.

    Raises:
        InputError: arguments that cannot be used.
    """
    from lsr_core.problems.physics.input_functions import InputArguments
    from lsr_core.refinement.case_batch import case_of
    from lsr_core.refinement.cases import input_of
    from lsr_core.storage.bundles import load_problem, save_problem

    loaded, before = input_of(load_problem(folder))
    return save_problem(out, case_of(loaded, checked(InputArguments, {**before.model_dump(), **changes})))
