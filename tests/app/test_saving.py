"""Figures are saved at the width on paper that was chosen, with labels of the size of type that was chosen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.plots import theme
from lsr_app.shell import saving
from lsr_app.shell.saving import Saving
from lsr_core.storage.runs import RunStore
from tests.app import synthetic
from tests.app.conftest import Opener


@pytest.mark.parametrize("width", [one for one in saving.WIDTHS if one])
@pytest.mark.parametrize("points", list(saving.TYPE))
@pytest.mark.parametrize(("form", "dpi"), [("svg", 96.0), ("png", 300.0)])
def test_paper_and_type_come_out_as_chosen(width: int, points: int, form: str, dpi: float) -> None:
    told = Saving(form, width, points).options("a")
    assert told["width"] * told["scale"] / dpi * 25.4 == pytest.approx(width, rel=0.005)  # a pixel of the layout
    assert theme.SMALL * told["scale"] / dpi * 72.0 == pytest.approx(points, rel=1e-4)


def test_as_on_the_page_leaves_the_size_to_the_page() -> None:
    assert Saving().options("a") == {"format": "svg", "filename": "a", "scale": 1.0}


def saved(app: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(app.get("plotly_chart")[0].proto.config)["toImageButtonOptions"]
    return found


def test_the_choice_holds_for_all_figures_and_pages(store: RunStore, open_page: Opener) -> None:
    run = synthetic.complete(store, side=6, max_rank=8)
    app = open_page("overview", run=run.id)
    assert saved(app)["format"] == "svg"
    app.segmented_control(key="w_saving_format").set_value("png").run()
    app.selectbox(key="w_saving_width").set_value(85).run()
    app.select_slider(key="w_saving_points").set_value(6).run()
    app.run()
    assert {key: saved(app)[key] for key in ("format", "width", "scale")} == {
        key: Saving("png", 85, 6).options("")[key] for key in ("format", "width", "scale")
    }
