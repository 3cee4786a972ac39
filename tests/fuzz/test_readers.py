"""Any bytes at all: each reader answers or raises an InputError, and soon. `make fuzz` runs it for a bounded time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsr_core.errors import InputError
from lsr_core.intake import tables
from tests.fuzz.seeds import COMPILED, SECONDS, SEEDS, Read, of_child
from tests.spent import at_most

EXAMPLES = int(os.environ.get("LSR_FUZZ_EXAMPLES", "60"))
quickly = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
pytestmark = pytest.mark.filterwarnings("ignore")  # libraries warn of what is damaged


def refusal(read: Read, path: Path) -> str:
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


def hold(suffix: str, good: bytes, read: Read, examples: int) -> None:
    """Damaged or random, the file is read or refused within its time, and no message shows where it lay."""

    @settings(quickly, max_examples=examples)
    @given(damaged(good) | st.binary(max_size=400))
    def one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, at_most(SECONDS):
            path = Path(folder) / f"data{suffix}"
            path.write_bytes(data)
            assert folder not in refusal(read, path)

    one()


@pytest.mark.parametrize("suffix", SEEDS)
def test_damaged_files_are_read_or_refused(suffix: str) -> None:
    hold(suffix, *SEEDS[suffix], EXAMPLES)


@pytest.mark.skipif("LSR_FUZZ_EXAMPLES" not in os.environ, reason="a child process each; `make fuzz` runs it")
@pytest.mark.parametrize("suffix", COMPILED)
def test_libraries_that_may_break_do_so_in_a_child(suffix: str) -> None:
    hold(suffix, COMPILED[suffix], of_child, max(1, EXAMPLES // 50))


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


@pytest.mark.parametrize("suffix", [*SEEDS, *COMPILED])
def test_the_good_files_are_read(suffix: str, tmp_path: Path) -> None:
    good, read = SEEDS[suffix] if suffix in SEEDS else (COMPILED[suffix], of_child)
    (tmp_path / f"data{suffix}").write_bytes(good)
    read(tmp_path / f"data{suffix}")
