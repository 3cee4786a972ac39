"""Two outputs, one of size 1e-12 and one of 1e6, as a person meets them: command line, page, report."""

from __future__ import annotations

import json

import pytest

from lsr_app import cli
from lsr_app.making.report import report
from lsr_app.reading import rundata
from lsr_app.words import formats, texts
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.storage.runs import RunStore
from tests.app.conftest import Opener, html
from tests.core.test_output_sizes import per_output, problem, refined

UNITS = (1e-12, 1e6)


def case() -> SupervisedProblem:
    return problem(*UNITS)


@pytest.mark.slow
def test_each_falls_and_is_told_everywhere(
    store: RunStore, open_page: Opener, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["refine", f"{__file__}:case", "--max-rank", "40", "--runs", str(store.root), "--json"]
    assert cli.run(asked) == 0
    told = json.loads(capsys.readouterr().out)
    before, after = told["base"]["by_output"], told["refined"]["by_output"]
    assert all(new < 0.5 * old for old, new in zip(before, after, strict=True))
    given = case()
    assert before == pytest.approx(per_output(given.model, given.test).tolist(), rel=1e-9)
    assert after == pytest.approx(per_output(refined(*UNITS).predictor.predict, given.test).tolist(), rel=1e-6)
    run = store.open(told["run"])
    data = rundata.read(run)
    page, _, _ = report(data, run.summary.rank)
    app = open_page("overview", run=run.id)
    assert not app.exception
    for shown in (page, html(app)):
        assert all(formats.error(value) in shown for value in (*before, *after))
    assert texts.OUTPUT_TITLE in page
    assert formats.error(max(after)) in " ".join([*(str(metric.value) for metric in app.metric), html(app)])
    assert data.sweep.by_output[run.summary.rank].tolist() == pytest.approx(after, rel=1e-6)
