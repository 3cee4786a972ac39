"""The isolation of the mechanism on the page: bars, table, and the form for another one."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from lsr_app.plots.base import Rows
from lsr_app.screens.conditioning import conditioningtexts
from lsr_app.screens.conditioning import isolationfigures as figures
from lsr_app.services import jobs, problems, results
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.lab import experiments
from lsr_app.shell.lab.bench import Bench
from lsr_app.shell.launch import launch
from lsr_app.words import formats, texts
from lsr_core.lab.isolation import IsolationSettings
from lsr_core.lab.records import Contender, IsolationRecord

RANK, ITERATIONS = 200, 100
SPLITS = ("train", "validation", "test")
Errors = Mapping[str, float | None]


def section(now: Now, bench: Bench) -> None:
    """The isolation that is shown, as far as it has come."""
    experiments.heading("isolation")
    if problems.equation(bench.anchor.problem_path) is not None and "isolate" not in bench.runs:
        st.info(conditioningtexts.ISOLATION_PHYSICS, icon=":material/info:")
        return
    record = experiments.result(now, bench, "isolate", lambda run: results.experiment(run, IsolationRecord))
    if record is not None and record.contenders:
        _results(record)
    _form(now, bench)


def _results(record: IsolationRecord) -> None:
    split = figures.split_of(record)
    errors = {contender.name: getattr(contender.errors, split) for contender in record.contenders}
    _headline(errors, split)
    if said := _sentence(errors):
        st.markdown(formats.markdown(said))
    show.figure("isolation", figures.bars(record, split))
    show.table(
        "isolation_table", conditioningtexts.ISOLATION_COLUMNS, [_row(contender) for contender in record.contenders],
        caption=conditioningtexts.ISOLATION_CAPTION, data=lambda: _rows(record),
        data_columns=("contender", "unknowns", "linear", *SPLITS, "seconds", "iterations", "settings", "note"),
    )  # fmt: skip
    for note in record.notes:
        st.caption(formats.markdown(texts.begun(note)))


def _headline(errors: Errors, split: str) -> None:
    """The network, and what becomes of it by the solve, by the solve elsewhere, and by an optimiser in the same place."""
    base, own = errors.get("network"), errors.get("jacobian-subspace")
    if base is None or own is None:
        return
    items = [show.before_after(f"Linear solve (LSR), {split} error", base, own)]
    for name, (words, role) in conditioningtexts.ISOLATION_HEADS.items():
        if (value := errors.get(name)) is not None:
            items.append(show.coloured(words, formats.error(value), role, formats.factor(base, value)))
    show.headline(items)


def _sentence(errors: Errors) -> str:
    own = errors.get("jacobian-subspace")
    others = [
        (conditioningtexts.CONTENDERS.get(name, name), f"{formats.error(value)} ({formats.factor(own, value)})")
        for name, value in errors.items()
        if name not in ("network", "jacobian-subspace") and value is not None
    ]
    if own is None or not others:
        return ""
    said = conditioningtexts.isolation_sentence(
        conditioningtexts.CONTENDERS["jacobian-subspace"], formats.error(own), others
    )
    same = [value for name, value in errors.items() if name.startswith("nonlinear") and value is not None]
    random = errors.get("random-subspace")
    if not same or random is None or own <= 0:
        return said
    return f"{said} {conditioningtexts.isolation_reason(_times(min(same) / own), _times(random / own))}"


def _times(ratio: float) -> str:
    return formats.times(ratio) if ratio > 1 else ""


def _row(contender: Contender) -> tuple[str, ...]:
    iterations = "" if contender.iterations is None else f"{contender.iterations:,} iterations"
    remarks = (iterations, conditioningtexts.settings(contender.settings), contender.note)
    return (
        conditioningtexts.CONTENDERS.get(contender.name, contender.name), f"{contender.dimension:,}",
        *(formats.error(getattr(contender.errors, split)) for split in SPLITS), formats.seconds(contender.seconds),
        ", ".join(remark for remark in remarks if remark),
    )  # fmt: skip


def _rows(record: IsolationRecord) -> Rows:
    for c in record.contenders:
        errors = (getattr(c.errors, split) for split in SPLITS)
        yield (
            c.name,
            c.dimension,
            c.linear,
            *errors,
            c.seconds,
            c.iterations,
            conditioningtexts.settings(c.settings),
            c.note,
        )


@st.fragment
def _form(now: Now, bench: Bench) -> None:
    with experiments.form(bench, "isolate"):
        first, second = st.columns(2, gap="small")
        largest = max(1, bench.largest)
        rank = first.number_input(
            "Unknowns", 1, largest, min(RANK, largest), key="isolation_rank", help=texts.HELP["isolation_rank"]
        )
        iterations = second.number_input(
            "Iterations", 1, 100_000, ITERATIONS, key="isolation_iterations", help=texts.HELP["isolation_iterations"]
        )
        if experiments.start("isolate"):
            config = bench.config_for("isolate", int(rank))
            settings = IsolationSettings(iterations=int(iterations))
            launch(
                lambda: jobs.submit(
                    bench.anchor.problem_path, config, now.owner, experiments.title(bench, "isolate"), kind="isolate",
                    settings=settings.model_dump(mode="json"),
                ),
                open_it=bench.opens("isolate"),
            )  # fmt: skip
