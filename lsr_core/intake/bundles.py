"""A bundle that came through a browser: unpacked and wholly loaded in the child, where it may fail without harm to the server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import ZipFile

from lsr_core.errors import InputError
from lsr_core.intake import confined, numpy_files
from lsr_core.networks import architectures
from lsr_core.storage.archives import unpack
from lsr_core.storage.bundle_files import DATA, DESCRIPTION, WEIGHTS
from lsr_core.storage.bundle_schema import CHECKPOINT_PATTERN
from lsr_core.storage.bundles import load_problem, read_description
from lsr_core.storage.kinds import storing


@dataclass(frozen=True)
class BundleLimits:
    """What a bundle may hold: bytes unpacked, parameters of its network, points of its equation, rows of its data."""

    unpacked: int
    parameters: int
    points: int
    rows: int


def accept(archive: Path, folder: Path, limits: BundleLimits) -> None:
    """Unpack a zip into a new folder once a child process has loaded what is in it.

    Raises:
        InputError: a zip that is refused, a problem that is too large, or no bundle that can be used.
    """
    confined.call("bundle", archive, out=str(folder), limits=asdict(limits))


def check(archive: Path, folder: Path, limits: BundleLimits) -> int:
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
    for name in (folder / DATA, *folder.glob("*.npz")):
        _check_rows(name, limits.rows)
    points = storing(described.kind).points(described)
    if points > limits.points:
        raise InputError(
            f"asks for {points:,} points; through the browser at most {limits.points:,} may come",
            file=DESCRIPTION, key="physics.arguments",
        )  # fmt: skip
    load_problem(folder)
    return count


def _check_rows(path: Path, most: int) -> None:
    """Refuse arrays by their headers: a zip in a zip unpacks twice."""
    with ZipFile(path) as archive:
        if not archive.namelist():
            return  # an equation draws its points
    for info in numpy_files.listing(path):
        if info.shape and info.shape[0] > most:
            raise InputError(
                f"has {info.shape[0]:,} rows; through the browser at most {most:,} may come",
                file=path.name,
                key=info.name,
            )
