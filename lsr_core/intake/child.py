"""What runs in the child process: one job on one file, within limits; the answer is one line of JSON.

    python -m lsr_core.intake.child '{"job": "list", "path": "data.mat", …}'

Libraries written in C read files that anybody may have made. Here they may fail, or be stopped, without harm to the server.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from lsr_core.errors import InputError


def main(arguments: str) -> dict[str, Any]:
    """Do one job and say what came of it."""
    asked = json.loads(arguments)
    _limit(asked["memory"], asked["seconds"])
    path = Path(asked["path"])
    shown = asked.get("shown") or path.name
    try:
        return {"answer": _do(asked, path)}
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


def _do(asked: dict[str, Any], path: Path) -> Any:
    if asked["job"] == "weights":
        from lsr_core.intake import torch_files

        return torch_files.convert(path, Path(asked["out"]))
    if asked["job"] == "bundle":
        from lsr_core.intake import bundles

        return bundles.check(path, Path(asked["out"]), bundles.Limits(**asked["limits"]))
    from lsr_core.intake import hdf, matlab, parquet

    reader: Any = {".mat": matlab, ".parquet": parquet}.get(path.suffix, hdf)
    if asked["job"] == "list":
        return [[info.name, list(info.shape), info.dtype, info.itemsize] for info in reader.listing(path)]
    import numpy as np

    found = reader.read(path, asked["names"])
    for place, name in enumerate(asked["names"]):
        np.save(Path(asked["out"]) / f"{place}.npy", np.ascontiguousarray(found[name]), allow_pickle=False)
    return len(found)


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows, where only the time is limited, by the parent
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say(error: Exception, path: Path, shown: str) -> str:
    """The parser's words in one short line, without paths of this machine."""
    words = " ".join(str(error).replace(str(path), shown).split())
    return f"{type(error).__name__}: {words}"[:160]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
