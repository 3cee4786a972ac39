"""Evaluates an exported file in a process that has neither `lsr_core` nor `lsr_app`; run as a script.

`python -P runner.py READER FILE INPUTS OUTPUTS`: READER is a file with the function `read` of a form, INPUTS is an npz of arrays, OUTPUTS gets
an array of the same name for each, and one of standard deviations where the file gives them.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np

STD = ".std"  # what follows the name of an array of standard deviations


def main(arguments: list[str]) -> None:
    for name in ("lsr_core", "lsr_app"):
        sys.modules[name] = None  # type: ignore[assignment]  # an import of it raises
    reader, path, inputs, outputs = arguments
    call = runpy.run_path(reader)["read"](Path(path))
    with np.load(inputs, allow_pickle=False) as given:
        found = {}
        for name in given.files:
            values = call(given[name])
            found[name], *more = values if isinstance(values, tuple) else (values,)
            found |= {f"{name}{STD}": deviations for deviations in more}
        np.savez(outputs, **found)


if __name__ == "__main__":
    main(sys.argv[1:])
