"""The network of a state dict: its arguments to be looked over, and whether it gives the predictions that came with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from lsr_app.screens.bring import argumentsform, bringtexts
from lsr_app.words import broughttexts, formats
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lsr_core.intake.guess import Guess

SHOWN = 200  # tensors in a table
Known = tuple[
    np.ndarray, np.ndarray
]  # inputs, and what the network gives for the first of them, as far as that is known


def loaded(
    prefix: str, found: Guess, tensors: dict[str, Tensor], known: Known | None, *, predictions: bool
) -> tuple[Guess, dict[str, Any], nn.Module]:
    """The form that is chosen, its arguments as they stand in the fields, and the network with these weights.

    Args:
        predictions: whether what is known are those of the network itself.

    Raises:
        InputError: arguments that do not fit the weights, or a form that only predictions could tell.
    """
    from lsr_core.intake import compare

    if known is not None:
        _propose(prefix, found, tensors, known, predictions=predictions)
    chosen, place = _form(prefix, found)
    if not (chosen.likely or predictions):
        raise InputError(broughttexts.UNLIKELY, key=chosen.form)
    arguments = argumentsform.fields(f"{prefix}_{place}" if place else prefix, chosen.arguments)
    return chosen, arguments, compare.network(chosen.architecture, arguments, chosen, tensors)


def _form(prefix: str, found: Guess) -> tuple[Guess, int]:
    """Which of the forms that the tensors may have, and its place among them."""
    if not found.others:
        return found, 0
    key = f"{prefix}_form"
    st.session_state.setdefault(key, 0)
    place = st.selectbox(
        bringtexts.FORM, range(len(found.all)), format_func=lambda at: found.all[at].form, key=key, help=bringtexts.HELP["form"], width=640
    )  # fmt: skip
    return found.all[place], place


def agreement(
    found: Guess, arguments: dict[str, Any], tensors: dict[str, Tensor], model: nn.Module, known: Known
) -> bool:
    """Whether this is the network that was saved: the largest difference, and which activation would do better."""
    from lsr_core.intake import compare

    activation = str(arguments.get("activation"))
    difference = compare.difference(model, *known)
    allowed = compare.agrees_up_to(tensors)
    if difference <= allowed:
        st.success(broughttexts.agrees(difference, activation, allowed), icon=":material/check:")
        return True
    tried = compare.by_activation(found, arguments, tensors, *known)
    best = next(iter(tried))
    st.error(broughttexts.differs(difference, activation, best, tried[best]), icon=":material/error:")
    return False


def accepted(
    prefix: str, found: Guess, arguments: dict[str, Any], tensors: dict[str, Tensor], model: nn.Module, known: Known
) -> bool:
    """Whether the network gives its predictions, or is to be taken all the same."""
    return agreement(found, arguments, tensors, model, known) or st.checkbox(
        bringtexts.ANYWAY, key=f"{prefix}_anyway", help=bringtexts.HELP["anyway"]
    )


def placed(found: Guess, tensors: dict[str, Tensor]) -> None:
    """Tensor by tensor, what became of the file, and what had to be taken on trust."""
    with st.expander(bringtexts.PLACED, expanded=False):
        rows = [
            (name, "×".join(map(str, tensor.shape)) or "1", found.uses.get(name, broughttexts.NOT_PLACED))
            for name, tensor in list(tensors.items())[:SHOWN]
        ]
        st.dataframe(pd.DataFrame(rows, columns=["Tensor", "Shape", bringtexts.BECOMES]), hide_index=True)
    for note in found.notes[:8]:
        st.caption(formats.markdown(note))


def _propose(prefix: str, found: Guess, tensors: dict[str, Tensor], known: Known, *, predictions: bool) -> None:
    """Fill in the form and the activation that agree best, once; what is changed by hand afterwards stays."""
    from lsr_core.intake import compare

    key = f"{prefix}_proposed"
    if key in st.session_state:
        return
    try:
        best = compare.best(found, tensors, *known, predictions=predictions)
    except InputError:
        return  # said by `agreement`, with the arguments as they then are
    st.session_state[key] = True
    place = next(at for at, one in enumerate(found.all) if one is best.guess)
    if found.others:
        st.session_state[f"{prefix}_form"] = place
    own = f"{prefix}_{place}" if place else prefix
    st.session_state[f"{own}_activation_"] = best.activation
