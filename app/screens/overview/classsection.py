"""Classes on a page: accuracy, confusion, and the samples whose class changed."""

from __future__ import annotations

import numpy as np
import streamlit as st

from lsr_app.reading.rundata import RunData
from lsr_app.screens.overview import classfigures as figures
from lsr_app.shell import show
from lsr_app.shell.functions import functiontexts as words

LISTED = 50


def section(data: RunData) -> None:
    """At the rank that the run chose, the only one at which classes are counted."""
    found = data.summary.classes
    show.section(words.CLASSES_TITLE, words.CLASSES_LEAD)
    if found is None or not found.base_confusion:
        st.info(words.NO_CLASSES, icon=":material/info:")
        return
    headline(data)
    tables = {"base": found.base_confusion, "refined": found.refined_confusion}
    most = max(int((np.asarray(table) * (1 - np.eye(len(table)))).max()) for table in tables.values())
    show.group(
        "confusion",
        [
            (words.CONFUSION[name], figures.confusion(table, most, words.CONFUSION[name]))
            for name, table in tables.items()
        ],
    )
    _changed(data)


def headline(data: RunData) -> None:
    """Accuracy and log-loss, before and after."""
    base, refined = data.summary.base, data.summary.refined
    items = []
    if base.test_accuracy is not None and refined.test_accuracy is not None:
        values = (f"{100 * value:.1f} %" for value in (base.test_accuracy, refined.test_accuracy))
        items.append(show.before_after_words("Test accuracy", *values))
    if base.test_log_loss is not None and refined.test_log_loss is not None:
        items.append(show.before_after("Test log-loss", base.test_log_loss, refined.test_log_loss))
    if items:
        show.headline(items)


def _changed(data: RunData) -> None:
    """Of the display points at the run's rank: those whose class differs before and after."""
    if data.fields.split != "test":
        return
    rank = data.snap(data.summary.rank)
    targets = data.fields.targets
    refined = targets + data.fields.refined_error[data.rung(rank)]
    right, before, after = (part.argmax(axis=1) for part in (targets, data.fields.network, refined))
    places = np.flatnonzero(before != after)
    if not len(places):
        return

    def fate(place: int) -> str:
        if after[place] == right[place]:
            return words.RIGHT_NOW
        return words.WRONG_NOW if before[place] == right[place] else words.STILL_WRONG

    rows = [(int(place), int(right[place]), int(before[place]), int(after[place])) for place in places]
    fates = [fate(int(place)) for place in places]
    show.table(
        "changed",
        words.CHANGED_COLUMNS,
        [(*(str(cell) for cell in row), word) for row, word in zip(rows[:LISTED], fates[:LISTED], strict=True)],
        caption=words.changed_caption(
            fates.count(words.RIGHT_NOW), fates.count(words.WRONG_NOW), min(LISTED, len(rows)), len(rows)
        ),
        data=lambda: rows,
        data_columns=words.CHANGED_CSV,
    )
