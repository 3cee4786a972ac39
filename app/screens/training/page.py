"""Along the training: LSR at every checkpoint, and whether more training helps it; follows a run at work."""

from __future__ import annotations

import streamlit as st

from lsr_app.plots.base import Rows
from lsr_app.reading import runkinds
from lsr_app.screens.training import SCREEN, figures, trainingdata, trainingtexts
from lsr_app.services import jobs, problems, results
from lsr_app.shell import controls, guards, show
from lsr_app.shell.lab import bench as laid_out
from lsr_app.shell.lab import experiments
from lsr_app.shell.lab.bench import Bench
from lsr_app.shell.launch import launch
from lsr_app.words import fillingtexts, formats, texts, verdicttexts
from lsr_core.diagnosis.training_records import CheckpointRecord, TrainingRecord
from lsr_core.errors import InputError

now = controls.now()


def findings(record: TrainingRecord) -> None:
    """What the checkpoints so far have shown."""
    headline(record)
    if record.sentence:
        st.markdown(formats.markdown(texts.begun(record.sentence)).replace("e\\-", "e\\-\u2060"))
    show.figure("training_errors", figures.errors(record))
    verdicts(record)
    left, right = st.columns(2, gap="medium")
    with left:
        show.figure("training_condition", figures.condition(record))
    with right:
        show.figure("training_spectra", figures.spectra(record))
    show.table(
        "training", trainingtexts.TRAINING_COLUMNS, [row(one) for one in record.checkpoints], caption=trainingtexts.TRAINING_CAPTION,
        data=lambda: data_rows(record),
        data_columns=("epoch", "network_error", "refined_error", "rank", "condition_number", "limit", "confidence", "seconds"),
    )  # fmt: skip


def headline(record: TrainingRecord) -> None:
    """The errors at both ends of what is through."""
    first, last = record.checkpoints[0], record.checkpoints[-1]
    items = []
    for label, role, before, after in (
        ("Network’s error, first to last", "base", first.base_error, last.base_error),
        ("Refined error, first to last", "refined", first.refined_error, last.refined_error),
    ):
        if before is not None and after is not None:
            change = f"{formats.error(before)} → {formats.error(after)}"
            items.append(show.coloured(label, change, role, formats.factor(before, after)))
    best = trainingdata.smallest(record.checkpoints)
    if best is not None and best.refined_error is not None:
        items.append(
            show.coloured(
                "Smallest refined error", formats.error(best.refined_error), "refined", f"at epoch {best.epoch:,}"
            )
        )
    through = f"{len(record.checkpoints)} of {len(record.epochs)}"
    items.append(("Checkpoints", through, formats.page(formats.seconds(record.seconds))))
    show.headline(items)


def verdicts(record: TrainingRecord) -> None:
    """What limits the network, for each stretch of the training."""
    lines = "".join(
        f"<p><b>{formats.page(epochs)}.</b> {formats.page(texts.begun(found.sentence))}"
        f" <span class='lsr-remark'>{formats.page(verdicttexts.confidence(found))}</span></p>"
        for epochs, found in trainingdata.verdicts(record.checkpoints)
    )
    st.html(f"<section class='lsr-verdict' aria-label='Verdicts'>{lines}</section>")


def row(one: CheckpointRecord) -> tuple[str, ...]:
    base, refined = one.base_error, one.refined_error
    return (
        f"{one.epoch:,}", formats.error(base), formats.error(refined), formats.factor(base, refined), f"{one.rank:,}",
        formats.error(one.condition_number), trainingtexts.LIMITS[one.verdict.limit], one.verdict.confidence, formats.seconds(one.seconds),
    )  # fmt: skip


def data_rows(record: TrainingRecord) -> Rows:
    for one in record.checkpoints:
        yield (
            one.epoch, one.base_error, one.refined_error, one.rank, one.condition_number, one.verdict.limit, one.verdict.confidence,
            one.seconds,
        )  # fmt: skip


@st.fragment
def form(bench: Bench) -> None:
    """Settings of another refinement at every checkpoint."""
    source = problems.with_checkpoints(bench.anchor)
    if source is None:
        st.info(fillingtexts.NO_CHECKPOINTS, icon=":material/info:")
        return
    epochs = problems.checkpoints(source)
    with experiments.form(bench, "training"):
        most = max(1, bench.largest)
        rank = st.number_input(
            "Largest rank", 1, most, most, key="training_rank", help=texts.HELP["training_rank"], width=240
        )
        config = bench.config_for("training", int(rank))
        try:
            seconds = len(epochs) * problems.forecast(source, config).seconds
        except InputError as error:
            st.error(formats.markdown(str(error)), icon=":material/error:")
            return
        st.caption(formats.markdown(trainingtexts.training_takes(epochs, formats.seconds(seconds))))
        if experiments.start("training"):
            launch(
                lambda: jobs.submit(source, config, now.owner, experiments.title(bench, "training"), kind="training"),
                open_it=bench.opens("training"),
            )


if now.run is not None and now.status and runkinds.of(now.run.manifest).experiment:
    show.heading(SCREEN.title, SCREEN.lead)
else:
    guards.need_run(SCREEN)
bench = laid_out.find(now)
record = experiments.result(now, bench, "training", lambda run: results.experiment(run, TrainingRecord))
if record is not None and record.checkpoints:
    findings(record)
form(bench)
