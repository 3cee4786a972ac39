"""The network for a typed equation: at a random start, or the weights of one that was trained elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from lsr_app.screens.bring import equationdata, mappingform, networkform, uploads, whichform
from lsr_app.screens.bring import equationtexts as texts
from lsr_app.screens.bring.equationdata import Brought
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.networks.activations import ACTIVATIONS
from lsr_core.problems.physics.typed.network import StartingNetwork, check_form
from lsr_core.problems.splits import Architecture

if TYPE_CHECKING:
    from lsr_core.intake.guess import Guess

WAY, SCALE = "typed_network", "typed_scale"
KEPT = (WAY, SCALE, "typed_widths", "typed_circular", "typed_seed", "typed_activation")
SMOOTH = [name for name, known in ACTIVATIONS.items() if known.smooth]  # second derivatives of others vanish
Network = StartingNetwork | Brought


def section() -> Network | InputError | None:
    """The fields, and what they mean; None as long as no weights are given, or what is wrong."""
    st.markdown(f"**{texts.NETWORK}**")
    st.session_state.setdefault(WAY, "untrained")
    way = st.segmented_control(
        texts.NETWORK, list(texts.NETWORKS), format_func=texts.NETWORKS.__getitem__, required=True, key=WAY,
        label_visibility="collapsed",
    )  # fmt: skip
    st.caption(texts.NETWORK_LEADS[str(way)])
    try:
        return _untrained() if way == "untrained" else _trained()
    except InputError as error:
        return error


def _untrained() -> StartingNetwork:
    first, second, third, fourth = st.columns([1.3, 1, 1.6, 0.8], gap="small")
    widths = first.text_input(texts.WIDTHS, key="typed_widths", help=texts.WIDTHS_HELP, max_chars=60)
    activation = second.selectbox(texts.ACTIVATION, SMOOTH, key="typed_activation")
    scale = third.text_input(texts.SCALE, key=SCALE, help=texts.SCALE_HELP, max_chars=200)
    seed = fourth.number_input(texts.SEED, 0, 2**31 - 1, 0, key="typed_seed", help=texts.SEED_HELP)
    circular = st.checkbox(texts.CIRCULAR, key="typed_circular", help=texts.CIRCULAR_HELP)
    return equationdata.network_of(widths, activation, scale, circular, int(seed))


def _trained() -> Brought | None:
    from lsr_core.intake import guess

    weights = uploads.weights("typed_weights")
    data = uploads.data(texts.PREDICTIONS_LABEL, "typed_predictions", texts.PREDICTIONS_HELP)
    if weights is None:
        return None
    tensors = whichform.tensors(weights)
    if not tensors:
        return None
    found = guess.guess(tensors)
    check_form(found.architecture)
    prefix = f"typed_net_{weights.file_id}{whichform.chosen(weights)}_{data.file_id if data else ''}"
    known = _known(prefix, data, found) if data else None
    found, arguments, model = networkform.loaded(prefix, found, tensors, known, predictions=known is not None)
    check_form(found.architecture, model)
    networkform.placed(found, tensors)
    if known is None:
        st.warning(texts.NO_PREDICTIONS, icon=":material/help:")
    elif not networkform.accepted(prefix, found, arguments, tensors, model, known):
        raise InputError(texts.DIFFERS)
    seed = st.number_input(texts.SEED, 0, 2**31 - 1, 0, key="typed_seed", help=texts.POINTS_SEED_HELP, width=140)
    return Brought(model, Architecture(found.architecture, arguments), formats.one_line(weights.name, 80), int(seed))


def _known(prefix: str, data: Any, found: Guess) -> networkform.Known | None:
    """Inputs and predictions of the second file, once both are chosen."""
    from lsr_core.intake import mapping

    infos = uploads.listing(data)
    layers = found.arguments["layers"]
    pair = mappingform.known(prefix, infos, layers[0], layers[-1])
    if not pair.inputs or not pair.outputs:
        return None
    return mapping.rows(uploads.arrays(data, mapping.arrays_of([*pair.inputs, *pair.outputs], infos)), pair)
