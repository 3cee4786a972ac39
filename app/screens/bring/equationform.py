"""An equation typed in: checked, and made into a bundle."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import equationdata, equationlatex, equationnetwork, figures, ownlist
from lsr_app.screens.bring import equationtexts as texts
from lsr_app.screens.bring.equationdata import Checked, Row, Sheet
from lsr_app.screens.bring.equationnetwork import Network
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.problems.physics.typed.arguments import TypedArguments
from lsr_core.problems.physics.typed.catalogue import NETWORKS, READY
from lsr_core.problems.physics.typed.network import StartingNetwork
from lsr_core.refinement.scale_search import Candidate, search_scales
from lsr_core.storage.bundles import save_problem

SEARCH_RANK = 300  # of the refinements that a search tries, so that it is done within a minute or so
LONG = 70  # characters of LaTeX, from which a formula is set smaller
_SHEET, _VERSION, _MADE, _FOUND = "typed_sheet", "typed_version", "typed_made", "typed_found"
_NEXT, _LAST = "typed_next_scale", "typed_last"
FAR_OFF = 0.5  # relative L2 error from which a trained network is probably not the one for this equation
_SEARCHING = threading.Lock()
_COLUMNS: dict[str, tuple[str, ...]] = {
    "inputs": ("name", "from", "to"),
    "shapes": ("name", "shape"),
    "equations": ("equation", "where", "points", "weight"),
    "conditions": ("where", "equation", "points", "weight"),
    "constants": ("name", "value"),
    "solution": ("output", "expression"),
}


def section(now: Now) -> None:
    """The form, with what can be said about it beside it."""
    st.markdown(formats.markdown(texts.LEAD))
    if _SHEET not in st.session_state:
        _fill(texts.FIRST)
    _keep()
    _ready()
    left, right = st.columns([1, 1], gap="medium")
    with left:
        sheet = st.session_state[_LAST] = _tables()
        network = equationnetwork.section()
    with right, st.container(border=True, key="typed_check"):
        found = _check(sheet, network)
    _make(now, found)
    with st.expander(texts.GRAMMAR, icon=":material/menu_book:"):
        show.table(
            "grammar",
            texts.GRAMMAR_COLUMNS,
            texts.GRAMMAR_ROWS,
            caption=texts.GRAMMAR,
            data=lambda: list(texts.GRAMMAR_ROWS),
        )


def _keep() -> None:
    """All fields outlive a visit to another page; a scale that was just found is written before its field is drawn."""
    if _LAST in st.session_state and f"typed_inputs_{st.session_state[_VERSION]}" not in st.session_state:
        st.session_state[_SHEET] = st.session_state[_LAST]
        st.session_state[_VERSION] += 1
    if (found := st.session_state.pop(_NEXT, None)) is not None:
        st.session_state[equationnetwork.SCALE] = found
    for key in equationnetwork.KEPT:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def _ready() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            texts.READY, [texts.EMPTY, *READY], index=1 + list(READY).index(texts.FIRST), key="typed_ready", help=texts.READY_HELP,
            format_func=lambda name: READY[name]["title"] if name in READY else name, width=420,
        )  # fmt: skip
        st.button(texts.FILL, key="typed_fill", on_click=_fill, args=(chosen,))


def _fill(name: str) -> None:
    """Put a ready-made equation, or none, into the form; its tables get new keys, because an edited table keeps its edits under the old one."""
    st.session_state[_SHEET] = equationdata.sheet_of(READY[name]) if name in READY else Sheet()
    st.session_state[_VERSION] = st.session_state.get(_VERSION, 0) + 1
    suited = StartingNetwork(**NETWORKS.get(name, {}))
    scale = suited.scale
    st.session_state[equationnetwork.SCALE] = (
        equationdata.scale_text(scale) if isinstance(scale, dict) else formats.exactly(scale)
    )
    st.session_state["typed_widths"] = ", ".join(map(str, suited.widths))
    st.session_state["typed_circular"] = suited.circular
    for key in (_MADE, _FOUND, _LAST):
        st.session_state.pop(key, None)


def _tables() -> Sheet:
    given: Sheet = st.session_state[_SHEET]
    version = st.session_state[_VERSION]
    first, second = st.columns([2, 1], gap="small")
    title = first.text_input(texts.TITLE, given.title, key=f"typed_title_{version}", max_chars=200)
    outputs = second.text_input(
        texts.OUTPUTS, given.outputs, key=f"typed_outputs_{version}", max_chars=60, help=texts.OUTPUTS_HELP
    )
    first, second = st.columns([4, 3], gap="small")
    with first:
        inputs = _table("inputs", given.inputs)
    with second:
        constants = _table("constants", given.constants)
    shapes, domain = _domain(given, version)
    equations = _table("equations", given.equations)
    conditions = _table("conditions", given.conditions)
    solution = _table("solution", given.solution)
    with st.expander(texts.DATA):
        data = st.text_area(
            texts.DATA, given.data, key=f"typed_data_{version}", help=texts.DATA_HELP, placeholder=texts.DATA_EXAMPLE,
            max_chars=200_000, label_visibility="collapsed",
        )  # fmt: skip
        st.caption(texts.DATA_HELP)
        first, second = st.columns([2, 1], gap="small")
        unknown = first.text_input(
            texts.UNKNOWN, given.unknown, key=f"typed_unknown_{version}", max_chars=500, help=texts.UNKNOWN_HELP
        )
        noise = second.text_input(
            texts.NOISE, given.noise, key=f"typed_noise_{version}", max_chars=40, help=texts.NOISE_HELP
        )
    with st.expander(texts.COEFFICIENTS):
        coefficients = st.text_area(
            texts.COEFFICIENTS, given.coefficients, key=f"typed_coefficients_{version}", placeholder=texts.COEFFICIENTS_EXAMPLE,
            max_chars=500_000, label_visibility="collapsed",
        )  # fmt: skip
        st.caption(texts.COEFFICIENTS_HELP)
    return Sheet(
        title,
        outputs,
        inputs,
        equations,
        conditions,
        constants,
        solution,
        data or "",
        shapes,
        domain or "",
        coefficients or "",
        unknown or "",
        noise or "",
    )


def _domain(given: Sheet, version: int) -> tuple[list[dict[str, Any]], str | None]:
    """Shapes, and what the domain is made of."""
    first, second = st.columns([4, 3], gap="small")
    with first:
        shapes = _table("shapes", given.shapes)
    domain = second.text_input(
        texts.DOMAIN,
        given.domain,
        key=f"typed_domain_{version}",
        max_chars=4000,
        help=texts.DOMAIN_HELP,
        placeholder=texts.DOMAIN_EXAMPLE,
    )
    return shapes, domain


def _table(name: str, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """An editable table under its name; numbers of points and weights are numbers, all else is text."""
    columns, (title, help_) = _COLUMNS[name], texts.TABLES[name]
    numbers = {"points": "Int64", "weight": "float64"}
    frame = pd.DataFrame(
        [{key: row.get(key, None if key in numbers else "") for key in columns} for row in rows], columns=list(columns)
    )
    frame = frame.astype({key: numbers.get(key, "string") for key in columns})
    st.markdown(f"**{title}**", help=help_)
    edited = st.data_editor(
        frame, key=f"typed_{name}_{st.session_state[_VERSION]}", num_rows="dynamic", hide_index=True, width="stretch",
        column_config={key: _column(key) for key in columns},
    )  # fmt: skip
    return [
        {str(key): None if pd.isna(value) else value for key, value in row.items()} for row in edited.to_dict("records")
    ]


def _column(key: str) -> Any:
    label, help_ = texts.COLUMNS[key], texts.COLUMN_HELP.get(key)
    if key == "points":
        return st.column_config.NumberColumn(label, min_value=1, step=1, help=help_, width=72)
    if key == "weight":
        return st.column_config.NumberColumn(label, help=help_, width=76)
    wide = {"equation": 150, "expression": 280, "where": 76, "shape": 150}.get(key, 62)
    return st.column_config.TextColumn(label, help=help_, width=wide, max_chars=500)


def _check(sheet: Sheet, network: Network | InputError | None) -> Checked | None:
    """Formulas and findings; None where something is wrong or missing, which is then said."""
    show.section(texts.CHECK, texts.CHECK_LEAD)
    try:
        arguments = equationdata.arguments_of(sheet)
        _typeset(arguments)
        if isinstance(network, InputError):
            raise network
        if network is None:
            st.info(texts.NO_WEIGHTS, icon=":material/upload_file:")
            return None
        found = equationdata.check(arguments, network)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return None
    show.table(
        "typed_blocks", texts.BLOCK_COLUMNS, found.blocks, caption=texts.BLOCK_CAPTION, data=lambda: list(found.blocks)
    )
    for remark in found.problem.remarks:
        st.warning(formats.markdown(remark), icon=":material/warning:")
    if len(found.problem.domain) > 1:
        show.figure("typed_domain", figures.domain(found.problem))
    remarks = [texts.LINEAR if found.linear else texts.NONLINEAR]
    if not found.solved:
        remarks.append(texts.NO_SOLUTION)
    remarks.append(texts.facts(found.n_rows, found.n_params, formats.error(found.residual), trained=found.trained))
    if found.trained and found.solved:
        remarks.append(texts.missed(formats.error(found.missed), good=found.missed < FAR_OFF))
    st.markdown(formats.markdown(" ".join(remarks)))
    return found


def _typeset(arguments: TypedArguments) -> None:
    """The equation as it was understood."""
    for line in equationlatex.lines(arguments):
        st.latex(rf"\footnotesize {line}" if len(line) > LONG else line)


def _make(now: Now, found: Checked | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        make = st.button(texts.MAKE, key="typed_make", type="primary", disabled=found is None, icon=":material/add:")
        search = st.session_state[equationnetwork.WAY] == "untrained" and st.button(
            texts.SEARCH, key="typed_search", disabled=found is None, help=texts.SEARCH_HELP, icon=":material/search:"
        )
    if found is not None and search:
        _search(found)
    if message := st.session_state.get(_FOUND):
        st.info(formats.markdown(message), icon=":material/search:")
    if found is not None and make:
        try:
            st.session_state[_MADE] = ownproblems.add(now.owner, lambda folder: _write(found, folder))
        except InputError as error:
            st.error(formats.markdown(str(error)), icon=":material/error:")
            return
        except OSError as error:
            st.error(formats.markdown(error.strerror or "it cannot be written"), icon=":material/error:")
            return
        st.rerun()  # the list above has one more
    ownlist.offer(now, st.session_state.get(_MADE))


def _write(found: Checked, folder: Any) -> None:
    seed = found.problem.seed
    if found.trained:
        save_problem(folder, found.problem, training={"source": "uploaded weights"}, seeds={"points": seed})
    else:
        save_problem(
            folder, found.problem, training={"training": "none"}, seeds={"initialisation": seed, "points": seed}
        )


def _search(found: Checked) -> None:
    """Search the scale, one search at a time on this server; the next drawing of the form has what it found."""
    if not _SEARCHING.acquire(blocking=False):
        st.warning(texts.SEARCH_BUSY, icon=":material/hourglass:")
        return
    try:
        with st.status(texts.SEARCH) as status:
            done = 0

            def tell(one: Candidate) -> None:
                nonlocal done
                done += 1
                status.update(
                    label=texts.searching(done, equationdata.scale_text(one.scales), formats.error(one.fresh_residual))
                )

            chosen = search_scales(found.problem, rank=min(SEARCH_RANK, found.n_params - 1), on_candidate=tell).chosen
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")
        return
    finally:
        _SEARCHING.release()
    _took(chosen.scales, chosen.fresh_residual)
    st.rerun()


def _took(scales: Mapping[str, float], residual: float) -> None:
    text = equationdata.scale_text(scales)
    st.session_state[_FOUND] = texts.found(text, formats.error(residual))
    st.session_state[_NEXT] = text
