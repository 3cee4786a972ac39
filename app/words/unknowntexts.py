"""Words about unknown numbers and measured values."""

from __future__ import annotations

COLUMNS = ("Number", "Estimate", "Standard deviation", "Started from", "")
DATA_COLUMNS = ("name", "value", "std", "start", "said")
CAPTION = (
    "Numbers that the equation left open. The standard deviation is that of the linearised model of field and numbers together; about 95 % of "
    "intervals of two of them hold the true value, if equation and noise are as stated."
)
TRADE_OFF = ("Weight of the equation", "Misfit over noise", "Residual of the equation")
CHOSEN = "chosen"
TRADE_OFF_CAPTION = (
    "What other weights of the equation, over that of the problem, give. With a small weight the data bend the equation; with a large one "
    "what the network cannot do bends the numbers. Chosen is the largest that does not strain the equation."
)
