"""`lsr training`: its rank, and what its columns say."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsr_app import cli
from lsr_core.diagnosis.training_records import TrainingRecord
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.lab import read_experiment
from tests import bundles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plain = load_problem(bundles.write(tmp_path / "plain"))
    scaled = {
        epoch: {name: value * scale for name, value in bundles.tensors().items()}
        for epoch, scale in ((0, 0.1), (40, 1.0))
    }
    return save_problem(tmp_path / "along", plain, checkpoints=scaled)


def test_one_rank_is_taken_at_every_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = folder.parent / "runs"
    assert cli.run(["training", str(folder), "--runs", str(runs), "--max-rank", "8", "--rank", "2"]) == 0
    title, heads, *lines = capsys.readouterr().out.splitlines()
    (kept,) = runs.glob("*/run.json")
    found = read_experiment(kept.parent, TrainingRecord)
    assert found is not None
    assert [one.rank for one in found.checkpoints] == [2, 2]
    assert "relative L2 errors of network and refinement" in title
    assert heads.split()[:7] == ["epoch", "network", "refined", "rank", "κ(G", "V)", "seconds"]
    for line, one in zip(lines, found.checkpoints, strict=False):
        assert line.split()[:4] == [str(one.epoch), f"{one.base_error:.3e}", f"{one.refined_error:.3e}", "2"]
    assert "--rank" not in "".join(lines)  # all lines have one rank: nothing to be said of others


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--rank", "some"], "rank"), (["--rank", "9"], "rank: is 9"), (["--max-rank", "999999"], "max_rank")],
)
def test_a_rank_that_cannot_be_is_refused_before_there_is_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    runs = folder.parent / "runs"
    assert cli.run(["training", str(folder), "--runs", str(runs), "--max-rank", "8", *options]) == 2
    assert words in capsys.readouterr().err
    assert not list(runs.glob("*/run.json"))
