"""What pages and commands say around a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsr_core.refinement.summary import Verdict

SIGNATURES = {
    "degradation": "degradation (the error on samples held out rises again towards the largest rank)",
    "divergence on update": "divergence on update (the network with the step in its weights is worse; the refined predictor is another)",
    "zero correction": "zero correction (no rank lowers the residual)",
}


def confidence(found: Verdict) -> str:
    """How sure a verdict is, and why."""
    return f"{found.confidence}: {found.because}" if found.because else found.confidence


def of_rank(found: Verdict, shown: int) -> str:
    """Which rank a verdict is about, where another one is looked at; empty where they agree or an old run does not say."""
    if found.rank is None or found.rank == shown:
        return ""
    return f"This verdict is about rank {found.rank:,}, which the run reports; rank {shown:,} is shown."


def untested(found: Verdict) -> str:
    """What a verdict knows nothing of; empty where there is nothing."""
    return f"Not tested: {'; '.join(found.untested)}." if found.untested else ""


def signatures(found: Verdict) -> str:
    """The failure signatures of the paper that a run shows; no failure of the predictor where the advice is to use it. Empty without any."""
    seen = "; ".join(SIGNATURES.get(name, name) for name in found.signatures)
    head = (
        "Also seen here, by the name the publication gives it"
        if found.use
        else "Published failure signatures seen here"
    )
    return f"{head}: {seen}." if seen else ""
