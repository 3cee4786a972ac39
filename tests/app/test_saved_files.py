"""Files that libraries saved themselves, through the form: uploaded with their data, nothing typed, and the problem can be made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from lsr_app.owning import ownproblems
from lsr_core.storage.bundles import load_problem
from tests.app.conftest import Opener
from tests.app.uploading import give, refusal, said
from tests.foreign.networks import FOREIGN

SAVED = {  # file, and what the form says of it
    "lightning.ckpt": "with the activation tanh",
    "deepxde_saved.pt": "with the activation tanh",
    "deepxde_fnn.pt": "with the activation sin",
    "deepxde_deeponet.pt": "with the activation tanh",
    "pina_feedforward.pt": "with the activation tanh",
    "pina_whole.pt": "with the activation tanh",
    "neuraloperator_1_saved.pt": "with the activation gelu",
    "neuraloperator_saved.pt": "with the activation gelu",
    "neuraloperator_2d.pt": "with the activation gelu",
    "physicsnemo.mdlus": "with the activation silu",
}
REFUSED = {"transformers.safetensors": "is refined from a Python file that makes it"}
QUICK = ("lightning.ckpt", "neuraloperator_1_saved.pt", "physicsnemo.mdlus")


@pytest.fixture
def form(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: "somebody")
    return open_page("bring", way="files")


def test_nine_of_ten_are_known() -> None:
    assert len(SAVED) >= 9 * len(REFUSED)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SAVED]
)
def test_two_files_and_a_press_make_the_problem(form: AppTest, name: str) -> None:
    app = give(form, "weights_file", FOREIGN / name)
    app = give(app, "data_file", FOREIGN / f"{name.rpartition('.')[0]}.npz")
    assert not app.error, [error.value for error in app.error]
    assert "gives the predictions of the file" in said(app)
    assert SAVED[name] in said(app)
    app.button(key="make_problem").click().run(timeout=90)
    assert not app.exception
    ((_, folder),) = ownproblems.names("somebody").items()
    problem = load_problem(folder)
    assert sum(parameter.numel() for parameter in problem.model.parameters()) > 100
    assert torch.isfinite(problem.fitted_inputs()).all()


@pytest.mark.slow
def test_matrices_stored_by_inputs_are_shown_to_be_right(form: AppTest, tmp_path: Path) -> None:
    """Weights of a network written for TensorFlow 1, with data that hold its predictions."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=size) for size in ((2, 8), (8, 8), (8, 1))]
    biases = [rng.normal(size=(1, len(weight.T))) for weight in weights]
    x = rng.uniform(size=(60, 2))
    first, second = (lambda h, at=at: np.tanh(h @ weights[at] + biases[at]) for at in (0, 1))
    named = {f"{name}{at}": values[at] for name, values in (("W", weights), ("b", biases)) for at in range(3)}
    np.savez(tmp_path / "weights.npz", **named)
    np.savez(tmp_path / "data.npz", x=x, u=np.sin(x[:, :1]), predictions=second(first(x)) @ weights[2] + biases[2])
    app = give(form, "weights_file", tmp_path / "weights.npz")
    app = give(app, "data_file", tmp_path / "data.npz")
    assert "gives the predictions of the file" in said(app)
    assert "W0, W1, W2: taken as stored (inputs, outputs) and turned" in said(app)
    app.button(key="make_problem").click().run(timeout=90)
    assert len(ownproblems.names("somebody")) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_the_tenth_is_refused_by_its_tensor(form: AppTest, name: str) -> None:
    app = give(form, "weights_file", FOREIGN / name)
    app = give(app, "data_file", FOREIGN / "lightning.npz")
    assert REFUSED[name] in refusal(app)
