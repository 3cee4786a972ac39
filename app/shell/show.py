"""How a figure or a table stands on the page: title, chart, two sentences, downloads. The same for all."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from lsr_app.plots import theme
from lsr_app.plots.base import Picture, Rows
from lsr_app.reading.rundata import RunData
from lsr_app.serve.scripts import TO_TOP
from lsr_app.shell import pages, saving, state
from lsr_app.words import figuretexts, formats, texts, verdicttexts
from lsr_app.words.wording import Words

MANY = 11  # columns
WORDS_FROM = 16  # letters of a cell that may be broken
_TURN = "lsr_to_top_turn"


theme.follow(lambda: "dark" if st.context.theme.type == "dark" else "light")


def config(name: str) -> dict[str, Any]:
    """Plotly's tool bar: zoom, reset, and the figure as a file of the form that was chosen."""
    return {
        "displaylogo": False,
        "responsive": True,
        "toImageButtonOptions": saving.chosen().options(name),
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    }


def figure(key: str, picture: Picture, extra: Callable[[], None] | None = None) -> None:
    """One figure with everything that belongs to it; `extra` stands between title and chart."""
    words = figuretexts.FIGURES[key]
    with st.container(key=f"figure_{key}", gap="xsmall"):
        _title(words.title)
        if extra is not None:
            extra()
        _chart(key, picture)
        _foot(key, words, [(key, picture)])


def group(
    key: str, panels: Sequence[tuple[str, Picture]], extra: Callable[[], None] | None = None, *, across: int = 3
) -> None:
    """Several small figures side by side (below each other on a narrow screen) under one pair of sentences.

    Args:
        across: columns of the page, however many panels there are; two panels always share its width.
    """
    words = figuretexts.FIGURES[key]
    with st.container(key=f"group_{key}", gap="xsmall"):
        _title(words.title)
        if extra is not None:
            extra()
        across = 2 if len(panels) == 2 else across
        for start in range(0, len(panels), across):
            row = panels[start : start + across]
            for column, (place, (name, picture)) in zip(
                st.columns(across, gap="small"),
                enumerate(row, start=start),
                strict=False,
            ):
                with column, st.container(gap=None):
                    st.html(f'<p class="lsr-panel">{html.escape(name)}</p>')
                    _chart(f"{key}_{place}", picture)
        _foot(key, words, [(name, picture) for name, picture in panels])


def key(entries: Sequence[tuple[str, str, str]]) -> None:
    """One line that explains (glyph, colour, name) for figures side by side."""
    parts = (
        f"<span><b style='color:{colour}'>{glyph}</b> {html.escape(name)}</span>" for glyph, colour, name in entries
    )
    st.html(f"<p class='lsr-key'>{''.join(parts)}</p>")


