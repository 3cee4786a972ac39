"""A torch.export program as the network of a problem."""

from __future__ import annotations

from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.problem import Problem
from lsr_core.storage import code, code_problems, programs
from lsr_core.storage.data import read_splits


def from_program(path: Path) -> Problem:
    """A torch.export program as the network, with the data in the npz of the same name beside it; the program is trusted.

    Raises:
        InputError: it is no such program, it fixes the batch size, or the data cannot be used.
    """
    data = code.read_code(path, str(path), programs.MAX_BYTES)
    path = path.parent.resolve() / path.name
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        raise InputError(
            "the data of this program are missing: arrays train_inputs, train_targets, validation_…, test_… as in a bundle's data.npz, "
            "in a file of the same name beside it",
            file=str(beside),
        )
    splits = read_splits(beside, integers=True)
    model = programs.from_bytes(data, path.name)
    code.trust(data, code.Named(str(path.absolute())))
    problem = SupervisedProblem(path.stem[:100], model, **splits)  # type: ignore[arg-type]
    return code_problems.remember("torch-program", path.name, "", data, problem)
