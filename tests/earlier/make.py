"""The files of `made`: bundles, runs and predictor files as earlier versions of this package wrote them, made by their own code.

    python -m tests.earlier.make [--only COMMIT]

Each commit of `COMMITS` is unpacked from git's history into a temporary folder and its commands run there, with the libraries of today. What
they printed is kept in part as `printed.json`, so that the tests can hold what is read now against what was meant then.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = Path(__file__).with_name("made")

KEPT = ("run", "rank", "base", "refined")  # of what a command prints
_FEW = ("--max-rank", "8")
_FIRST = (("refine", "tiny", *_FEW), ("export", "RUN", "--format", "predictor", "--out", "predictor.safetensors"))
_LAB = (
    ("plane", "RUN"),
    ("conditioning", "tiny", "--rank", "4", "--iterations", "5"),
    ("isolate", "tiny", "--rank", "4", "--iterations", "2"),
    ("training", "along", *_FEW),
)
_EQUATION = (
    ("refine", "poisson-untrained", *_FEW),
    ("iterate", "poisson-untrained", "--steps", "1", "--no-baselines", "--align-steps", "2", *_FEW),
)
_BATCH = (("refine", "antiderivative", "--cases", "2", *_FEW),)
COMMITS = {
    "704ba40": ("the first with runs: format 1, one kind of run", _FIRST),
    "e1abfcb": ("equations, iterations and the lab", (*_FIRST, *_LAB, *_EQUATION)),
    "aa539fd": ("the last of format 1", (*_FIRST, *_LAB, *_BATCH)),
    "e69a112": ("the first of format 2, with digests", (*_FIRST, *_LAB, *_EQUATION)),
    "5b53996": ("error bars", (*_FIRST, ("refine", "tiny", *_FEW, "--regularise", "auto"), *_BATCH)),
}

# `along` is `tiny` with two checkpoints, where the version has checkpoints.
_BUNDLES = """
import inspect, pathlib
from tests import bundles
from lsr_core.storage.bundles import load_problem, save_problem
tiny = load_problem(bundles.write(pathlib.Path("tiny")))
state = tiny.model.state_dict()
if "checkpoints" in inspect.signature(save_problem).parameters:
    save_problem(pathlib.Path("along"), tiny, checkpoints={0: {name: value / 2 for name, value in state.items()}, 1: state})
"""


def make(commit: str, out: Path) -> None:
    """Write what the code of `commit` makes into the folder `out`, which is made anew."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as temporary:
        code = Path(temporary, "code")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(code, filter="data")
        (code / "lsr_app").symlink_to("app")
        (code / "lsr_samples").symlink_to("sample_models")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        environment = {**os.environ, "PYTHONPATH": str(code), "LSR_RUNS": str(out / "runs")}
        subprocess.run([sys.executable, "-W", "ignore", "-c", _BUNDLES], cwd=out, env=environment, check=True)
        printed, first = [], ""
        for given in COMMITS[commit][1]:
            command = [first if word == "RUN" else word for word in given]
            call = [sys.executable, "-W", "ignore", "-m", "lsr_app", *command, "--json"]
            text = subprocess.run(call, cwd=out, env=environment, check=True, capture_output=True, text=True).stdout
            record = json.loads(text)
            printed.append({"command": list(given), **{key: record[key] for key in KEPT if key in record}})
            first = first or record["run"]
    for name in (".pace.json", ".queue", ".lock"):
        shutil.rmtree(out / "runs" / name, ignore_errors=True)
        (out / "runs" / name).unlink(missing_ok=True)
    (out / "printed.json").write_text(json.dumps(printed, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", choices=COMMITS, action="append")
    for name in options.parse_args().only or COMMITS:
        make(name, MADE / name)
        print(name, sum(path.stat().st_size for path in (MADE / name).rglob("*")), "bytes")
