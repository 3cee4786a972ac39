"""Fields for the settings of a refinement, made from the model that checks them, so that none is missing."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic import ByteSize

from lsr_app.screens.refine import refinetexts
from lsr_app.shell import wanted
from lsr_app.words import formats, settings, smoothingtexts, texts
from lsr_core.problems.kinds import words_of
from lsr_core.refinement.config import RefineConfig
from lsr_core.refinement.uses import JOBS

NOT_ASKED = {"published", "device"}  # a preset; and where the jobs of this server compute is not a page's choice
APART = {"max_rank", "dtype", "seed", "gauss_newton", "regularise"}  # that stand outside of what is folded away
ACROSS = 5
LARGEST = 2**31 - 1  # that a browser counts to without rounding
FORMATS: dict[str, dict[str, Any]] = {
    "parameter_fraction": {"min_value": 0.001, "step": 0.1, "format": "%.3g"},
    "damping": {"max_value": 1.0, "step": 1e-6, "format": "%.1e"},
}
_BOUNDS = {"ge": "min_value", "le": "max_value"}


def unused(kind: str) -> set[str]:
    """Settings that a refinement of such a problem has no use for."""
    return set(words_of(kind).unused) | set(JOBS["refine"].unused)


def folded(before: RefineConfig, kind: str, patterns: list[str]) -> dict[str, Any]:
    """The settings that seldom need a change; `patterns` are offered for the layers, others may be typed."""
    names = [name for name in RefineConfig.model_fields if name not in NOT_ASKED | APART | unused(kind)]
    values: dict[str, Any] = {}
    for start in range(0, len(names), ACROSS):
        for place, name in zip(st.columns(ACROSS, gap="small"), names[start : start + ACROSS], strict=False):
            values[name] = _layers(place, before, patterns) if name == "layers" else field(place, name, before)
    return values


def field(place: Any, name: str, before: RefineConfig) -> Any:
    """One setting, as it was before: a choice, a number, or words where it may be left open."""
    about, value = RefineConfig.model_fields[name], getattr(before, name)
    label = settings.name(name)
    key = {"key": set_field(name, value), "help": texts.HELP.get(name) or f"{texts.begun(about.description or '')}."}
    if get_origin(about.annotation) is Literal:
        words = refinetexts.SETTING_CHOICES.get(name, {})
        choices = get_args(about.annotation)
        return place.selectbox(label, choices, format_func=lambda choice: words.get(choice, choice), **key)
    if about.annotation in (int, float):
        given = (
            next(((end, getattr(rule, end)) for end in _BOUNDS if hasattr(rule, end)), None) for rule in about.metadata
        )
        bounds = {_BOUNDS[end]: about.annotation(bound) for end, bound in filter(None, given)}
        shape = bounds | FORMATS.get(name, {})
        for end, hold in (("min_value", min), ("max_value", max)):
            shape |= {end: hold(shape[end], value)} if end in shape else {}
        if about.annotation is int:
            shape["max_value"] = min(shape.get("max_value", LARGEST), LARGEST)
        return place.number_input(label, **shape, **key)
    st.session_state[key["key"]] = _text(st.session_state[key["key"]])
    typed = place.text_input(label, placeholder=refinetexts.SETTINGS_OPEN.get(name, ""), **key)
    return typed.strip() or about.default


def set_field(name: str, value: Any) -> str:
    """Key of a field, whose value is set unless it has one.

    Through the session and not as the widget's default: a browser that has drawn a field under this key before goes
    on showing the old value when only the default is another.
    """
    key = f"{wanted.FIELDS}{name}"
    st.session_state.setdefault(key, min(value, LARGEST) if type(value) is int else value)
    return key


def _layers(place: Any, before: RefineConfig, patterns: list[str]) -> str | None:
    key = set_field("layers", before.layers or "")
    typed = st.session_state[key] or ""
    layers = place.selectbox(
        "Layers", list(dict.fromkeys(["", *patterns, typed])), key=key, accept_new_options=True,
        format_func=lambda pattern: pattern or refinetexts.ALL_LAYERS, help=texts.HELP["layers"],
    )  # fmt: skip
    return (layers or "").strip() or None


def smoothing(place: Any, before: RefineConfig) -> str:
    """A rule, or a strength that is typed."""
    key = set_field("regularise", before.regularise)
    options = list(dict.fromkeys([*smoothingtexts.RULES, st.session_state[key] or "none"]))
    chosen = place.selectbox(
        settings.name("regularise"), options, key=key, accept_new_options=True, format_func=smoothingtexts.rule,
        help=texts.HELP["regularise"],
    )  # fmt: skip
    return (chosen or "none").strip()


def _text(value: Any) -> str:
    """A setting as it is typed."""
    if isinstance(value, ByteSize):
        return value.human_readable(decimal=True)
    return "" if value is None else formats.exactly(value) if isinstance(value, float) else str(value)
