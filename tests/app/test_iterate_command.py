"""`lsr iterate`: one JSON object, going on, refusals, exports of the best predictor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lsr_app import cli
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.storage.bundles import load_problem, save_problem
from lsr_core.storage.export import load_predictor
from lsr_core.storage.runs import RunStore
from tests import bundles
from tests.core.test_iteration import poisson

FEW = ("--align-steps", "15", "--max-rank", "60", "--seconds", "60")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("iterate")
    save_problem(folder / "bundle", poisson())
    return folder


@pytest.fixture
def lsr(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("lsr_core.iteration.baselines.LOOKS", 3)  # each is a look at 257 x 257 points

    def call(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
        capsys.readouterr()
        code = cli.run([*map(str, arguments), "--runs", str(place / "runs"), "--json"])
        out, err = capsys.readouterr()
        found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert isinstance(found, dict)
        return code, found, err

    return call


def test_one_object_with_steps_baselines_and_the_best(lsr: Any, place: Path, tmp_path: Path) -> None:
    code, found, _ = lsr("iterate", place / "bundle", "--steps", "2", *FEW)
    assert code == 0
    assert [step["kind"] for step in found["steps"]] == ["start", "lsr", "align", "lsr", "align"]
    for step in found["steps"]:
        assert {"kind", "seconds", "residual", "relative_l2", "bands"} <= set(step)
        assert set(step["relative_l2"]) == set(step["bands"]) == {"network", "refined"}
        assert set(step["bands"]["network"]) == {"low", "middle", "high"}
    assert set(found["baselines"]) == {"pinn", "time-stepping", "levenberg-marquardt"}
    for curve in found["baselines"].values():
        assert len(curve["seconds"]) == len(curve["relative_l2"]) > 1
    solves = [step for step in found["steps"] if step["kind"] == "lsr"]
    best = min(solves, key=lambda step: step["fresh_residual"])
    assert found["best_relative_l2"] == best["relative_l2"]["refined"]
    assert found["status"] == "complete"
    assert found["stopped"] == "steps"
    assert found["sentence"]

    assert lsr("export", found["run"], "--format", "predictor", "--out", tmp_path / "p.safetensors")[0] == 0
    predictor = load_predictor(tmp_path / "p.safetensors")
    assert isinstance(predictor, RefinedPredictor)
    test = load_problem(place / "bundle").splits()["test"]
    with torch.no_grad():
        error = predictor.predict(test.inputs) - test.targets
    assert float(error.norm() / test.targets.norm()) == pytest.approx(found["best_relative_l2"], rel=1e-6)
    for format in ("csv", "json"):
        assert lsr("export", found["run"], "--format", format, "--out", tmp_path / f"p.{format}")[0] == 0
    kept = json.loads((tmp_path / "p.json").read_text())
    assert len(kept["steps"]) == 5

    code, more, _ = lsr("iterate", "--resume", found["run"], "--steps", "3")
    assert code == 0
    assert more["run"] == found["run"]
    assert more["steps"][:5] == found["steps"]
    assert [step["kind"] for step in more["steps"][5:]] == ["lsr", "align"]
    assert more["baselines"] == found["baselines"]


def test_baselines_can_be_left_out_and_words_are_printed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "iterate",
        str(place / "bundle"),
        "--steps",
        "1",
        "--no-baselines",
        *FEW,
        "--runs",
        str(place / "words"),
    ]
    assert cli.run(arguments) == 0
    out = capsys.readouterr().out
    assert "ended by steps" in out
    assert "pinn" not in out


def test_refusals_leave_no_run(lsr: Any, tmp_path: Path, place: Path) -> None:
    before = len(RunStore(place / "runs").list())
    bundles.write(tmp_path / "data")
    for arguments, word in [
        ((tmp_path / "data",), "needs an equation"),
        ((place / "bundle", "--align", "guess"), "supervised"),
        ((place / "bundle", "--steps", "0"), "greater than or equal to 1"),
        ((place / "bundle", "--seconds", "nan"), "finite"),
        ((place / "bundle", "--max-rank", "5000"), "at most 105"),
        ((), "name a problem"),
        (("--resume", "0" * 32), "no run"),
    ]:
        code, found, err = lsr("iterate", *arguments)
        assert code == 2
        assert word in found["error"]["message"]
        assert len(err.splitlines()) == 1
    assert len(RunStore(place / "runs").list()) == before


def test_other_runs_do_not_go_on(lsr: Any, tmp_path: Path) -> None:
    bundles.write(tmp_path / "data")
    code, made, _ = lsr("refine", tmp_path / "data", "--max-rank", "5")
    assert code == 0
    code, found, _ = lsr("iterate", "--resume", made["run"])
    assert code == 2
    assert "not an iteration" in found["error"]["message"]
