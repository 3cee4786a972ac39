"""Targets that are missing: refused as ever, and left out and counted where that is asked for."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import lsr_samples
from lsr_app.cli import run as lsr
from lsr_core.errors import InputError
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.missing import in_words, without_missing


def broken(folder: Path, places: dict[str, list[int]], value: float = np.nan) -> Path:
    """noisy1d with some targets that are none."""
    shutil.copytree(lsr_samples.folder("noisy1d"), folder)
    arrays = dict(np.load(folder / "data.npz"))
    for split, rows in places.items():
        arrays[f"{split}_targets"][rows] = value
    np.savez(folder / "data.npz", **arrays)
    text = json.loads((folder / "problem.json").read_text())
    data = (folder / "data.npz").read_bytes()
    text["files"]["data.npz"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    (folder / "problem.json").write_text(json.dumps(text))
    return folder


def test_samples_with_missing_targets_are_left_out_and_counted(tmp_path: Path) -> None:
    bundle = broken(tmp_path / "broken", {"train": [0, 7, 8], "test": [3]})
    with pytest.raises(InputError, match="NaN or infinite"):
        load_problem(bundle)
    assert without_missing(bundle, tmp_path / "kept") == {"train": 3, "test": 1}
    whole, kept = load_problem("noisy1d"), load_problem(tmp_path / "kept")
    rows = [row for row in range(len(whole.train.inputs)) if row not in (0, 7, 8)]
    assert kept.train.inputs.equal(whole.train.inputs[rows])
    assert kept.train.targets.equal(whole.train.targets[rows])
    assert "left out: 3 of train, 1 of test" in kept.description


def test_where_nothing_is_missing_nothing_is_written(tmp_path: Path) -> None:
    assert without_missing(lsr_samples.folder("noisy1d"), tmp_path / "kept") == {}
    assert not (tmp_path / "kept").exists()
    assert in_words({}) == ""


def test_infinite_targets_are_not_missing_and_a_split_is_not_emptied(tmp_path: Path) -> None:
    assert without_missing(broken(tmp_path / "infinite", {"train": [0]}, np.inf), tmp_path / "kept") == {}
    everything = list(range(len(load_problem("noisy1d").train.inputs)))
    with pytest.raises(InputError, match="nothing would be left"):
        without_missing(broken(tmp_path / "empty", {"train": everything}), tmp_path / "none")
    with pytest.raises(InputError, match="no targets that could be missing"):
        without_missing(lsr_samples.folder("poisson"), tmp_path / "equation")


def test_the_command_line_drops_on_request_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = broken(tmp_path / "broken", {"train": [0, 7]})
    asked = ["refine", str(bundle), "--runs", str(tmp_path / "runs"), "--max-rank", "5", "--json"]
    assert lsr(asked) != 0
    assert "NaN or infinite" in capsys.readouterr().err
    assert lsr([*asked, "--drop-missing"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"] == {"train": 2}
