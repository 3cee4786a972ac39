"""The form for weights and data: what it maps, what it checks, and the sentence for each thing that does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat
from streamlit.testing.v1 import AppTest

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts
from lsr_app.words import broughttexts
from lsr_core.intake import compare, guess
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.splits import Quantity
from lsr_core.storage.bundles import load_problem
from tests.app.conftest import Opener
from tests.app.uploading import field, give, give_bytes, npz, refusal, said
from tests.foreign.networks import FOREIGN

KNOWN = dict(np.load(FOREIGN / "torch_mlp.npz"))


@pytest.fixture
def form(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """With the weights of a network of two inputs and one output."""
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: "somebody")
    return give(open_page("bring", way="files"), "weights_file", FOREIGN / "torch_mlp.pt")


def made() -> SupervisedProblem:
    ((_, folder),) = ownproblems.names("somebody").items()
    problem = load_problem(folder)
    assert isinstance(problem, SupervisedProblem)
    return problem


def test_arrays_are_mapped_by_their_names_and_predictions_tell_the_activation(form: AppTest) -> None:
    app = give(form, "data_file", FOREIGN / "torch_mlp.npz")
    assert field(app, "multiselect", "Inputs").value == ["inputs"]
    assert field(app, "multiselect", "Outputs").value == ["targets"]
    assert field(app, "multiselect", "Predictions of your network, to compare").value == ["predictions"]
    assert "with the activation silu" in said(app)
    assert "Rows: 210 train, 45 validation, 45 test." in said(app)
    app.button(key="make_problem").click().run()
    problem = made()
    assert sorted(len(split.inputs) for split in (problem.train, problem.validation, problem.test) if split) == [45, 45, 210]  # fmt: skip


def test_units_shares_and_chosen_columns_come_into_the_problem(form: AppTest) -> None:
    content = npz(table=np.concatenate([KNOWN["targets"], KNOWN["inputs"]], axis=1))
    app = give_bytes(form, "data_file", "table.npz", content)
    field(app, "multiselect", "Inputs").set_value(["table[1]", "table[2]"]).run()
    field(app, "multiselect", "Outputs").set_value(["table[0]"]).run()
    field(app, "text_input", "Units of the inputs").set_value("m, s").run()
    field(app, "text_input", "Units of the outputs").set_value("K").run()
    field(app, "number_input", "Share for validation").set_value(0.3).run()
    field(app, "number_input", "Share for test").set_value(0.2).run()
    assert "Rows: 150 train, 90 validation, 60 test." in said(app)
    assert broughttexts.NO_PREDICTIONS in said(app)
    assert field(app, "selectbox", "Activation").value == "silu"  # that with which it misses the outputs least
    app.button(key="make_problem").click().run()
    problem = made()
    assert problem.input_quantities == (Quantity("table[1]", "m"), Quantity("table[2]", "s"))
    assert problem.output_quantities == (Quantity("table[0]", "K"),)
    assert problem.test is not None
    assert len(problem.test.inputs) == 60


def test_shares_of_none_leave_all_rows_to_fit(form: AppTest) -> None:
    app = give(form, "data_file", FOREIGN / "torch_mlp.npz")
    for name in ("validation", "test"):
        field(app, "number_input", f"Share for {name}").set_value(0.0).run()
    assert "Rows: 300 train." in said(app)
    app.button(key="make_problem").click().run()
    assert not app.error
    problem = made()
    assert len(problem.train.inputs) == 300
    assert problem.validation is None
    assert problem.test is None


def test_a_matlab_field_over_axes_becomes_the_points_of_its_grid(form: AppTest) -> None:
    app = give(form, "data_file", FOREIGN / "wave.mat")
    assert field(app, "multiselect", "Inputs").value == ["x", "t"]
    assert field(app, "multiselect", "Outputs").value == ["usol"]
    assert "Rows: 210 train, 45 validation, 45 test." in said(app)  # 20 times 15
    assert broughttexts.NO_PREDICTIONS in said(app)


def test_arrays_of_their_own_for_validation_and_test_are_taken(form: AppTest) -> None:
    parts = {"validation": slice(0, 40), "test": slice(40, 60)}
    named = {
        f"{name}_{key}": KNOWN[key][rows] for name, rows in parts.items() for key in ("inputs", "targets")
    } | {key: KNOWN[key] for key in ("inputs", "targets")}  # fmt: skip
    app = give_bytes(form, "data_file", "parts.npz", npz(**named))
    assert "Rows: 300 train, 40 validation, 20 test." in said(app)


def test_bad_rows_are_refused_or_left_out(form: AppTest) -> None:
    inputs = KNOWN["inputs"].copy()
    inputs[7, 0] = np.nan
    app = give_bytes(form, "data_file", "nan.npz", npz(inputs=inputs, targets=KNOWN["targets"]))
    assert "1 of 300 rows holds NaN or infinite values (row 8); repair it, or leave it out" in refusal(app)
    field(app, "checkbox", "Leave out bad rows").check().run()
    assert not app.error
    assert "1 left out" in said(app)


def test_too_large_for_the_memory_is_said_before_anything_is_mapped(
    form: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lsr_app.screens.bring.dataform.psutil.virtual_memory", lambda: type("Memory", (), {"available": 1000})()
    )
    app = give(form, "data_file", FOREIGN / "torch_mlp.npz")
    assert "1.0 kB is free" in refusal(app)
    assert "make_problem" not in [button.key for button in app.button]


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"inputs": np.ones((20, 3)), "targets": np.ones((20, 1))}, "does not take rows of 3 inputs"),
        ({"inputs": np.ones((20, 2)), "targets": np.ones((20, 2))}, "one row has 2 values, the network gives 1"),
        ({"inputs": np.ones((20, 2)), "targets": np.ones((19, 1))}, "targets: has 19 rows, inputs has 20"),
        (
            {"inputs": np.ones((9, 2)), "targets": np.ones((9, 1)), "predictions": np.ones((12, 1))},
            "12 predictions for 9 rows of inputs",
        ),
        ({"inputs": np.ones((2, 2)), "targets": np.ones((2, 1))}, "too few to be split"),
    ],
)
def test_shapes_that_do_not_fit_give_one_sentence(form: AppTest, arrays: dict[str, Any], sentence: str) -> None:
    app = give_bytes(form, "data_file", "wrong.npz", npz(**arrays))
    choose(app)
    assert sentence in refusal(app)
    assert "make_problem" not in [button.key for button in app.button]


def test_arguments_that_do_not_fit_the_weights_give_one_sentence(form: AppTest) -> None:
    app = give(form, "data_file", FOREIGN / "torch_mlp.npz")
    for text, sentence in (("2, 9, 12, 1", "shape"), ("2; 12", bringtexts.BAD_ARGUMENT)):
        field(app, "text_input", "Layers").set_value(text).run()
        assert sentence in refusal(app)


def test_the_wrong_activation_is_told_with_the_right_one(form: AppTest) -> None:
    app = give(form, "data_file", FOREIGN / "torch_mlp.npz")
    field(app, "selectbox", "Activation").set_value("tanh").run()
    assert "With silu it would be" in refusal(app)


def test_a_file_without_numbers_gives_one_sentence(form: AppTest, tmp_path: Path) -> None:
    savemat(tmp_path / "words.mat", {"name": "only text"})
    app = give(form, "data_file", tmp_path / "words.mat")
    assert "save numeric arrays as variables of their own" in refusal(app)


def choose(app: AppTest) -> None:
    """Choose inputs and targets where the form did not by itself."""
    for label, name in (("Inputs", "inputs"), ("Outputs", "targets")):
        if field(app, "multiselect", label).value != [name]:
            field(app, "multiselect", label).set_value([name]).run()
    assert not app.exception


def test_a_file_of_several_networks_asks_which(form: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "two.pt"
    state = torch.load(FOREIGN / "torch_mlp.pt", weights_only=True)
    torch.save({"net": state, "critic": torch.nn.Sequential(torch.nn.Linear(1, 8)).state_dict()}, path)
    app = give(give(form, "weights_file", path), "data_file", FOREIGN / "torch_mlp.npz")
    assert not app.error
    assert bringtexts.CHOOSE_NETWORK in said(app)
    field(app, "selectbox", bringtexts.WHICH_NETWORK).set_value("net").run()
    assert "with the activation silu" in said(app)


def test_a_network_that_differs_is_made_only_when_that_is_said(form: AppTest) -> None:
    app = give_bytes(form, "data_file", "data.npz", npz(**{**KNOWN, "predictions": KNOWN["predictions"] + 1}))
    assert "does not give the predictions" in said(app)
    assert [button.key for button in app.button if button.key == "make_problem"] == []
    field(app, "checkbox", bringtexts.ANYWAY).check().run()
    assert [button.key for button in app.button if button.key == "make_problem"] == ["make_problem"]


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
def test_a_field_over_a_grid_in_any_order_is_mapped_with_its_predictions(late: bool, form: AppTest) -> None:
    x, t = np.linspace(0, 1, 8), np.linspace(0, 1, 6)
    points = np.stack([part.ravel() for part in np.meshgrid(x, t, indexing="ij")], axis=1)
    model = compare.network("mlp", {**WEIGHTS.arguments, "activation": "silu"}, WEIGHTS, {})
    with torch.no_grad():
        u = model(torch.from_numpy(points).float()).numpy().reshape(8, 6)
    u = u if late else u.T
    app = give_bytes(form, "data_file", "grid.npz", npz(x=x, t=t, u=u, pred=u))
    assert field(app, "multiselect", "Inputs").value == ["x", "t"]
    assert "with the activation silu" in said(app)


WEIGHTS = guess.guess(torch.load(FOREIGN / "torch_mlp.pt", weights_only=True))
