"""The kinds of runs, and what pages and commands need to know of each; adding one is a line here and its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsr_core.storage.records import JobKind, Manifest

_LAB = "This run is an experiment around a trained network. The page Conditioning shows it."


@dataclass(frozen=True)
class RunKind:
    """A kind of run.

    Attributes:
        title: in lists and in the names of new runs.
        page: that shows it; empty where every page shows it in place of what the page is about.
        sentence: what it is, for the other pages.
        part: of its page, and what its words are called there.
        refines: its result is one refinement.
        experiment: it stands beside a refinement and has none as its result.
        of_step: it belongs to the step of one refinement, not to a problem.
        rounds: it is a refinement in rounds.
        keeps: it keeps a predictor however it ended, the best so far or what of it is there.
    """

    title: str
    page: str
    sentence: str = ""
    part: str = ""
    refines: bool = False
    experiment: bool = False
    of_step: bool = False
    rounds: bool = False
    keeps: bool = False


KINDS: dict[JobKind, RunKind] = {
    "refine": RunKind("refinement", "overview", refines=True),
    "iterate": RunKind(
        "iterative LSR", "frequencies", rounds=True, keeps=True,
        sentence="This run is iterative LSR: many solves, with the network following each. The page Frequencies shows it.",
    ),
    "race": RunKind("race", "conditioning", _LAB, "race", experiment=True),
    "plane": RunKind("loss plane", "conditioning", _LAB, "plane", experiment=True, of_step=True),
    "isolate": RunKind("isolation", "conditioning", _LAB, "isolation", experiment=True),
    "training": RunKind(
        "along the training", "training", part="training", experiment=True,
        sentence="This run refines every checkpoint of a training. The page Along the training shows it.",
    ),
    "cases": RunKind("many input functions", "", experiment=True),
    "solve": RunKind("solve from scratch", "", keeps=True),
}  # fmt: skip


def of(manifest: Manifest) -> RunKind:
    """The kind of a run."""
    return KINDS[manifest.kind]
