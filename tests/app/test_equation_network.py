"""Trained weights for a typed equation: checked against predictions and equation, and made into a problem."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts, equationtexts
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.storage.bundles import load_problem, read_description
from tests.app.conftest import Opener
from tests.app.uploading import field, give, give_bytes, npz, refusal, said
from tests.foreign.networks import FOREIGN


@pytest.fixture
def trained(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: "somebody")
    app = open_page("bring", way="equation")
    app.segmented_control(key="typed_network").set_value("trained").run()
    return app


def test_nothing_is_made_before_there_are_weights(trained: AppTest) -> None:
    assert equationtexts.NO_WEIGHTS in said(trained)
    assert not trained.error
    assert trained.button(key="typed_make").disabled
    assert "typed_search" not in [button.key for button in trained.button]


def test_a_pinn_with_its_equation_becomes_a_problem_with_these_weights(trained: AppTest) -> None:
    app = give(trained, "typed_weights", FOREIGN / "deepxde_pinn.pt")
    assert equationtexts.NO_PREDICTIONS in said(app)
    app = give(app, "typed_predictions", FOREIGN / "deepxde_pinn.npz")
    assert "The loaded network gives the predictions of the file" in said(app)
    assert "with the activation tanh" in said(app)
    assert "Your network leaves a residual of" in said(app)
    assert "relative L2 error against the known solution is 6.4e-4." in said(app)
    app.button(key="typed_make").click().run()
    ((_, folder),) = ownproblems.names("somebody").items()
    made = load_problem(folder)
    assert isinstance(made, PhysicsProblem)
    assert read_description(folder).training == {"source": "uploaded weights"}
    assert "deepxde_pinn.pt" in made.description
    known = np.load(FOREIGN / "deepxde_pinn.npz")
    with torch.no_grad():
        answer = made.model.float()(torch.from_numpy(known["inputs"])).numpy()  # in the precision it was trained in
    assert np.abs(answer - known["predictions"]).max() <= 1e-6


def test_other_predictions_and_a_wrong_activation_are_told(trained: AppTest) -> None:
    app = give(trained, "typed_weights", FOREIGN / "deepxde_pinn.pt")
    app = give(app, "typed_predictions", FOREIGN / "deepxde_pinn.npz")
    field(app, "selectbox", "Activation").set_value("sin").run()
    assert "does not give the predictions of the file" in app.error[0].value
    assert "With tanh it would be" in app.error[0].value
    assert equationtexts.DIFFERS in said(app)
    field(app, "checkbox", bringtexts.ANYWAY).check().run()
    assert "That is far off for a trained network" in said(app)


@pytest.mark.parametrize(
    ("weights", "content", "sentence"),
    [
        ("operator.pt", (FOREIGN / "deepxde_deeponet.pt").read_bytes(), "is a deeponet"),
        ("none.pt", b"nothing", "none.pt"),
        ("none.safetensors", b"nothing", "not a complete safetensors file"),
    ],
)
def test_weights_of_another_kind_are_refused_in_a_sentence(
    trained: AppTest, weights: str, content: bytes, sentence: str
) -> None:
    app = give_bytes(trained, "typed_weights", weights, content)
    assert sentence in refusal(app)
    assert app.button(key="typed_make").disabled


def test_a_network_of_other_inputs_is_refused_in_a_sentence(trained: AppTest) -> None:
    trained.selectbox(key="typed_ready").set_value("boundary-layer").run()
    trained.button(key="typed_fill").click().run()
    app = give(trained, "typed_weights", FOREIGN / "deepxde_pinn.pt")
    assert "has 2 inputs, the equation has 1 (x)" in refusal(app)


def test_predictions_that_do_not_fit_are_refused_in_a_sentence(trained: AppTest) -> None:
    app = give(trained, "typed_weights", FOREIGN / "deepxde_pinn.pt")
    content = npz(inputs=np.zeros((5, 2)), predictions=np.zeros((4, 3)))
    assert "predictions: has 4 rows, inputs has 5" in refusal(give_bytes(app, "typed_predictions", "data.npz", content))
