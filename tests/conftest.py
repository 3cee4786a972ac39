"""Tests marked slow run everywhere but in CI, whose minutes are counted; there they are skipped with a reason."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("CI") or os.environ.get("LSR_ALL_TESTS"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; `make test` outside of CI, or LSR_ALL_TESTS=1, runs it"))
