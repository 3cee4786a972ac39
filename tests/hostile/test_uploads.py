"""Every hostile upload ends in a clear message, soon, with nothing left behind."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import psutil
import pytest

from lsr_app.screens.bring import uploadlimits, uploads
from lsr_core.errors import InputError
from lsr_core.intake import bundles, state_dicts, tables
from lsr_core.intake.readers import READERS
from tests.hostile.bounds import NEW
from tests.hostile.files import HOSTILE, attentive, canary
from tests.hostile.more import FURTHER
from tests.hostile.stores import DATA
from tests.spent import spent

SECONDS = 5.0  # of work; a busy machine takes longer by the clock
MEMORY = 200 * 2**20


def read(path: Path) -> None:
    """As the pages do."""
    if path.suffix == ".zip" and not path.name.endswith(DATA):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "unpacked"
            uploadlimits.unpack_bundle(path, folder)
    elif path.suffix in READERS:
        tables.read(path, [info.name for info in tables.listing(path)])
    else:
        state_dicts.read(path)


def test_there_are_more_than_two_hundred() -> None:
    assert len(HOSTILE) > 200
    assert len(NEW) >= 100


def test_every_reader_and_every_container_has_a_hostile_file() -> None:
    asked = {*READERS, *state_dicts.SUFFIXES, *(f".{suffix}" for suffix in uploads.WEIGHTS)}
    assert asked <= {suffix for suffix, _ in HOSTILE.values()}
    assert set(FURTHER) <= asked


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_upload_is_refused(name: str, tmp_path: Path) -> None:
    refused(name, tmp_path)


@pytest.mark.own_process
@pytest.mark.parametrize("name", {suffix: name for name, (suffix, _) in HOSTILE.items()}.values())
def test_a_process_of_its_own_refuses_one_of_each_kind(name: str, tmp_path: Path) -> None:
    me = psutil.Process()
    before, cpu = me.children(recursive=True), spent()
    refused(name, tmp_path)
    assert spent() - cpu < SECONDS
    assert me.children(recursive=True) == before


def refused(name: str, tmp_path: Path) -> None:
    suffix, make = HOSTILE[name]
    path = tmp_path / f"upload{suffix}"
    make(path)
    me = psutil.Process()
    before, clock = me.memory_info().rss, time.monotonic()

    with pytest.raises(InputError) as refused:
        read(path)

    said = str(refused.value)
    print(f"{name}: {time.monotonic() - clock:.2f} s: {said}")
    assert 10 < len(said) < 700
    assert "Traceback" not in said
    assert str(tmp_path) not in said
    assert not canary(path).exists()
    assert me.memory_info().rss - before < MEMORY
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name]


@pytest.mark.own_process
@pytest.mark.parametrize(
    ("length", "depth", "words"),
    [(30_000, 1, "more memory for a single row"), (6_000, 200, "not read within 2.5 s of work")],
)
def test_a_network_beyond_the_child_s_limits_is_stopped(length: int, depth: int, words: str, tmp_path: Path) -> None:
    archive = tmp_path / "upload.zip"
    attentive(archive, length, depth)
    limits = bundles.BundleLimits(
        uploadlimits.MAX_UNPACKED_BYTES, uploadlimits.MAX_PARAMETERS, uploadlimits.MAX_POINTS, uploadlimits.MAX_ROWS
    )
    me = psutil.Process()
    before, children = spent(), me.children(recursive=True)
    with pytest.raises(InputError, match=words):
        bundles.accept(archive, tmp_path / "unpacked", limits)
    assert spent() - before < 2 * SECONDS  # the child imports torch, and a busy machine makes that dear
    assert me.children(recursive=True) == children
