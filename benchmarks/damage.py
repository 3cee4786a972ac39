"""Bits flipped in every file of a run, every array replaced by another, and links, pipes and devices put in the place of files.

    python -m benchmarks.damage [--quick]

One JSON line. A flip is named if the check of the whole run, which pages show, names its file; it is silent if nothing raises. What needs the
file must refuse it too, what does not must still open, and a second run in the folder must not notice. Arrays are replaced twice: as damage, and
by somebody who writes the digests again, which must be refused or shown, never end in another exception. The slowest answer is that of one reader
to one thing in the place of a file.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks import _intruders
from lsr_app.making import report
from lsr_app.reading import rundata
from lsr_core.errors import InputError
from lsr_core.jobs.queue import create
from lsr_core.jobs.rebuild import confirmed
from lsr_core.jobs.worker import execute
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage import atomic, digests
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.checking import damage
from lsr_core.storage.runs import Run, RunStore

FLIPS = 25
FILES = 13
SWAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "float32": lambda array: _numbers(array).astype(np.float32 if array.dtype != np.float32 else np.float64),
    "integers": lambda array: np.zeros(array.shape, np.int64 if array.dtype != np.int64 else np.int8),
    "text": lambda array: np.full(array.shape, "x" if array.dtype.kind != "U" else b"x"),
    "complex": lambda array: _numbers(array).astype(np.complex128),
    "shorter": lambda array: array[:-1] if array.ndim else np.zeros(0, array.dtype),
    "one more dimension": lambda array: array[None],
    "one number": lambda array: np.resize(array, ()) if array.ndim else np.zeros((2, 2), array.dtype),
    "empty": lambda array: np.zeros((0,) * max(1, array.ndim), array.dtype),
    "NaN": lambda array: np.full(array.shape, np.nan),
    "infinite": lambda array: np.full(array.shape, -np.inf),
}


def _numbers(array: np.ndarray) -> np.ndarray:
    return np.zeros(array.shape) if array.dtype.kind in "US" else array


def two_runs(folder: Path) -> tuple[Run, Run]:
    """A complete run of a sample, and another beside it."""
    store = RunStore(folder)
    made = [create(store, "noisy1d", RefineConfig(max_rank=12, seed=seed), owner="benchmark") for seed in (0, 1)]
    for run in made:
        execute(run)
    return Run(made[0].path), Run(made[1].path)


def files_of(run: Run) -> list[Path]:
    """All but `digests.json`, which is flipped too, last."""
    found = sorted(path for path in run.path.rglob("*") if path.is_file() and path.name != digests.NAME)
    return [*found, run.path / digests.NAME]


def readers(run: Path) -> Iterator[Callable[[], object]]:
    """All that pages and commands read of a complete refinement, each on its own."""
    opened = Run(run)
    yield lambda: opened.manifest
    yield opened.status
    yield lambda: rundata.read(Run(run))
    yield lambda: Run(run).directions
    yield Run(run).log
    yield lambda: load_problem(run / "problem")
    yield lambda: confirmed(Run(run), Run(run).summary.rank)


def refusals(run: Path) -> tuple[list[str], int, list[str]]:
    """Sentences of what is refused, how much still opens, and other exceptions."""
    said, opens, others = [], 0, []
    for read in readers(run):
        try:
            read()
            opens += 1
        except InputError as error:
            said.append(str(error))
        except Exception as error:
            others.append(f"{type(error).__name__}: {error}")
    return said, opens, others


def flip(path: Path, generator: random.Random) -> None:
    data = bytearray(path.read_bytes())
    place = generator.randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)


def flips(run: Run, other: Run, per_file: int, seed: int = 0) -> Counter[str]:
    """Counts over all files: flips, named, silent, refused where needed, rest opens, others unaffected, exceptions."""
    counts: Counter[str] = Counter()
    generator = random.Random(seed)
    for path in files_of(run):
        kept = path.read_bytes()
        name = path.relative_to(run.path).as_posix()
        for _ in range(per_file):
            flip(path, generator)
            said, opens, others = refusals(run.path)
            found = [str(error) for error in damage(run.path)]
            counts["flips"] += 1
            counts["named"] += any(text.startswith(name) for text in found)
            counts["silent"] += not found and not said
            counts["refused where it is read"] += bool(said)
            counts["rest opens"] += opens > 0
            counts["other runs unaffected"] += _is_well(other)
            counts["other exceptions"] += len(others)
            path.write_bytes(kept)
    return counts


def _is_well(run: Run) -> bool:
    return not damage(run.path) and Run(run.path).summary.rank >= 0


def swaps(run: Run, other: Run, kinds: list[str]) -> Counter[str]:
    """The same for arrays, and what becomes of those whose digests were written again."""
    counts: Counter[str] = Counter()
    for path in sorted(run.path.rglob("*.npz")):
        kept, noted = path.read_bytes(), (run.path / digests.NAME).read_bytes()
        with np.load(path) as data:
            arrays = {key: data[key] for key in data.files}
        for key in arrays:
            for kind in kinds:
                swapped = SWAPS[kind](arrays[key])
                if _same(swapped, arrays[key]):  # an empty array is no shorter
                    continue
                atomic.write_arrays(path, {**arrays, key: swapped})
                name = path.relative_to(run.path).as_posix()
                said, _, others = refusals(run.path)
                counts["swaps"] += 1
                counts["named"] += any(str(error).startswith(name) for error in damage(run.path))
                counts["refused where it is read"] += any(path.name in text for text in said)
                counts["silent"] += not said
                counts["other runs unaffected"] += _is_well(other)
                digests.write(run.path)
                outcome, forged = drawn(run.path)
                counts[f"forged: {outcome}"] += 1
                counts["other exceptions"] += len(others) + len(forged)
                path.write_bytes(kept)
                (run.path / digests.NAME).write_bytes(noted)
    return counts


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def strangers(run: Run) -> dict[str, float]:
    """Something else in the place of each file: how often it was refused, canaries that were touched, exceptions, the slowest reader."""
    counts: dict[str, float] = dict.fromkeys(
        ("put", "refused", "canaries touched", "other exceptions", "slowest seconds"), 0
    )
    outside = run.path.parent / "outside"
    for path in files_of(run):
        kept = path.read_bytes()
        for kind in _intruders.INTRUDERS:
            canary = _intruders.put(kind, path, outside)
            said = [str(error) for error in damage(run.path)]
            for read in readers(run.path):
                started = time.perf_counter()
                try:
                    read()
                except InputError as error:
                    said.append(str(error))
                    counts["slowest seconds"] = max(counts["slowest seconds"], time.perf_counter() - started)
                except Exception:
                    counts["other exceptions"] += 1
            counts["put"] += 1
            counts["refused"] += any(path.name in text for text in said)
            counts["canaries touched"] += not canary.is_well
            _intruders.take_away(path, kept)
    return counts


def drawn(run: Path) -> tuple[str, list[str]]:
    """Whether a run is refused or drawn, with all figures of its report; other exceptions."""
    said, _, others = refusals(run)
    try:
        data = rundata.read(Run(run))
        report.report(data, data.snap(data.summary.rank))
    except InputError as error:
        said.append(str(error))
    except Exception as error:
        others.append(f"{type(error).__name__}: {error}")
    return "refused" if said else "drawn", others


def main(quick: bool) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lsr-damage-"))
    try:
        run, other = two_runs(folder)
        started = time.perf_counter()
        flipped = flips(run, other, 2 if quick else FLIPS)
        swapped = swaps(run, other, ["float32", "shorter"] if quick else list(SWAPS))
        found = {
            "files": len(files_of(run)) - 1,
            "bits": dict(flipped),
            "arrays": dict(swapped),
            "strangers": strangers(run),
            "well afterwards": _is_well(run) and _is_well(other),
            "seconds": round(time.perf_counter() - started, 1),
        }
        print(json.dumps(found))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
