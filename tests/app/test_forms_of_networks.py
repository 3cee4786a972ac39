"""Networks whose form weights leave open, and operators at points, through the form for weights and data."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts
from lsr_app.words import broughttexts
from lsr_core.storage.bundles import load_problem
from tests.app.conftest import Opener
from tests.app.uploading import field, give_bytes, npz, refusal, said
from tests.foreign.networks import mionet


@pytest.fixture
def form(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: "somebody")
    return open_page("bring", way="files")


def saved(tensors: dict[str, torch.Tensor]) -> bytes:
    target = io.BytesIO()
    torch.save(tensors, target)
    return target.getvalue()


def test_an_operator_at_points_takes_them_from_the_data(form: AppTest) -> None:
    state, points, inputs, outputs = mionet()
    app = give_bytes(form, "weights_file", "mionet.pt", saved(state))
    app = give_bytes(
        app,
        "data_file",
        "data.npz",
        npz(inputs=inputs, targets=outputs + 0.1, predictions=outputs, trunk_points=points),
    )
    assert field(app, "selectbox", bringtexts.POINTS).value == "trunk_points"
    assert "with the activation silu" in said(app)
    app.button(key="make_problem").click().run()
    ((_, folder),) = ownproblems.names("somebody").items()
    problem = load_problem(Path(folder))
    torch.testing.assert_close(problem.model.points, points)
    np.testing.assert_allclose(problem.model(inputs).detach(), outputs, rtol=1e-5)


def test_skips_are_told_by_predictions_and_refused_where_nothing_tells(form: AppTest) -> None:
    torch.manual_seed(0)
    layers = nn.ModuleList([nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 1)])
    x = torch.rand(60, 2) * 2 - 1
    with torch.no_grad():
        hidden = torch.tanh(layers[0](x))
        for layer in layers[1:-1]:
            hidden = hidden + torch.tanh(layer(hidden))
        y = layers[-1](hidden)
    app = give_bytes(
        form, "weights_file", "net.pt", saved({f"net.{name}": value for name, value in layers.state_dict().items()})
    )
    app = give_bytes(app, "data_file", "data.npz", npz(inputs=x, targets=y + 0.1, predictions=y))
    assert field(app, "selectbox", bringtexts.FORM).value > 0
    assert "with the activation tanh" in said(app)
    app = give_bytes(app, "data_file", "bare.npz", npz(inputs=x, targets=y))
    field(app, "selectbox", bringtexts.FORM).set_value(1).run()
    assert broughttexts.UNLIKELY[:40] in refusal(app)
