"""A bundle that came through a browser: unpacked and wholly loaded in the child, where it may fail without harm to the server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.intake import confined
from lsr_core.networks import architectures
from lsr_core.storage.archives import unpack
from lsr_core.storage.bundle_schema import CHECKPOINT_PATTERN
from lsr_core.storage.bundles import DATA, DESCRIPTION, WEIGHTS, load_problem, read_description


@dataclass(frozen=True)
class Limits:
    """What a bundle may hold: bytes unpacked, parameters of its network, points of its equation."""

    unpacked: int
    parameters: int
    points: int


def accept(archive: Path, folder: Path, limits: Limits) -> None:
    """Unpack a zip into a new folder once a child process has loaded what is in it.

    Raises:
        InputError: a zip that is refused, a problem that is too large, or no bundle that can be used.
    """
    confined.call("bundle", archive, out=str(folder), limits=asdict(limits))


def check(archive: Path, folder: Path, limits: Limits) -> int:
    """What the child does; returns the number of parameters. Raises as `accept`."""
    folder.mkdir(parents=True)
    names = {DESCRIPTION, WEIGHTS, DATA}
    unpack(archive, folder, names, max_bytes=limits.unpacked, pattern=CHECKPOINT_PATTERN)
    described = read_description(folder)
    network = described.network
    count = architectures.validate(network.architecture, network.arguments).parameter_count()
    if count > limits.parameters:
        raise InputError(
            f"describes {count:,} parameters; through the browser at most {limits.parameters:,} may come, "
            "larger networks open by `lsr dashboard FOLDER`",
            file=DESCRIPTION, key="network",
        )  # fmt: skip
    arguments = described.physics.arguments if described.physics is not None else {}
    points = sum(value for key, value in arguments.items() if key.startswith("n_") and isinstance(value, int))
    if points > limits.points:
        raise InputError(
            f"asks for {points:,} points; through the browser at most {limits.points:,} may come",
            file=DESCRIPTION, key="physics.arguments",
        )  # fmt: skip
    load_problem(folder)
    return count
