"""What runs in the child process: one job on one file, within limits; the answer is one line of JSON.

    echo '{"job": "list", "path": "data.mat", …}' | python -m lsr_core.intake.child

Libraries written in C read files that anybody may have made. Here they may fail, or be stopped, without harm to the server.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lsr_core.errors import InputError

if TYPE_CHECKING:
    from lsr_core.intake import readers


def main(arguments: str) -> dict[str, Any]:
    """Do one job and say what came of it."""
    asked = json.loads(arguments)
    path = Path(asked["path"])
    shown = asked.get("shown") or path.name
    try:
        job = _job(asked, path)
        _limit(asked["memory"], asked["seconds"])
        return {"answer": job()}
    except InputError as error:
        return {"message": error.message, "key": error.key, "file": error.file}
    except MemoryError:
        return {"message": "needs more memory than reading a file may take; save less in it", "key": None}
    except ImportError as error:
        needed = f"needs {error.name}, which is not installed; `pip install lsr-explorer[files]` brings it"
        return {"message": needed, "key": None}
    except Exception as error:  # whatever a parser makes of damage, the file is at fault
        return {
            "message": f"cannot be read; it may be damaged, save it again ({_say(error, path, shown)})",
            "key": None,
        }


def _job(asked: dict[str, Any], path: Path) -> Callable[[], Any]:
    """What is to be done, with the modules for it imported: the limits are for the file alone."""
    if asked["job"] == "scan":
        from lsr_core.intake import pickles

        return lambda: pickles.check(path)
    if asked["job"] == "weights":
        from lsr_core.intake import torch_files

        return lambda: torch_files.convert(path, Path(asked["out"]), asked["network"])
    if asked["job"] == "unpack":
        from lsr_core.intake import packed

        return lambda: packed.unpack(path, Path(asked["out"]))
    if asked["job"] == "bundle":
        from lsr_core.intake import bundles

        return lambda: bundles.check(path, Path(asked["out"]), bundles.BundleLimits(**asked["limits"]))
    from lsr_core.intake import readers

    reader = readers.named(asked["reader"])
    if asked["job"] == "list":
        return lambda: [astuple(info) for info in reader.listing(path)]
    return lambda: _read(reader, path, asked["names"], Path(asked["out"]))


def _read(reader: readers.Reader, path: Path, names: list[str], out: Path) -> int:
    """Write arrays as numbered `.npy` files; returns how many the file gave."""
    found = reader.read(path, names)
    if mixed := next((name for name in names if np.iscomplexobj(found[name])), None):
        raise InputError(
            "is complex; save its real and its imaginary part as variables of their own, and take both or the one that is meant",
            file=path.name, key=mixed[:80],
        )  # fmt: skip
    for place, name in enumerate(names):
        array = np.ascontiguousarray(found[name])
        np.save(out / f"{place}.npy", array.astype(array.dtype.newbyteorder("="), copy=False), allow_pickle=False)
    return len(found)


def _limit(memory: int, seconds: float) -> None:
    """Bytes of address space, and processor time from now on, after which the system ends this process by SIGPROF."""
    try:
        import resource
    except ImportError:  # not on Windows, where only the time is limited, by the parent
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _say(error: Exception, path: Path, shown: str) -> str:
    """The parser's words in one short line, without paths of this machine."""
    words = " ".join(str(error).replace(str(path), shown).split())
    return f"{type(error).__name__}: {words}"[:160]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.stdin.readline())))
