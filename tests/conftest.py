"""Tests that are marked or listed as slow run everywhere but in CI, whose minutes are counted; there they are skipped with a reason.

`slow.txt` lists those that took more than seconds when they were last measured; `python -m tests.slow` writes it. What CI must see however
long it takes is marked `always`.
"""

from __future__ import annotations

import os
import sys

import pytest

from lsr_core.intake import confined
from tests import forked
from tests.slow import LISTED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("CI") or os.environ.get("LSR_ALL_TESTS"):
        return
    listed = set(LISTED.read_text(encoding="utf-8").splitlines())
    for item in items:
        slow = item.get_closest_marker("slow") or item.nodeid in listed
        if slow and not item.get_closest_marker("always"):
            item.add_marker(pytest.mark.skip(reason="slow; `make test` outside of CI, or LSR_ALL_TESTS=1, runs it"))


@pytest.fixture(autouse=True)
def _files_are_read_in_forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the libraries anew for each file takes seconds."""
    if not request.node.get_closest_marker("own_process"):
        monkeypatch.setattr(confined, "subprocess", forked)


@pytest.fixture(autouse=True)
def _draws_are_the_same() -> None:
    """In whatever order tests run, so that what one run shows another one does."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
