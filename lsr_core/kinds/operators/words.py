"""Words of operators learnt from data."""

from __future__ import annotations

from lsr_core.kinds.data.words import ALREADY_LINEAR, NO_CLASSES, NO_NEW_POINTS
from lsr_core.problems.kinds import KindWords

KIND = KindWords(unused=ALREADY_LINEAR | NO_CLASSES, refused=NO_NEW_POINTS)
