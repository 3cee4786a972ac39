"""Classifiers in bundles."""

from __future__ import annotations

from lsr_core.kinds.data.storing import DataStoring
from lsr_core.problems.classification import ClassificationProblem


class ClassStoring(DataStoring):
    """As any data."""

    problem_class = ClassificationProblem


KIND = ClassStoring()
