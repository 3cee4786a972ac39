"""The report: one page, offline, small beside the plot library, and no name in it is ever taken for markup."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs

from lsr_app.making.report import MAX_DATA_BYTES, report, write_report
from lsr_app.reading import outputdata, rundata
from lsr_core.errors import InputError
from lsr_core.storage.runs import Run, RunStore
from tests.app import synthetic

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


class Tags(HTMLParser):
    """Counts elements and collects attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.attributes += attrs


def own(page: str) -> str:
    """The page without the plot library."""
    library = get_plotlyjs()
    assert page.count(library) == 1
    return page.replace(library, "")


@pytest.fixture
def data(store: RunStore) -> rundata.RunData:
    return rundata.read(synthetic.complete(store))


def test_the_page_holds_the_figures_of_the_run_and_asks_for_nothing(data: rundata.RunData) -> None:
    page, n_bytes, left_out = report(data, data.summary.rank)
    text = own(page)
    assert n_bytes <= MAX_DATA_BYTES
    assert len(text.encode()) == pytest.approx(n_bytes, rel=0.01)
    assert left_out == []
    tags = Tags()
    tags.feed(text)
    assert not [value for name, value in tags.attributes if name in ("src", "href", "srcset")]
    assert "default-src 'none'" in text
    figures = [json.loads(found) for found in re.findall(r"<script type='application/json'[^>]*>(.*?)</script>", text)]
    assert len(figures) == tags.count["figure"] >= 4
    assert all(figure["data"] for figure in figures)
    assert f"{data.summary.rank:,}" in text


def test_names_are_never_markup(data: rundata.RunData) -> None:
    plain = Tags()
    plain.feed(own(report(data, data.summary.rank)[0]))
    quantities = tuple(replace(quantity, name=NASTY) for quantity in data.about.inputs)
    about = replace(data.about, name=NASTY, title=NASTY, description=NASTY, architecture=NASTY, inputs=quantities)
    text = own(report(replace(data, about=about), data.summary.rank)[0])
    tags = Tags()
    tags.feed(text)
    assert tags.count == plain.count
    assert html.escape(NASTY) in text
    assert not [name for name, _ in tags.attributes if name.startswith("on")]


def test_a_rank_without_fields_is_refused(store: RunStore, tmp_path: object) -> None:
    run: Run = synthetic.complete(store)
    with pytest.raises(InputError, match="fields are stored at ranks"):
        write_report(run, 10**6, run.path / "report.html")
    assert not (run.path / "report.html").exists()


def test_several_outputs_are_told_one_by_one(store: RunStore) -> None:
    run = synthetic.complete(store, outputs=2, output_names=[("u", ""), (NASTY, "")], side=12)
    data = rundata.read(run)
    page = own(report(data, data.summary.rank)[0])
    assert "Errors by output" in page
    assert page.count(html.escape(NASTY, quote=True)) >= 1
    assert "<img src=x" not in page
    own_rank = replace(data, summary=data.summary.model_copy(update={
        "base": data.summary.base.model_copy(update={"by_output": [0.5, 0.25]}),
        "refined": data.summary.refined.model_copy(update={"by_output": [1.5e-9, None]}),
    }))  # fmt: skip
    first, second = outputdata.outputs(own_rank, data.summary.rank)
    assert (first.network, first.refined) == (0.5, 1.5e-9)
    assert math.isnan(second.refined)
    assert outputdata.outputs(rundata.read(synthetic.complete(store)), 0) == []
