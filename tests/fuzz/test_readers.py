"""Any bytes at all: each reader answers or raises an InputError. `make fuzz` runs it for a bounded time."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsr_core.errors import InputError
from lsr_core.intake import pickles, state_dicts, tables, text

EXAMPLES = int(os.environ.get("LSR_FUZZ_EXAMPLES", "60"))
quickly = settings(
    max_examples=EXAMPLES, deadline=timedelta(seconds=5), suppress_health_check=list(HealthCheck), database=None
)


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.arange(12.0).reshape(4, 3), b=np.ones(4, dtype=np.float32))
    return buffer.getvalue()


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(12.0).reshape(4, 3))
    return buffer.getvalue()


def _pt() -> bytes:
    buffer = io.BytesIO()
    torch.save({"0.weight": torch.ones(2, 2)}, buffer)
    return buffer.getvalue()


SEEDS: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
    ".npz": (_npz(), lambda path: tables.read(path, [info.name for info in tables.listing(path)])),
    ".npy": (_npy(), lambda path: tables.read(path, [info.name for info in tables.listing(path)])),
    ".csv": (
        b"x,y\n1,2\n3,4e5\n",
        lambda path: text.read(path, [i.name for i in text.listing(path) if not i.unusable]),
    ),
    ".txt": (
        b"% x  y (K)\n0,5 1,5\n2,5 3,5\n",
        lambda path: text.read(path, [info.name for info in text.listing(path) if not info.unusable]),
    ),
    ".tsv": (
        b"when\tx\ty\n-\tm\tkg\n2020-01-01\t1D0\tNA\n2020-01-02\t2\t3\n",
        lambda path: text.read(path, [info.name for info in text.listing(path) if not info.unusable]),
    ),
    ".dat": (
        b'TITLE = "a"\nVARIABLES = "x", "u"\nZONE I=2, F=POINT\n0 1\n1 4\n',
        lambda path: text.read(path, [info.name for info in text.listing(path) if not info.unusable]),
    ),
    ".prn": (  # R's names of rows, grouped thousands, a decimal comma
        b'"x" "y"\n"1" "1.234,5" 2,5\n"2" "2.345,5" ****\n',
        lambda path: text.read(path, [info.name for info in text.listing(path) if not info.unusable]),
    ),
    ".safetensors": (safetensors.torch.save({"0.weight": torch.ones(2, 2)}), state_dicts.read),
    ".pt": (_pt(), pickles.check),
}


def refusal(read: Callable[[Path], Any], path: Path) -> str:
    """What a reader says against a file; nothing if it reads it."""
    try:
        read(path)
    except InputError as error:
        return str(error)
    return ""


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with some bytes changed, cut out or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        how = draw(st.sampled_from(["change", "cut", "insert", "end"]))
        if how == "change":
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
        elif how == "insert":
            data[place:place] = draw(st.binary(max_size=16))
        elif how == "cut":
            del data[place : place + draw(st.integers(1, 32))]
        else:
            del data[place:]
    return bytes(data)


@pytest.mark.filterwarnings("ignore:Reading `.npy` or `.npz` file required additional header parsing:UserWarning")
@pytest.mark.parametrize("suffix", SEEDS)
def test_damaged_files_are_read_or_refused(suffix: str) -> None:
    good, read = SEEDS[suffix]

    @quickly
    @given(damaged(good) | st.binary(max_size=400))
    def one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"data{suffix}"
            path.write_bytes(data)
            assert folder not in refusal(read, path)

    one()


@quickly
@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_text(content, encoding="utf-8", errors="replace")
        try:
            found = tables.read(path, [info.name for info in tables.listing(path) if not info.unusable])
        except InputError:
            return
        assert all(array.dtype == np.float64 for array in found.values())


def test_the_good_files_are_read(tmp_path: Path) -> None:
    for suffix, (good, read) in SEEDS.items():
        (tmp_path / f"data{suffix}").write_bytes(good)
        read(tmp_path / f"data{suffix}")
    assert zipfile.is_zipfile(tmp_path / "data.npz")


@pytest.mark.skipif("LSR_FUZZ_EXAMPLES" not in os.environ, reason="a child process each; `make fuzz` runs it")
def test_damaged_hdf5_is_read_or_refused() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["a"] = np.arange(12.0)

    @settings(quickly, max_examples=max(1, EXAMPLES // 50), deadline=None)
    @given(damaged(buffer.getvalue()))
    def one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "data.h5"
            path.write_bytes(data)
            assert folder not in refusal(SEEDS[".npz"][1], path)

    one()
