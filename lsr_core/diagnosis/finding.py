"""What a rule of a verdict concludes."""

from __future__ import annotations

from dataclasses import dataclass

from lsr_core.refinement.summary import Evidence, Limit


@dataclass(frozen=True)
class Finding:
    """What a rule concludes.

    Attributes:
        margin: how many times the deciding figure is beyond its threshold.
        sure: margin from which that is clear.
        doubt: what was not tested and could change it; empty where nothing could.
        advice: where it differs from that of the limit.
        use: whether that is to use the refined predictor.
    """

    limit: Limit
    evidence: list[Evidence]
    margin: float
    sure: float = 3.0
    doubt: str = ""
    advice: str = ""
    use: bool = False
