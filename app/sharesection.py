"""The part of the Rank page on the share of the parameters: the figure, and the runs that it lacks."""

from __future__ import annotations

import streamlit as st

from lsr_app import formats, services, show, texts
from lsr_app.controls import Now
from lsr_app.figures import shares as figures
from lsr_app.shares import DEFAULT_SHARES, Share, comparable, config_for, newest
from lsr_core.errors import InputError
from lsr_core.storage.runs import Run


def section(now: Now, mode: str) -> None:
    """Errors of the runs of this problem with other shares; missing ones can be queued."""
    assert now.run is not None
    assert now.data is not None
    show.section(texts.SHARES_TITLE, texts.SHARES_LEAD)
    split, word = now.data.headline_split
    waiting, found = _series(now, split)
    if len(found) > 1:
        show.figure("shares", figures.error_by_share(found, measure=f"{word} mean square error", mode=mode))
    else:
        st.caption(texts.SHARES_NONE)
    have = {share.fraction for share in found} | waiting
    missing = [share for share in DEFAULT_SHARES if share not in have]
    if waiting:
        st.caption(texts.shares_waiting(len(waiting)))
    if missing:
        named = ", ".join(f"{share:.0%}" for share in missing)
        if st.button(f"Refine with {named} of the parameters", key="shares_start", icon=":material/play_arrow:"):
            _submit(now, missing)


def _series(now: Now, split: str) -> tuple[set[float], list[Share]]:
    """Shares that are queued or at work, and those that are complete."""
    assert now.run is not None
    mine = now.run.manifest.config
    waiting: set[float] = set()
    found = []
    for entry in now.entries:
        manifest = entry.manifest
        if manifest.problem != now.run.manifest.problem or not comparable(manifest.config, mine):
            continue
        try:
            run, _ = services.find(entry.id)
            if not services.same_problem(run, now.run):
                continue
            if entry.state in ("queued", "running"):
                waiting.add(manifest.config.parameter_fraction)
            elif entry.state == "complete":
                found.append((manifest.created, _share(run, split)))
        except InputError:
            continue
    return waiting, newest(found)


def _share(run: Run, split: str) -> Share:
    summary = run.summary
    base, refined = (getattr(errors, f"{split}_mse") for errors in (summary.base, summary.refined))
    return Share(run.manifest.config.parameter_fraction, summary.rank, base, refined, summary.seconds, run.id)


def _submit(now: Now, missing: list[float]) -> None:
    assert now.run is not None
    assert now.data is not None
    config = now.run.manifest.config
    n_params = round(now.data.summary.n_params / config.parameter_fraction)  # of the layers that may move
    for share in missing:
        title = f"{now.run.manifest.problem}, {share:.0%} of the parameters"
        try:
            services.submit(now.run.problem_path, config_for(config, share, n_params), now.owner, title)
        except InputError as error:
            st.error(formats.markdown(str(error)), icon=":material/error:")
            return
        except OSError as error:
            st.error(formats.markdown(texts.cannot_write(error.strerror or "")), icon=":material/error:")
            return
    st.rerun(scope="app")
