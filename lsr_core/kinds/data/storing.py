"""Problems fitted to data in bundles: every row is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, cast

from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.problems.problem import Problem
from lsr_core.storage.bundle_schema import ProblemDescription
from lsr_core.storage.data import arrays_of, read_splits
from lsr_core.storage.fit import check_fit
from lsr_core.storage.kinds import Arrays, Storing


class DataStoring(Storing[SupervisedProblem]):
    """What other kinds of data share."""

    problem_class: ClassVar[type[SupervisedProblem]] = SupervisedProblem

    def read(self, description: ProblemDescription, common: dict[str, Any], data: Path) -> SupervisedProblem:
        splits = read_splits(data)
        check_fit(common["model"], splits["train"], description)
        return self.problem_class(**(common | splits))

    def read_made(
        self, description: ProblemDescription, made: Problem | None, common: dict[str, Any], data: Path
    ) -> SupervisedProblem:
        fields = common | read_splits(data, integers=True)
        return self.problem_class(**fields) if made is None else cast(SupervisedProblem, made.changed(**fields))

    def arrays(self, problem: SupervisedProblem) -> Arrays:
        return arrays_of(problem.splits())


KIND = DataStoring()
