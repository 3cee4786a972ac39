"""Operators learnt from data in bundles."""

from __future__ import annotations

from lsr_core.kinds.data.storing import DataStoring
from lsr_core.kinds.operators.problem import OperatorProblem


class OperatorStoring(DataStoring):
    """As any data."""

    problem_class = OperatorProblem


KIND = OperatorStoring()
