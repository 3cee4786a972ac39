"""The arguments of a registered architecture as fields, whatever they are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lsr_app.screens.bring import bringtexts
from lsr_core.errors import InputError
from lsr_core.networks.activations import ACTIVATIONS


def fields(prefix: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """One field an argument, filled with what it is; returns what stands there now. Words and lists of lists are those of the form that was chosen.

    Raises:
        InputError: a list that cannot be read.
    """
    found: dict[str, Any] = {name: value for name, value in arguments.items() if _fixed(name, value)}
    flat = [
        (name, inner, part)
        for name, value in arguments.items() if name not in found
        for inner, part in (value.items() if isinstance(value, dict) else [("", value)])
    ]  # fmt: skip
    for start in range(0, len(flat), 4):
        chunk = flat[start : start + 4]
        columns = st.columns(min(4, max(2, len(flat))), gap="small", vertical_alignment="bottom")
        for column, (name, inner, value) in zip(columns, chunk, strict=False):
            with column:
                answer = _field(f"{prefix}_{name}_{inner}", f"{name} {inner}".strip().replace("_", " "), name, value)
            if inner:
                found.setdefault(name, {})[inner] = answer
            else:
                found[name] = answer
    return found


def _fixed(name: str, value: Any) -> bool:
    if isinstance(value, str):
        return name != "activation"
    return isinstance(value, list) and any(isinstance(part, list) for part in value)


def _field(key: str, label: str, name: str, value: Any) -> Any:
    label = label[:1].upper() + label[1:]
    if name == "activation":
        names = list(ACTIVATIONS)
        st.session_state.setdefault(key, value)
        return st.selectbox(label, names, key=key)
    if isinstance(value, bool):
        st.session_state.setdefault(key, value)
        return st.checkbox(label, key=key)
    if isinstance(value, list):
        st.session_state.setdefault(key, ", ".join(str(part) for part in value))
        return _whole_numbers(st.text_input(label, key=key, max_chars=2000), name)
    if isinstance(value, int):
        st.session_state.setdefault(key, value)
        return int(st.number_input(label, 0, 10**7, key=key))
    st.session_state.setdefault(key, float(value))
    return float(st.number_input(label, key=key, format="%.6g"))


def _whole_numbers(text: str, name: str) -> list[int]:
    try:
        return [int(part) for part in text.replace("[", "").replace("]", "").split(",") if part.strip()]
    except ValueError as error:
        raise InputError(bringtexts.BAD_ARGUMENT, key=name) from error
