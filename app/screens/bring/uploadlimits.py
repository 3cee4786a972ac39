"""What may come through a browser, and how much of it."""

from __future__ import annotations

from pathlib import Path

from lsr_core.intake import bundles
from lsr_core.refinement import serverlimits

MAX_MEGABYTES = serverlimits.current().upload_megabytes
MAX_UNPACKED_BYTES = 500 * 2**20
MAX_PARAMETERS = 20_000_000
MAX_POINTS = 500_000
MAX_ROWS = 2_000_000


def unpack_bundle(archive: Path, folder: Path) -> None:
    """Unpack a bundle into a new folder, once it was loaded within limits on memory and time; raises as `bundles.accept`."""
    bundles.accept(archive, folder, bundles.BundleLimits(MAX_UNPACKED_BYTES, MAX_PARAMETERS, MAX_POINTS, MAX_ROWS))
