"""Which arrays of a data file are inputs, outputs and predictions, and how rows are split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lsr_app.screens.bring import bringtexts
from lsr_core.intake import suggest
from lsr_core.intake.arrays import ArrayInfo
from lsr_core.intake.mapping import DataMapping, SplitArrays, choices


@dataclass(frozen=True)
class Chosen:
    """What the form says."""

    mapping: DataMapping
    predictions: tuple[str, ...]
    units: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """Everything that has to be read."""
        pairs = [pair for pair in (self.mapping.train, self.mapping.validation, self.mapping.test) if pair is not None]
        return [*(name for pair in pairs for name in (*pair.inputs, *pair.outputs)), *self.predictions]


def fields(prefix: str, infos: Sequence[ArrayInfo], wanted_inputs: int, wanted_outputs: int) -> Chosen:
    """The form, filled with what names and sizes suggest."""
    offered = choices(infos)
    guessed = suggest.columns(infos, wanted_inputs, wanted_outputs)
    for key, value in zip(("inputs", "outputs", "predictions"), guessed, strict=True):
        st.session_state.setdefault(f"{prefix}_{key}", list(value))
    first, second, third = st.columns(3, gap="small")
    inputs = first.multiselect("Inputs", offered, key=f"{prefix}_inputs", help=bringtexts.HELP["inputs"])
    outputs = second.multiselect("Outputs", offered, key=f"{prefix}_outputs", help=bringtexts.HELP["outputs"])
    predictions = third.multiselect(
        "Predictions of your network, to compare", offered, key=f"{prefix}_predictions", help=bringtexts.HELP["predictions"]
    )  # fmt: skip
    with st.expander("Units and splits"):
        left, right = st.columns(2, gap="small")
        units = tuple(
            _listed(column.text_input(label, key=f"{prefix}_{label}", help=bringtexts.HELP["units"], max_chars=400))
            for column, label in ((left, "Units of the inputs"), (right, "Units of the outputs"))
        )
        a, b, c, d = st.columns(4, gap="small", vertical_alignment="bottom")
        validation, test = (
            column.number_input(
                f"Share for {name}", 0.0, 0.9, 0.15, 0.05, key=f"{prefix}_{name}", help=bringtexts.HELP[name]
            )
            for column, name in ((a, "validation"), (b, "test"))
        )
        seed = c.number_input("Seed", 0, 2**31 - 1, key=f"{prefix}_seed", help=bringtexts.HELP["seed"])
        drop = d.checkbox("Leave out bad rows", key=f"{prefix}_drop", help=bringtexts.HELP["drop"])
        pairs = []
        for split, start in (("Validation", "validation"), ("Test", "test")):
            for part, kind in (("inputs", "inputs"), ("outputs", "targets")):
                name = f"{start}_{kind}"
                st.session_state.setdefault(f"{prefix}_{start}_{part}", [name] if name in offered else [])
            one, two = st.columns(2, gap="small")
            pairs.append(
                SplitArrays(
                    tuple(one.multiselect(f"{split} inputs", offered, key=f"{prefix}_{start}_inputs", help=bringtexts.HELP["given"])),
                    tuple(two.multiselect(f"{split} outputs", offered, key=f"{prefix}_{start}_outputs", help=bringtexts.HELP["given"])),
                )
            )  # fmt: skip
    own = [pair if pair.inputs or pair.outputs else None for pair in pairs]
    order, samples_last = _axes(prefix, infos, inputs, outputs)
    mapping = DataMapping(
        SplitArrays(tuple(inputs), tuple(outputs), order, samples_last),
        own[0],
        own[1],
        (float(validation), float(test)),
        int(seed),
        bool(drop),
    )
    return Chosen(mapping, tuple(predictions), (units[0], units[1]))


def _axes(
    prefix: str, infos: Sequence[ArrayInfo], inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[int, ...], bool]:
    """Which axis of the outputs each input is, asked where two have the same length; and whether samples stand in columns."""
    shapes = {info.name: info.shape for info in infos}
    if not inputs or not outputs or any(name not in shapes for name in (*inputs, *outputs)):
        return (), False
    possible = suggest.orders(infos, inputs, outputs)
    if len(possible) > 1:
        return st.selectbox(
            bringtexts.AXES, possible, format_func=lambda order: _axis_words(order, inputs, len(shapes[outputs[0]])),
            key=f"{prefix}_axes", help=bringtexts.HELP["axes"], width=420,
        ), False  # fmt: skip
    square = all(len(shapes[name]) == 2 and min(shapes[name]) > 1 for name in (*inputs, *outputs))
    if not possible and square and all(shapes[name][0] < shapes[name][1] for name in inputs):
        return (), st.checkbox(bringtexts.COLUMNS, key=f"{prefix}_columns", help=bringtexts.HELP["columns"])
    return (), False


def _axis_words(order: tuple[int, ...], inputs: Sequence[str], count: int) -> str:
    named = {axis: name for name, axis in zip(inputs, order, strict=True)}
    return " × ".join(named.get(axis, "outputs") for axis in range(count))


def known(prefix: str, infos: Sequence[ArrayInfo], wanted_inputs: int, wanted_outputs: int) -> SplitArrays:
    """Inputs and the predictions for them, where nothing else of a file is wanted; what stands behind the inputs is taken for predictions."""
    offered = choices(infos)
    inputs, outputs, predictions = suggest.columns(infos, wanted_inputs, wanted_outputs)
    st.session_state.setdefault(f"{prefix}_inputs", inputs)
    st.session_state.setdefault(f"{prefix}_predictions", predictions or outputs)
    left, right = st.columns(2, gap="small")
    return SplitArrays(
        tuple(left.multiselect("Inputs", offered, key=f"{prefix}_inputs", help=bringtexts.HELP["inputs"])),
        tuple(
            right.multiselect("Predictions", offered, key=f"{prefix}_predictions", help=bringtexts.HELP["predictions"])
        ),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip()[:40] for part in text.split(","))
