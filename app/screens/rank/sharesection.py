"""The part of the Rank page on the share of the parameters: the figure, and the runs that it lacks."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from lsr_app.reading.shares import DEFAULT_SHARES, Share, comparable, config_for, one_of_each
from lsr_app.screens.rank import ranktexts
from lsr_app.screens.rank import sharefigures as figures
from lsr_app.services import jobs, problems, runs
from lsr_app.shell import show
from lsr_app.shell.controls import Now
from lsr_app.shell.launch import launch
from lsr_app.words import formats
from lsr_core.errors import InputError
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.runs import Run

POLL_SECONDS = 1.0


@dataclass
class Series:
    """Runs of the problem of the open run that differ from it only in which parameters may move."""

    complete: list[Share] = field(default_factory=list)
    waiting: dict[str, RefineConfig] = field(default_factory=dict)  # queued or at work, by id
    failed: set[float] = field(default_factory=set)  # shares of the open run's layers

    def shares(self, layers: str | None) -> set[float]:
        """Shares of these layers that are there or on their way."""
        done = {share.fraction for share in self.complete if share.layers == layers}
        return done | {config.parameter_fraction for config in self.waiting.values() if config.layers == layers}


def section(now: Now) -> None:
    """Errors of the runs of this problem with other shares; missing ones can be queued."""
    assert now.run is not None
    assert now.data is not None
    show.section(ranktexts.SHARES_TITLE, ranktexts.SHARES_LEAD)
    split, word = now.data.headline_split
    layers = now.run.manifest.config.layers
    series = _series(now, split)
    found = one_of_each(series.complete, now.run.id)
    line = [share for share in found if share.layers == layers]
    if line and len(found) > 1:
        others = [share for share in found if share.layers != layers]
        picture = figures.error_by_share(line, others, measure=now.data.parts.mean_square.format(word=word))
        show.figure("shares", picture)
    else:
        st.caption(ranktexts.SHARES_NONE)
    if series.waiting:
        _watch(list(series.waiting))
    have = series.shares(layers)
    if series.failed - have:
        st.caption(
            ranktexts.shares_failed(", ".join(formats.plain(share, 3) for share in sorted(series.failed - have)))
        )
    missing = [share for share in DEFAULT_SHARES if share not in have]
    if missing:
        named = ", ".join(f"{share:.0%}" for share in missing)
        if st.button(f"Refine with {named} of the parameters", key="shares_start", icon=":material/play_arrow:"):
            _submit(now, missing)


def _series(now: Now, split: str) -> Series:
    assert now.run is not None
    series = Series()
    for entry in now.entries:
        manifest = entry.manifest
        if manifest.problem != now.run.manifest.problem or not comparable(manifest.config, now.run.manifest.config):
            continue
        try:
            run, _ = runs.find(entry.id)
            if not problems.same_problem(run, now.run):
                continue
            if entry.state in ("queued", "running"):
                series.waiting[entry.id] = manifest.config
            elif entry.state == "failed" and manifest.config.layers == now.run.manifest.config.layers:
                series.failed.add(manifest.config.parameter_fraction)
            elif entry.state == "complete" and (share := _share(run, split)) is not None:
                series.complete.append(share)
        except InputError:
            continue
    return series


def _share(run: Run, split: str) -> Share | None:
    """A complete run as a point of the figure; None where it lacks the error that is drawn."""
    summary, config = run.summary, run.manifest.config
    base, refined = (getattr(errors, f"{split}_mse") for errors in (summary.base, summary.refined))
    if base is None or refined is None or not 0 < summary.n_params <= summary.n_params_total:
        return None
    return Share(
        fraction=config.parameter_fraction, layers=config.layers, of_all=summary.n_params / summary.n_params_total,
        rank=summary.rank, base=base, refined=refined, seconds=summary.seconds, run=run.id, made=run.manifest.created,
    )  # fmt: skip


@st.fragment(run_every=POLL_SECONDS)
def _watch(ids: list[str]) -> None:
    """One bar for all runs that are on their way; the page is drawn again when one of them ends."""
    jobs.keep_going()
    done = 0.0
    for run_id in ids:
        try:
            status = runs.find(run_id)[0].status()
        except InputError:
            st.rerun(scope="app")
        if status.status not in ("queued", "running"):
            st.rerun(scope="app")
        done += min(1.0, max(0.0, status.fraction))
    st.progress(done / len(ids), text=ranktexts.shares_waiting(len(ids)))


def _submit(now: Now, missing: list[float]) -> None:
    """Queue the missing shares once all of them are known to fit."""
    assert now.run is not None
    assert now.data is not None
    folder, config = now.run.problem_path, now.run.manifest.config
    n_params = round(now.data.summary.n_params / config.parameter_fraction)  # of the layers that may move
    configs = {share: config_for(config, share, n_params) for share in missing}
    problem, owner = now.run.manifest.problem, now.owner

    def submit() -> None:
        for wanted in configs.values():
            forecast = problems.forecast(folder, wanted)
            if not forecast.fits:
                raise InputError(forecast.sentence)
        for share, wanted in configs.items():
            jobs.submit(folder, wanted, owner, f"{problem}, {share:.0%} of the parameters")

    launch(submit, open_it=False)
