"""Classifiers in bundles."""

from __future__ import annotations

from lsr_core.kinds.classes.problem import ClassificationProblem
from lsr_core.kinds.data.storing import DataStoring


class ClassStoring(DataStoring):
    """As any data."""

    problem_class = ClassificationProblem


KIND = ClassStoring()
