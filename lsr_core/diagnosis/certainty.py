"""How sure a verdict is: a word with its reason, from how far the deciding figure is beyond its threshold and from what was not tested."""

from __future__ import annotations

import math

from lsr_core.refinement.summary import Confidence


def confidence(margin: float, sure: float, doubt: str) -> tuple[Confidence, str]:
    """The word and the reason for it.

    Args:
        margin: how many times the deciding figure is beyond its threshold.
        sure: margin from which that is clear; likely from its square root.
        doubt: what was not tested and could change the verdict; empty where nothing could.
    """
    if doubt:
        return "uncertain", doubt
    if margin >= sure:
        return "clear", f"the deciding figure is {_times(margin)} beyond its threshold"
    if margin >= math.sqrt(sure):
        return "likely", f"the deciding figure is {_times(margin)} beyond its threshold"
    return "uncertain", f"the deciding figure is close to its threshold, {_times(margin)} beyond it"


def _times(margin: float) -> str:
    return "more than 1000 times" if margin > 1000 else f"{margin:.3g} times"
