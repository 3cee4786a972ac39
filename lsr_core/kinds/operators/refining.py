"""How operators learnt from data are refined."""

from __future__ import annotations

from lsr_core.kinds.data.refining import DataRefining
from lsr_core.kinds.operators.evaluation import OperatorEvaluation


class OperatorRefining(DataRefining):
    """As any data, measured function by function."""

    evaluation = OperatorEvaluation


KIND = OperatorRefining()
