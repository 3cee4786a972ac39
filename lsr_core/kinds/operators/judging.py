"""What a verdict on an operator learnt from data is made from: what one on any data is."""

from __future__ import annotations

from lsr_core.kinds.data.judging import KIND

__all__ = ["KIND"]
