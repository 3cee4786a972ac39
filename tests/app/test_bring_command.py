"""`lsr bring`: the guess of the page and its sentences, on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lsr_app import cli
from lsr_app.words import broughttexts
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.storage.bundles import load_problem
from tests.foreign.networks import FOREIGN, mionet

KNOWN = dict(np.load(FOREIGN / "torch_mlp.npz"))
WEIGHTS = FOREIGN / "torch_mlp.pt"


def brought(capsys: pytest.CaptureFixture[str], *given: object, code: int = 0) -> dict[str, Any]:
    assert cli.run(["bring", *map(str, given), "--json"]) == code
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def refusal(capsys: pytest.CaptureFixture[str], *given: object) -> str:
    return str(brought(capsys, *given, code=2)["error"]["message"])


def table(path: Path, header: str, *columns: np.ndarray) -> Path:
    """As a German spreadsheet writes it."""
    rows = [";".join(f"{value:.9f}".replace(".", ",") for value in row) for row in np.concatenate(columns, axis=1)]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return path


def test_a_checkpoint_and_a_table_become_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = dict(np.load(FOREIGN / "lightning.npz"))
    csv = table(tmp_path / "messung.csv", "x;t;u;u_pred", data["inputs"], data["targets"], data["predictions"])
    record = brought(capsys, FOREIGN / "lightning.ckpt", csv, "--out", tmp_path / "made")
    assert (record["inputs"], record["outputs"], record["predictions"]) == (["x", "t"], ["u"], ["u_pred"])
    assert record["agrees"] is True
    assert record["sentence"] == broughttexts.agrees(record["difference"], "tanh", 1e-5)
    assert record["rows"] == {"train": 70, "validation": 15, "test": 15}
    assert record["tensors"]["net.0.weight"] == "linears.0.weight"
    made = load_problem(tmp_path / "made")
    inputs = torch.from_numpy(data["inputs"]).float()
    assert torch.allclose(made.model(inputs), torch.from_numpy(data["predictions"]).float(), atol=1e-5)
    assert [quantity.name for quantity in made.input_quantities] == ["x", "t"]


def test_words_are_printed_and_the_problem_is_refined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made"
    assert cli.run(["bring", str(WEIGHTS), str(FOREIGN / "torch_mlp.npz"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "The loaded network gives the predictions of the file" in said
    assert f"lsr refine {out}" in said
    assert cli.run(["refine", str(out), "--max-rank", "30", "--runs", str(tmp_path / "runs"), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["refined"]["test_mse"] < figures["base"]["test_mse"] / 10


def test_other_predictions_are_told_and_nothing_is_made_unless_it_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "other.npz", **KNOWN | {"predictions": KNOWN["predictions"] + 1})
    given = (WEIGHTS, tmp_path / "other.npz", "--out", tmp_path / "made")
    assert "does not give the predictions of the file" in refusal(capsys, *given)
    assert not (tmp_path / "made").exists()
    assert brought(capsys, *given, "--anyway")["agrees"] is False
    assert load_problem(tmp_path / "made").kind == "supervised"
    assert "something already" in refusal(capsys, *given, "--anyway")


def test_a_wrong_activation_is_told_with_the_better_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = (WEIGHTS, FOREIGN / "torch_mlp.npz", "--out", tmp_path / "made")
    right = brought(capsys, *given)["arguments"]["activation"]
    other = (WEIGHTS, FOREIGN / "torch_mlp.npz", "--out", tmp_path / "other")
    assert f"With {right} it would be" in refusal(capsys, *other, "--activation", "relu")
    assert "is not known here" in refusal(capsys, *other, "--activation", "no such")


def test_without_predictions_it_is_said_and_columns_may_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "bare.npz", places=KNOWN["inputs"], field=KNOWN["targets"])
    given = (WEIGHTS, tmp_path / "bare.npz", "--out", tmp_path / "made")
    assert "name them among places, places[0], places[1], field" in refusal(capsys, *given)
    record = brought(capsys, *given, "--inputs", "places", "--outputs", "field", "--test", "0")
    assert record["sentence"].startswith(broughttexts.NO_PREDICTIONS)
    assert record["agrees"] is None
    assert set(record["rows"]) == {"train", "validation"}
    assert "is not among" in refusal(capsys, *given[:-1], tmp_path / "x", "--inputs", "places[7]", "--outputs", "field")


def test_which_of_several_networks_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    state = torch.load(WEIGHTS, weights_only=True)
    torch.save({"net": state, "critic": nn.Sequential(nn.Linear(2, 9), nn.Tanh(), nn.Linear(9, 1)).state_dict()}, tmp_path / "two.pt")  # fmt: skip
    given = (tmp_path / "two.pt", FOREIGN / "torch_mlp.npz", "--out", tmp_path / "made")
    assert "holds several networks, net, critic" in refusal(capsys, *given)
    assert brought(capsys, *given, "--network", "net")["agrees"] is True


def test_an_operator_takes_its_points_from_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, points, inputs, outputs = mionet()
    torch.save(state, tmp_path / "mionet.pt")
    data = {"inputs": inputs, "targets": outputs + 0.1, "predictions": outputs, "others": points * 0.5}
    np.savez(tmp_path / "data.npz", **data, trunk_points=points)
    given = (tmp_path / "mionet.pt", tmp_path / "data.npz", "--out")
    assert brought(capsys, *given, tmp_path / "made")["agrees"] is True
    problem = load_problem(tmp_path / "made")
    assert isinstance(problem, OperatorProblem)
    torch.testing.assert_close(problem.model.points, points)
    assert "does not give the predictions" in refusal(capsys, *given, tmp_path / "other", "--points", "others")
    assert "of 2 are needed" in refusal(capsys, *given, tmp_path / "other", "--points", "targets")
    assert "asked for by no mlp" in refusal(
        capsys, WEIGHTS, FOREIGN / "torch_mlp.npz", "--out", tmp_path / "x", "--points", "a"
    )


def test_axes_of_the_same_length_are_told_apart_by_predictions_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    x, t = torch.linspace(0, 1, 9), torch.linspace(0, 2, 9)
    points = torch.cartesian_prod(x, t)
    field = model(points).detach().reshape(9, 9).T  # time first, as many files have it
    np.savez(tmp_path / "field.npz", x=x, t=t, u=torch.sin(3 * field), u_pred=field)
    given = (tmp_path / "weights.pt", tmp_path / "field.npz", "--out", tmp_path / "made")
    assert brought(capsys, *given)["agrees"] is True
    made = load_problem(tmp_path / "made")
    wanted = torch.sin(3 * model(made.train.inputs.float()).detach())
    assert torch.allclose(made.train.targets.float(), wanted, atol=1e-5)
    np.savez(tmp_path / "field.npz", x=x, t=t, u=field)
    assert "axes of the same length" in refusal(capsys, *given[:-1], tmp_path / "other")
