"""A training as the page tells it: its verdicts, put together where they agree; knows no streamlit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lsr_core.diagnosis.training_records import CheckpointRecord
from lsr_core.refinement.summary import Verdict

SURENESS = ("uncertain", "likely", "clear")


def verdicts(checkpoints: Sequence[CheckpointRecord]) -> list[tuple[str, Verdict]]:
    """Stretches of the training of which the same is said: their epochs, and the least certain verdict among them."""
    found = []
    for _, members in groupby(checkpoints, key=lambda one: (one.verdict.limit, one.verdict.sentence)):
        stretch = list(members)
        first, last = stretch[0].epoch, stretch[-1].epoch
        words = f"Epoch {first:,}" if first == last else f"Epochs {first:,} to {last:,}"
        found.append(
            (words, min((one.verdict for one in stretch), key=lambda verdict: SURENESS.index(verdict.confidence)))
        )
    return found


def smallest(checkpoints: Sequence[CheckpointRecord]) -> CheckpointRecord | None:
    """The checkpoint with the smallest refined error; None where no error is known."""
    known = [one for one in checkpoints if one.refined_error is not None]
    return min(known, key=lambda one: one.refined_error or 0.0) if known else None
