"""Which pages the open run cannot fill, and why. The list of pages greys them; each still opens, and leads to a run that can fill it."""

from __future__ import annotations

from collections.abc import Callable

from lsr_app.reading import runkinds
from lsr_app.services import problems, results
from lsr_app.shell.controls import Now
from lsr_app.shell.pages import Need, Screen
from lsr_app.words import fillingtexts, texts


def reason(now: Now, screen: Screen) -> str:
    """One or two sentences; empty where the page can show something, now or once the run has ended."""
    if now.run is None or screen.needs is None or (now.status != "complete" and now.kind.refines):
        return ""
    return _CHECKS[screen.needs](now)


def _refinement(now: Now) -> str:
    kind = now.kind
    if kind.refines:
        return ""
    return kind.sentence or fillingtexts.on_overview(kind.title)


def _spectrum(now: Now) -> str:
    if now.kind.rounds or (why := _refinement(now)):
        return "" if now.kind.rounds else why
    if now.run is None or now.data is None:
        return ""
    if not now.data.has_reference:
        return texts.NO_REFERENCE
    return "" if results.has_spectrum(now.run, now.data) else fillingtexts.NO_GRID


def _experiments(now: Now) -> str:
    kind = now.kind
    return "" if kind.experiment and kind.page else _refinement(now)


def _checkpoints(now: Now) -> str:
    if why := _experiments(now):
        return why
    assert now.run is not None
    kept = any(
        runkinds.of(entry.manifest).page == "training" and entry.manifest.problem == now.run.manifest.problem
        for entry in now.entries
    )
    return "" if kept or problems.with_checkpoints(now.run) is not None else fillingtexts.NO_CHECKPOINTS


_CHECKS: dict[Need, Callable[[Now], str]] = {
    "refinement": _refinement,
    "spectrum": _spectrum,
    "experiments": _experiments,
    "checkpoints": _checkpoints,
}
