"""A typed equation in a JSON file, on the command line: what is made of it, and what is said where it is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import lsr_samples
from lsr_app import cli
from lsr_app.commands.common import problem_folder
from lsr_core.errors import InputError
from lsr_core.storage.bundles import load_problem
from lsr_core.storage.equation_files import from_equation_file

DECAY: dict[str, Any] = {
    "inputs": {"t": [0, 1]},
    "constants": {"rate": 2},
    "equations": [{"equation": "u_t = -rate*u", "points": 60}],
    "conditions": [{"where": "t = 0", "equation": "u = 1", "points": 1}],
    "solution": {"u": "exp(-rate*t)"},
    "network": {"widths": [12], "seed": 3},
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "decay.json"
    path.write_text(json.dumps(DECAY | changes), encoding="utf-8")
    return path


def test_commands_take_the_file_itself(tmp_path: Path) -> None:
    """docs/equations-typed.md has one that is refined."""
    with problem_folder(str(written(tmp_path))) as folder:
        problem, kept = load_problem(folder), json.loads((folder / "problem.json").read_text(encoding="utf-8"))
    assert problem.name == "decay"
    assert sum(value.numel() for value in problem.model.parameters()) == 12 * 2 + 12 + 1
    arguments = kept["physics"]["arguments"]
    assert arguments["equations"][0]["equation"] == "u_t = -rate*u"
    assert "network" not in arguments


def test_the_network_is_the_one_of_the_file(tmp_path: Path) -> None:
    base = from_equation_file(written(tmp_path))
    other = from_equation_file(written(tmp_path, network={"widths": [12], "seed": 4}))
    assert [value.shape for value in base.model.parameters()] == [value.shape for value in other.model.parameters()]
    assert any(not one.equal(two) for one, two in zip(base.model.parameters(), other.model.parameters(), strict=True))
    wave = {"equations": [{"equation": "u_t = sin(2*pi*t)", "points": 50}], "solution": {}, "constants": {}}
    ends = wave | {"conditions": [{"where": "t periodic", "equation": "u"}]}
    for said in ({"circular": True}, {"network": {"widths": [12], "circular": True}}):
        made = from_equation_file(written(tmp_path, **ends, **said))
        begin, end = made.model(torch.tensor([[0.0], [1.0]], dtype=torch.float64))
        assert begin.allclose(end, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"equation": "u_t = 0"}, "equation", "Extra inputs"),
        ({"equations": [{"equation": "u_t = speed*u"}]}, "equation 1", "speed"),
        ({"network": {"widths": []}}, "network.widths", "at least 1"),
        ({"format_version": 1}, None, "name the folder"),
    ],
)
def test_what_is_no_equation_is_refused_with_file_and_key(
    tmp_path: Path, changes: dict[str, Any], key: str | None, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        from_equation_file(written(tmp_path, **changes))
    assert caught.value.file == "decay.json"
    assert (caught.value.key or "").startswith(key or "")
    assert (key is None) == (caught.value.key is None)


def test_the_description_of_a_bundle_sends_to_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(lsr_samples.folder("poisson") / "problem.json", tmp_path)
    assert cli.run(["refine", str(tmp_path / "problem.json"), "--runs", str(tmp_path / "runs")]) == 2
    assert "name the folder that it lies in" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"inputs": ' * 2000, '{"inputs": {"t": [0, NaN]}}'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "eq.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        from_equation_file(path)
    assert caught.value.file == "eq.json"
