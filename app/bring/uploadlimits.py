"""What may come through a browser, and how much of it."""

from __future__ import annotations

from pathlib import Path

from lsr_core.errors import InputError
from lsr_core.networks import architectures
from lsr_core.storage.archives import unpack
from lsr_core.storage.bundle_schema import CHECKPOINT_PATTERN
from lsr_core.storage.bundles import DATA, DESCRIPTION, WEIGHTS, read_description

MAX_MEGABYTES = 50
MAX_UNPACKED_BYTES = 500 * 2**20
MAX_PARAMETERS = 20_000_000
MAX_POINTS = 500_000


def unpack_bundle(archive: Path, folder: Path) -> None:
    """Unpack a bundle into a new folder, and refuse what would take too much memory to look at.

    Raises:
        InputError: a zip that is refused, or a problem that is too large to come through a browser.
    """
    folder.mkdir(parents=True)
    unpack(archive, folder, {DESCRIPTION, WEIGHTS, DATA}, max_bytes=MAX_UNPACKED_BYTES, pattern=CHECKPOINT_PATTERN)
    described = read_description(folder)
    network = described.network
    count = architectures.validate(network.architecture, network.arguments).parameter_count()
    if count > MAX_PARAMETERS:
        raise InputError(
            f"describes {count:,} parameters; through the browser at most {MAX_PARAMETERS:,} may come, "
            "larger networks open by `lsr dashboard FOLDER`",
            file=DESCRIPTION, key="network",
        )  # fmt: skip
    arguments = described.physics.arguments if described.physics is not None else {}
    points = sum(value for key, value in arguments.items() if key.startswith("n_") and isinstance(value, int))
    if points > MAX_POINTS:
        raise InputError(
            f"asks for {points:,} points; through the browser at most {MAX_POINTS:,} may come",
            file=DESCRIPTION, key="physics.arguments",
        )  # fmt: skip
