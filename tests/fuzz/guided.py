"""Fuzzing of the parsers guided by coverage (atheris, libFuzzer): `make fuzz`, or

    python -m tests.fuzz.guided [--seconds 60] [PARSER ...]

Each parser has a process of its own. It may answer or raise an InputError within five seconds of work; anything else is a finding, written
to the folder it runs in.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lsr_core.intake", "lsr_core.storage", "lsr_core.problems.physics.typed"]):
    from lsr_core.errors import InputError
    from lsr_core.intake.readers import READERS
    from lsr_core.problems.physics.typed.expressions import expression
    from lsr_core.storage.archives import unpack
    from lsr_core.storage.bundle_files import DATA, DESCRIPTION, WEIGHTS
    from lsr_core.storage.bundles import read_description
    from tests.fuzz.seeds import SECONDS, SEEDS
    from tests.spent import at_most

    for module in (*READERS.values(), "lsr_core.intake.torch_files"):  # which the child loads by name
        importlib.import_module(module)

Parser = Callable[[bytes, Path], object]
MEMORY_MB = 3000
PATIENCE = 120  # seconds by the clock, after which libFuzzer ends what never does


def _file(suffix: str) -> Parser:
    def parse(data: bytes, folder: Path) -> object:
        path = folder / f"data{suffix}"
        path.write_bytes(data)
        return SEEDS[suffix][1](path)

    return parse


def _zip(data: bytes, folder: Path) -> None:
    (folder / "upload.zip").write_bytes(data)
    (folder / "out").mkdir()
    unpack(folder / "upload.zip", folder / "out", {DESCRIPTION, WEIGHTS, DATA}, max_bytes=2**20)


def _description(data: bytes, folder: Path) -> object:
    (folder / DESCRIPTION).write_bytes(data)
    return read_description(folder)


def _expression(data: bytes, folder: Path) -> object:
    return expression(data.decode("latin-1"), ("x", "t", "u", "u_x"), {"c": 2.0}, "equations")


SEED_OF = {
    "zip": b"PK\x05\x06" + bytes(18),
    "description": b'{"format_version": 1, "kind": "supervised", "name": "a", "network": {"architecture": "mlp"}}',
    "expression": b"u_x + c*sin(x)**2 - exp(-t)/2",
    **{suffix: good for suffix, (good, _) in SEEDS.items()},
}
PARSERS: dict[str, Parser] = {
    "zip": _zip,
    "description": _description,
    "expression": _expression,
    **{suffix: _file(suffix) for suffix in SEEDS},
}


def fuzz(name: str, seconds: int) -> None:
    """Run one parser in this process, which libFuzzer ends."""

    def one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                with at_most(SECONDS):
                    PARSERS[name](data, Path(folder))
            except InputError as error:
                if folder in str(error):
                    raise AssertionError("a message shows a path of this machine") from error

    with tempfile.TemporaryDirectory() as corpus:
        (Path(corpus) / "good").write_bytes(SEED_OF[name])
        limits = [
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-timeout={PATIENCE}",
            "-max_len=4096",
        ]
        atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", "-verbosity=0", corpus], one)
        atheris.Fuzz()


def main() -> int:
    """All parsers, or those that are named; 1 if one of them did something else than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parsers", nargs="*", default=[], choices=[[], *PARSERS])
    parser.add_argument("--seconds", type=int, default=60, help="for each")
    parser.add_argument("--here", help="fuzz this one in this process")
    options = parser.parse_args()
    if options.here:
        fuzz(options.here, options.seconds)
    bad = []
    for name in options.parsers or PARSERS:
        command = [sys.executable, "-m", "tests.fuzz.guided", "--here", name, "--seconds", str(options.seconds)]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        executed = [line for line in ended.stderr.splitlines() if "number_of_executed_units" in line]
        print(f"{name}: {executed[0].split()[-1] if executed else 'no'} inputs, exit {ended.returncode}", flush=True)
        if ended.returncode:
            bad.append(name)
            print(ended.stderr[-3000:], file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
