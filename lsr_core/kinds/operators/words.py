"""Words of operators learnt from data."""

from __future__ import annotations

from lsr_core.kinds.data.words import KIND as DATA
from lsr_core.problems.kinds import KindWords

KIND = KindWords(
    unused={**DATA.unused, "standardise": "the outputs are the values of one function, in one unit"},
    refused=DATA.refused,
)
