"""Weights and data in files: read, looked at, mapped, and made into a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import psutil
import streamlit as st

from lsr_app.owning import ownproblems
from lsr_app.screens.bring import bringtexts, mappingform, networkform, ownlist, trunkform, uploads, whichform
from lsr_app.screens.bring import figures as brought
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.words import broughttexts, formats, texts
from lsr_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lsr_core.intake.arrays import ArrayInfo
    from lsr_core.intake.mapping import Mapped

_SHOWN = 200


def section(now: Now) -> None:
    """The form; everything below a step waits until that step is right."""
    st.caption(bringtexts.DATA_LEAD)
    left, right = st.columns(2, gap="small", vertical_alignment="bottom")
    with left:
        weights = uploads.weights("weights_file")
    with right:
        data = uploads.data(bringtexts.DATA_LABEL, "data_file")
    tensors: dict[str, Tensor] = {}
    infos: list[ArrayInfo] = []
    try:
        if weights is not None:
            tensors = whichform.tensors(weights)
        if data is not None:
            infos = uploads.listing(data)
        _contents(tensors, infos)
        if weights is not None and data is not None and tensors:
            _steps(now, f"{weights.file_id}{whichform.chosen(weights)}_{data.file_id}", weights, data, tensors, infos)
    except InputError as error:
        st.error(formats.markdown(str(error)), icon=":material/error:")


def _contents(tensors: Mapping[str, Tensor], infos: list[ArrayInfo]) -> None:
    if not tensors and not infos:
        return
    with st.expander(bringtexts.WHAT_IS_IN, expanded=False):
        left, right = st.columns(2, gap="small")
        if tensors:
            left.caption(bringtexts.counts(len(tensors), sum(tensor.numel() for tensor in tensors.values())))
            rows = [(name, "×".join(map(str, t.shape)), str(t.dtype).removeprefix("torch.")) for name, t in tensors.items()]  # fmt: skip
            left.dataframe(pd.DataFrame(rows[:_SHOWN], columns=["Tensor", "Shape", "Type"]), hide_index=True)
        if infos:
            arrays = [(info.name, "×".join(map(str, info.shape)), info.dtype) for info in infos if not info.unusable]
            right.caption(f"{len(arrays):,} arrays, {formats.size(sum(info.bytes for info in infos))}")
            right.dataframe(pd.DataFrame(arrays[:_SHOWN], columns=["Array", "Shape", "Type"]), hide_index=True)
    passed = [f"{info.name} ({info.unusable})" for info in infos if info.unusable]
    if passed:
        st.caption(formats.markdown(broughttexts.passed_over(passed)))


def _steps(now: Now, key: str, weights: Any, data: Any, tensors: dict[str, Tensor], infos: list[ArrayInfo]) -> None:
    from lsr_core.intake import compare, guess, mapping, suggest

    found = guess.guess(tensors, suggest.grid(infos))
    show.section("Data", bringtexts.DATA_MAP_LEAD)
    chosen = mappingform.fields(f"map_{key}", infos, *suggest.widths(found))
    if not chosen.mapping.train.inputs or not chosen.mapping.train.outputs:
        st.info(bringtexts.CHOOSE, icon=":material/info:")
        return
    needed, free = mapping.forecast_bytes(infos, chosen.names), psutil.virtual_memory().available
    if 2 * needed > free:
        st.error(bringtexts.too_large(formats.size(needed), formats.size(free)), icon=":material/memory:")
        return
    arrays = uploads.arrays(data, mapping.arrays_of(chosen.names, infos))
    mapped = mapping.make_splits(arrays, chosen.mapping)
    said = broughttexts.mapped({name: len(split.inputs) for name, split in mapped.splits.items()}, mapped.dropped)
    st.caption(f"{said} {bringtexts.takes(formats.size(needed))}")
    _preview(mapped)
    show.section(f"Network: {found.architecture}", bringtexts.NETWORK_LEAD)
    found = trunkform.at_points(f"net_{key}", found, data, infos, mapped.outputs.shape[1])
    predictions = _predictions(arrays, chosen)
    known = _training(mapped) if predictions is None else (mapped.inputs, predictions)
    found, arguments, model = networkform.loaded(
        f"net_{key}", found, tensors, known, predictions=predictions is not None
    )
    networkform.placed(found, tensors)
    if predictions is None:
        st.warning(broughttexts.NO_PREDICTIONS, icon=":material/help:")
        st.caption(broughttexts.error_on_data(compare.difference(model, *known)))
    elif not networkform.accepted(key, found, arguments, tensors, model, known):
        return
    _make(now, key, found.architecture, arguments, model, mapped, chosen, weights.name)


def _predictions(arrays: Mapping[str, np.ndarray], chosen: mappingform.Chosen) -> np.ndarray | None:
    from lsr_core.intake import mapping

    if not chosen.predictions:
        return None
    return mapping.predictions(arrays, chosen.mapping.train, chosen.predictions)


def _training(mapped: Mapped) -> networkform.Known:
    """What the data say about a network whose predictions are not known: it was trained to give their outputs."""
    return mapped.splits["train"].inputs.numpy(), mapped.splits["train"].targets.numpy()


def _preview(mapped: Mapped) -> None:
    inputs, outputs = mapped.names
    names = [*(inputs or _numbered("input", mapped.inputs)), *(outputs or _numbered("output", mapped.outputs))]
    left, right = st.columns(2, gap="small")
    table = np.concatenate([mapped.inputs[:8, :12], mapped.outputs[:8, :12]], axis=1)
    shown = [*names[: min(mapped.inputs.shape[1], 12)], *names[mapped.inputs.shape[1] :][:12]]
    left.dataframe(pd.DataFrame(table, columns=_distinct(shown)), hide_index=True, height=320)
    with right:
        picture = brought.data(mapped.inputs, mapped.outputs, names)
        st.plotly_chart(
            picture.figure, key="chart_brought", theme=None, width="stretch", config=show.config("lsr-data"), alt=picture.alt
        )  # fmt: skip


def _numbered(word: str, array: np.ndarray) -> list[str]:
    return [f"{word} {place + 1}" for place in range(array.shape[1])]


def _distinct(names: list[str]) -> list[str]:
    return [name if names.index(name) == place else f"{name} ({place + 1})" for place, name in enumerate(names)]


def _make(
    now: Now, key: str, architecture: str, arguments: dict[str, Any], model: nn.Module, mapped: Mapped,
    chosen: mappingform.Chosen, file: str,
) -> None:  # fmt: skip
    stem = formats.one_line(file.rpartition(".")[0] or file, 80)
    st.session_state.setdefault(f"title_{key}", stem)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input("Title", key=f"title_{key}", max_chars=100, width=320)
        made = st.button("Make the problem", type="primary", key="make_problem", icon=":material/add:")
    if not made:
        ownlist.offer(now, st.session_state.get(f"made_{key}"))
        return
    try:
        st.session_state[f"made_{key}"] = _add(
            now.owner, title.strip() or stem, architecture, arguments, model, mapped, chosen
        )
    except OSError as error:
        st.error(formats.markdown(texts.cannot_write(error.strerror or "")), icon=":material/error:")
        return
    st.rerun()  # the list above has one more


def _add(
    owner: str, title: str, architecture: str, arguments: dict[str, Any], model: nn.Module, mapped: Mapped,
    chosen: mappingform.Chosen,
) -> str:  # fmt: skip
    from lsr_core.intake.problem import of
    from lsr_core.problems.splits import Architecture
    from lsr_core.storage.bundles import save_problem

    problem = of(title, model, Architecture(architecture, arguments), mapped, chosen.units)
    return ownproblems.add(owner, lambda folder: save_problem(folder, problem, training={"source": "uploaded weights"}))