def table(
    key: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, data: Callable[[], Rows],
    data_columns: Sequence[str] | None = None,
) -> None:  # fmt: skip
    """A small table as HTML, with its CSV; one of many columns is set closer, so that none is cut off."""
    kind = "lsr-table lsr-many" if len(columns) >= MANY else "lsr-table"
    head = "".join(f"<th scope='col'>{formats.page(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    with st.container(gap="xsmall"):
        st.html(
            f"<div class='lsr-scroll' tabindex='0' role='region' aria-label='{formats.page(caption)}'>"
            f"<table class='{kind}'><caption>{formats.page(caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )
        _csv(key, data_columns or columns, data)


def _cell(text: str) -> str:
    """A long text may take several lines; a number stays on one."""
    kind = " class='lsr-words'" if len(text) > WORDS_FROM and " " in text else ""
    return f"<td{kind}>{formats.page(text)}</td>"


def headline(items: Sequence[tuple[str, str, str]]) -> None:
    """The figures of the page: (label, value as safe HTML, remark as safe HTML) side by side."""
    cells = "".join(
        f"<div class='lsr-number'><span class='lsr-label'>{label}</span><span class='lsr-value'>{value}</span>"
        f"<span class='lsr-remark'>{remark}</span></div>"
        for label, value, remark in items
    )
    st.html(f"<div class='lsr-numbers' role='group' aria-label='Headline numbers'>{cells}</div>")


def before_after(label: str, before: float, after: float) -> tuple[str, str, str]:
    """Headline item: base → refined, and the factor."""
    label, value, _ = before_after_words(label, formats.error(before), formats.error(after))
    return label, value, formats.page(formats.factor(before, after))


def before_after_words(label: str, before: str, after: str) -> tuple[str, str, str]:
    """Headline item: base → refined, of values that have no factor."""
    arrow = "<span class='lsr-arrow' aria-label='becomes'>→</span>"
    value = f"<span class='lsr-base'>{formats.page(before)}</span>{arrow}<span class='lsr-refined'>{formats.page(after)}</span>"
    return formats.page(label), value, ""


def coloured(label: str, value: str, role: str, remark: str) -> tuple[str, str, str]:
    """Headline item in the colour of the object it belongs to: base, refined or step."""
    return formats.page(label), f"<span class='lsr-{role}'>{formats.page(value)}</span>", formats.page(remark)


def side_by_side(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    """Two answers in words, (label, answer, remark) each; the second is the one that holds."""
    cells = "".join(
        f"<div><span class='lsr-label'>{formats.page(label)}</span><p class='{role}'>{formats.page(answer)}</p>"
        f"<span class='lsr-remark'>{formats.page(remark)}</span></div>"
        for (label, answer, remark), role in ((first, "lsr-said"), (second, "lsr-said lsr-refined"))
    )
    st.html(f"<div class='lsr-answers' role='group' aria-label='Prediction and measurement'>{cells}</div>")


def rank_item(data: RunData, rank: int) -> tuple[str, str, str]:
    """Headline item: the selected rank, and what is special about it."""
    remarks = []
    if rank == data.auto_rank and data.has_validation:
        remarks.append(data.parts.chosen)
    elif rank == data.snap(data.summary.rank):
        remarks.append("chosen by the run")
    if rank == data.snap(data.summary.knee):
        remarks.append("knee")
    return "Rank", f"{rank:,}", f"of {data.sweep.max_rank:,}" + "".join(f", {remark}" for remark in remarks)


def verdict(data: RunData, rank: int) -> None:
    """What limits the model, with the figures behind it, what to do next and what was not tested; `rank` is the one shown."""
    found = data.summary.verdict
    if found is None:
        return
    with st.container(key="verdict", gap=None):
        sure = formats.page(verdicttexts.confidence(found))
        head = f"<b>{formats.page(texts.begun(found.sentence))}</b><span class='lsr-remark'>{sure}</span>"
        evidence = "".join(f"<li>{formats.page(texts.begun(item.sentence))}</li>" for item in found.evidence)
        hints = (
            verdicttexts.of_rank(found, rank),
            verdicttexts.signatures(found),
            verdicttexts.untested(found),
        )
        seen = "".join(f"<p class='lsr-hint'>{formats.page(words)}</p>" for words in hints if words)
        st.html(
            f"<section class='lsr-verdict' aria-label='Verdict'><p>{head}</p><ul>{evidence}</ul>"
            f"<p>{formats.page(texts.begun(found.advice))}</p>{seen}</section>"
        )


def sample_errors(data: RunData) -> None:
    """Quantiles of the errors of all test samples, where the run has them: the display points may be fewer or others."""
    before, after = data.summary.base_quantiles, data.summary.refined_quantiles
    if before is None or after is None:
        return
    pairs = [(formats.error(old), formats.error(new)) for (_, old), (_, new) in zip(before, after, strict=True)]
    st.caption(formats.markdown(texts.quantiles(data.summary.rank, pairs)))


def link(page: str, label: str, icon: str) -> None:
    """The way to another page, with the view as it is."""
    st.page_link(pages.script(page), label=label, icon=icon, query_params=state.query())


def row() -> Any:
    """A place for small controls side by side."""
    return st.container(horizontal=True, vertical_alignment="center", gap="medium")


def heading(title: str, lead: str) -> None:
    """Title and lead of a page; foreign text is escaped here."""
    st.html(f"<h1 class='lsr-title'>{formats.page(title)}</h1><p class='lsr-lead'>{formats.page(lead)}</p>")


def section(title: str, lead: str = "", *, apart: bool = True) -> None:
    """Heading inside a page; `apart` puts air before it."""
    if apart:
        st.space("small")
    more = f"<p class='lsr-lead'>{formats.page(lead)}</p>" if lead else ""
    st.html(f"<h2 class='lsr-section'>{formats.page(title)}</h2>{more}")


def remarks(place: Any, messages: Sequence[str]) -> None:
    """Remarks about the address, such as a rank that had to be clamped."""
    for message in messages:
        place.warning(formats.markdown(message), icon=":material/info:")


def scroll_to_top(now: bool) -> None:
    """Bring the beginning of the page into view; takes the same place on the page whether it does or not."""
    with st.container(key="to_top", height=1, border=False):
        if now:
            turn = st.session_state[_TURN] = 1 - int(st.session_state.get(_TURN, 1))
            st.html(f"<script>{TO_TOP[turn]}</script>", unsafe_allow_javascript=True)


def _title(title: str) -> None:
    st.html(f"<h2 class='lsr-figure'>{html.escape(title)}</h2>")


def _chart(key: str, picture: Picture) -> None:
    st.plotly_chart(
        picture.figure, key=f"chart_{key}", theme=None, width="stretch", config=config(f"lsr-{key}"), alt=picture.alt
    )


def _foot(key: str, words: Words, pictures: Sequence[tuple[str, Picture]]) -> None:
    notes = dict.fromkeys(picture.note for _, picture in pictures if picture.note)
    st.html(f"<p class='lsr-caption'>{html.escape(' '.join((words.shows, words.read, *notes)))}</p>")

    def rows() -> Rows:
        if len(pictures) == 1:
            yield from pictures[0][1].rows()
            return
        for name, picture in pictures:
            for row in picture.rows():
                yield (name, *row)

    first = pictures[0][1].columns
    columns = first if len(pictures) == 1 else ("panel", *first[:-1], "value")
    _csv(key, columns, rows, svg=True)


def _csv(key: str, columns: Sequence[str], rows: Callable[[], Rows], svg: bool = False) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "CSV",
            data=lambda: formats.csv_text(columns, rows()),
            file_name=f"lsr-{key}.csv",
            mime="text/csv",
            key=f"csv_{key}",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
            help=texts.HELP["csv"],
        )
        if svg:
            st.html(f"<span class='lsr-hint'>{html.escape(texts.SVG_HINT)}</span>")
