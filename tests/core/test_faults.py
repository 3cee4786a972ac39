"""A few places of each loop of `benchmarks/faults.py`: what fails says so, leaves nothing behind, and harms nobody else."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from benchmarks import faults as loops
from lsr_app import places
from lsr_core.jobs import worker


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> loops.House:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(places.RUNS_VARIABLE, "")
        return loops.House(tmp_path_factory.mktemp("house").resolve())


@pytest.fixture(autouse=True)
def still(house: loops.House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of runs of this house, and no write that comes when it likes."""
    monkeypatch.setenv(places.RUNS_VARIABLE, str(house.store.root))
    monkeypatch.setattr(worker, "BEAT_SECONDS", 1e6)


@pytest.mark.parametrize(
    ("operation", "every"),
    [("job", 40), ("queue", 11), ("delete", 9), ("rename", 2), ("upload", 5), ("export report", 2)],
)
def test_a_write_that_fails_harms_nothing_else(house: loops.House, operation: str, every: int) -> None:
    found = loops.writes(house, operation, errno.ENOSPC, lasting=True, every=every)
    assert found["failures"] >= 1


def test_a_job_that_is_killed_at_a_write_harms_nothing_else(house: loops.House) -> None:
    assert loops.kills(house, every=40)["failures"] >= 2


def test_an_allocation_that_fails_ends_its_job_alone(house: loops.House) -> None:
    assert loops.allocations(house, every=400)["failures"] >= 1


def test_the_harness_fails_where_it_should(tmp_path: Path) -> None:
    with loops.faults.failing_writes(tmp_path, 1, loops.faults.refuse(errno.EIO)) as count:
        (tmp_path / "a").write_text("first")
        with pytest.raises(OSError, match="Input/output error"):
            (tmp_path / "b").write_text("second")
        (tmp_path / "c").write_text("third")
        Path("/dev/null").write_text("elsewhere")
    assert count.seen == 3
    assert not (tmp_path / "b").exists()
