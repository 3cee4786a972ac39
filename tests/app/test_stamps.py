"""What is kept of runs and folders is read again once their files have changed, and never taken for another's."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from lsr_app.services.stamps import by
from lsr_core.storage.runs import Run


@pytest.mark.parametrize("names", [("a.txt",), ()])
@pytest.mark.parametrize("kind", [Run, Path])
def test_it_is_read_once_for_each_folder_and_state_of_its_files(
    names: tuple[str, ...], kind: type[Run] | type[Path], tmp_path: Path
) -> None:
    read: list[str] = []

    @st.cache_data(show_spinner=False, hash_funcs=by(*names))
    def text(place: Run | Path) -> str:
        folder = place.path if isinstance(place, Run) else place
        read.append(folder.name)
        return (folder / "a.txt").read_text()

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    for name in ("one", "two", "one", "two"):
        assert text(kind(tmp_path / name)) == name
    assert read == ["one", "two"]
    (tmp_path / "one" / "a.txt").write_text("another")
    assert text(kind(tmp_path / "one")) == "another"
    (tmp_path / "two" / "b.txt").write_text("added")
    assert text(kind(tmp_path / "two")) == "two"
    assert read[2:] == (["one"] if names else ["one", "two"])
