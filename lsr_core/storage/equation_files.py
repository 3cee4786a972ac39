"""A typed equation in a JSON file of its own, with the untrained network that it begins with; nothing in it is executed."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from lsr_core.errors import InputError
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.network import StartingNetwork, problem_of
from lsr_core.storage import inside
from lsr_core.validation import describe

SUFFIX = ".json"
MAX_BYTES = 64 * 2**20  # the most coefficients and data that the arguments allow, written out


class EquationFile(TypedArguments):
    """The arguments of a typed equation as they stand in the file, and beside them the network.

    Attributes:
        network: which is not trained; 2-64×2-1 for two inputs and one output by default.
    """

    network: StartingNetwork = StartingNetwork()

    @property
    def equation(self) -> TypedArguments:
        """The equation alone."""
        return TypedArguments.model_validate(self.model_dump(exclude={"network"}))

    @property
    def start(self) -> StartingNetwork:
        """The network; it is periodic by itself where the equation or the network says so."""
        return self.network.model_copy(update={"circular": self.circular or self.network.circular})


def from_equation_file(path: Path) -> PhysicsProblem:
    """The problem of an equation in a JSON file, called as the file is.

    Raises:
        InputError: it cannot be read, or is no equation; with the key at fault.
    """
    with inside.opened_as_named(path, MAX_BYTES) as stream:
        text = inside.all_of(stream, path, MAX_BYTES)
    try:
        found = EquationFile.model_validate_json(text)
    except ValidationError as error:
        if any(finding["loc"] == ("format_version",) for finding in error.errors()):
            raise InputError("describes a bundle; name the folder that it lies in", file=path.name) from error
        raise describe(error, path.name) from error
    try:
        return problem_of(found.equation, found.start, name=path.stem[:100])
    except InputError as error:
        raise InputError(error.message, file=path.name, key=error.key) from error
