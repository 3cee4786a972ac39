"""The form in which an equation is typed: filled, checked, made into a problem, refined."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts, datatexts, equationdata, equationlatex, equationtexts, figures
from lsr_app.screens.bring.equationdata import Sheet, arguments_of, sheet_of
from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.catalogue import READY
from lsr_core.problems.physics.typed.network import StartingNetwork
from lsr_core.storage.bundles import load_problem
from tests.app.conftest import Opener, html

HEAT = sheet_of(READY["heat"])


@pytest.mark.parametrize("name", READY)
def test_tables_of_a_ready_equation_mean_that_equation(name: str) -> None:
    assert arguments_of(sheet_of(READY[name])) == TypedArguments.model_validate(READY[name])


def test_an_empty_form_has_rows_to_write_into_that_mean_nothing() -> None:
    empty = Sheet()
    assert empty.inputs
    assert empty.conditions
    rows = [*HEAT.conditions, *empty.conditions]
    begun = replace(
        empty, inputs=[*HEAT.inputs, *empty.inputs], equations=[{"equation": "u_t = u_xx"}], conditions=rows
    )
    assert len(arguments_of(begun).conditions) == len(HEAT.conditions)


@pytest.mark.parametrize("name", READY)
def test_every_ready_equation_is_set_in_type(name: str) -> None:
    for row in READY[name]["equations"]:
        line = equationlatex.equation(row["equation"])
        assert line.count("{") == line.count("}")
        assert line.count("\\left") == line.count("\\right")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("u_t = kappa*u_xx", r"u_{t} = \kappa \, u_{xx}"),
        ("u_xx - (x - 1)", r"u_{xx} - \left(x - 1\right) = 0"),
        ("u = -x^2/2", r"u = \frac{-x^{2}}{2}"),
        ("2*3*u + sqrt(x)", r"2 \cdot 3 \, u + \sqrt{x} = 0"),
        ("u = (x + 1)^2", r"u = \left(x + 1\right)^{2}"),
    ],
)
def test_type_says_what_the_text_says(text: str, wanted: str) -> None:
    assert equationlatex.equation(text) == wanted


@pytest.mark.parametrize(
    ("sheet", "sentence"),
    [
        (Sheet(), "inputs: there is none"),
        (Sheet(inputs=[{"name": "x", "from": "0", "to": "one"}]), "nothing here is called 'one'"),
        (Sheet(inputs=[{"name": "x", "from": "0", "to": "1"}] * 2), "is there twice"),
        (Sheet(inputs=HEAT.inputs), "equations: there is none"),
        (Sheet(inputs=HEAT.inputs, equations=[{"equation": "u", "weight": -1.0}]), "greater than 0"),
        (Sheet(inputs=HEAT.inputs, equations=[{"equation": "u"}], data="1, 2, three"), "no number"),
    ],
)
def test_tables_that_mean_nothing_are_refused_in_a_sentence(sheet: Sheet, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        arguments_of(sheet)


SHAPED = Sheet(
    outputs="u",
    inputs=[{"name": "x", "from": "-1", "to": "1"}, {"name": "y", "from": "-1", "to": "1"}],
    shapes=[{"name": "hole", "shape": "disk(0.2, 0.2, 0.3)"}],
    domain="box - hole",
    equations=[{"equation": "div(k*grad(u)) = 0", "points": 60}],
    conditions=[
        {"where": "x = -1, x = 1", "equation": "u = y", "points": 20},
        {"where": "y = 1", "equation": "u = x", "points": 20},
        {"where": "hole", "equation": "dn(u) + u = 0", "points": 20},
    ],
    coefficients="k(x, y) cubic\n"
    + "\n".join(f"{x} {y} {1 + x * x}" for y in (-1, -0.5, 0.5, 1) for x in (-1, 0, 0.5, 1)),
)


def test_shapes_coefficients_and_corners_on_the_form() -> None:
    arguments = arguments_of(SHAPED)
    assert arguments.shapes == {"hole": "disk(0.2, 0.2, 0.3)"}
    assert arguments.coefficients["k"].grid == [[-1, 0, 0.5, 1], [-1, -0.5, 0.5, 1]]
    found = equationdata.check(arguments, StartingNetwork(widths=[4]))
    (remark,) = found.problem.remarks
    assert "different values at x = -1, y = 1: 1 and -1" in remark
    picture = figures.domain(found.problem)
    assert [trace.name for trace in picture.figure.data] == ["interior", "boundary", "boundary 2", "boundary 3"]
    assert len(list(picture.rows())) == sum(len(points) for points in found.problem.points.values())
    assert "x and y" in picture.alt


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dx(u, x, y) = 0", r"\partial_{x y} \left(u\right) = 0"),
        ("laplace(u)", r"\Delta \left(u\right) = 0"),
        ("dn(u) = 1", r"\partial_{n} \left(u\right) = 1"),
        ("integral(u, t, 0, t) = 1", r"\int_{0}^{t} u \, dt = 1"),
        ("dot(vec(u, v), grad(u)) = 0", r"\left(\left(u, v\right)\right) \cdot \left(\nabla \left(u\right)\right) = 0"),
    ],
)
def test_operators_in_type(text: str, wanted: str) -> None:
    assert equationlatex.equation(text) == wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1, 2", "names no coefficient"),
        ("k(x)\n1, one", "no number"),
        ("k(x)\nk(x)", "twice"),
        ("k(x)\n1, 2, 3", "2 are needed: x, k"),
    ],
)
def test_data_of_coefficients_that_mean_nothing(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        datatexts.coefficients(text)


def test_check_tells_linear_from_nonlinear_and_measures_the_known_solution() -> None:
    heat, burgers = (arguments_of(sheet_of(READY[name])) for name in ("heat", "burgers"))
    found = equationdata.check(heat, StartingNetwork(widths=[4]))
    assert found.linear
    assert found.solved
    assert all(float(line[4]) < 1e-9 for line in found.blocks)
    other = equationdata.check(burgers, StartingNetwork(widths=[4]))
    assert not other.linear
    assert [line[3] for line in other.blocks] == ["no", "yes", "yes"]
    assert not other.solved


def test_form_takes_only_so_much() -> None:
    with pytest.raises(InputError, match="smaller network"):
        equationdata.check(arguments_of(HEAT), StartingNetwork(widths=[2000, 2000]))


@pytest.mark.parametrize("text", ["3", "x = 2, t = 1.5", "2*pi"])
def test_scales_are_read_and_written(text: str) -> None:
    scale = equationdata.scale_of(text)
    assert scale == (equationdata.scale_of(equationdata.scale_text(scale)) if isinstance(scale, dict) else scale)


def test_form_opens_on_an_equation_that_can_be_made(open_page: Opener) -> None:
    app = _form(open_page)
    assert not app.error
    assert r"u_{t} = \kappa \, u_{xx}" in app.latex[0].value
    assert "<td>interior</td><td>4,000</td>" in html(app)
    assert equationtexts.LINEAR.split(":")[0] in " ".join(element.value for element in app.markdown)


def test_a_ready_equation_becomes_a_problem_of_this_browser(open_page: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsr_app.owning.owner.of", lambda *_: "somebody")
    app = _form(open_page)
    app.selectbox(key="typed_ready").set_value("boundary-layer").run()
    app.button(key="typed_fill").click().run()
    app.text_input(key="typed_widths").set_value("12").run()
    app.button(key="typed_make").click().run()
    assert not app.exception
    ((key, folder),) = ownproblems.names("somebody").items()
    problem = load_problem(folder)
    assert problem.title == READY["boundary-layer"]["title"]
    assert [tuple(layer.weight.shape) for layer in problem.model.linears] == [(12, 1), (1, 12)]  # type: ignore[union-attr]
    assert app.success[0].value == bringtexts.MADE
    assert app.button(key=f"refine_{key}").label == "Refine"


@pytest.mark.parametrize(("widths", "sentence"), [("64; 64", "whole numbers"), ("0", "greater than or equal to 1")])
def test_what_is_wrong_is_said_and_nothing_can_be_made(widths: str, sentence: str, open_page: Opener) -> None:
    app = _form(open_page)
    app.text_input(key="typed_widths").set_value(widths).run()
    assert sentence in app.error[0].value
    assert app.button(key="typed_make").disabled


def _form(open_page: Opener) -> AppTest:
    app = open_page("bring", way="equation")
    assert not app.exception
    return app


def test_numbers_to_be_found_and_noise_are_read_from_their_texts() -> None:
    named = replace(HEAT, constants=[{"name": "c", "value": "0.1"}])
    found = arguments_of(replace(named, data="0.5, 0.5, 1.0", unknown="D = 0.1, k = 2*pi", noise="c/2"))
    assert found.unknown == {"D": 0.1, "k": 2 * math.pi}
    assert [one.noise for one in found.measured] == [0.05]


@pytest.mark.parametrize(
    ("unknown", "noise", "key"), [("D", "", "unknown"), ("D=1, D=2", "", "unknown"), ("", "0.1", "noise")]
)
def test_numbers_and_noise_that_are_none_are_refused(unknown: str, noise: str, key: str) -> None:
    with pytest.raises(InputError) as caught:
        arguments_of(replace(HEAT, unknown=unknown, noise=noise))
    assert caught.value.key == key
