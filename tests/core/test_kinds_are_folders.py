"""What a kind of problem is stands in its folder: the rest of the engine neither looks at classes nor compares names of kinds."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
import torch

import lsr_core
from lsr_core.diagnosis.evidence import figures
from lsr_core.diagnosis.kinds import Judging
from lsr_core.errors import InputError
from lsr_core.kinds.data import judging
from lsr_core.kinds.data.evaluation import SupervisedEvaluation
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.kinds.data.refining import DataRefining
from lsr_core.lab.isolation import isolate
from lsr_core.problems.kinds import HOMES, KindWords, ProblemKind, part, words_of
from lsr_core.problems.splits import Split
from lsr_core.refinement.evaluation import Verified
from lsr_core.refinement.kinds import Refining
from lsr_core.refinement.predictor import RefinedPredictor
from lsr_core.refinement.refine import refine
from lsr_core.refinement.results import Sweep
from lsr_core.refinement.uses import JOBS
from lsr_core.storage.kinds import Storing, problem_classes

ROOT = Path(lsr_core.__file__).parent
APP = ROOT.parent / "app"
OWN = ("Problem", "Setting")  # how the names of those classes end
OTHER_KINDS = {
    "lsr_core/iteration/config.py",
    "lsr_core/iteration/alignment.py",
}  # an alignment may be supervised, whatever the problem


def asked(source: str) -> list[str]:
    """What a file asks of a problem that only its kind should know."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("isinstance", "issubclass")
        ):
            if any(name.endswith(OWN) for name in _names(node.args[1])):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            literal = any(
                isinstance(each, ast.Constant) and each.value in HOMES for side in sides for each in ast.walk(side)
            )
            typed = any(_is_type_call(side) for side in sides) and any(
                name.endswith(OWN) for side in sides for name in _names(side)
            )
            if literal or typed:
                found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant) and node.value.value in HOMES:
            found.append(f"{node.value.lineno}: match {node.value.value}")
    return found


def _names(node: ast.AST) -> list[str]:
    return [
        each.id if isinstance(each, ast.Name) else each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Name | ast.Attribute)
    ]


def _is_type_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def test_no_file_outside_the_folders_asks_which_kind_a_problem_is() -> None:
    files = [path for home in (ROOT, APP) for path in home.rglob("*.py") if (ROOT / "kinds") not in path.parents]
    assert len(files) > 100
    found = {
        place: lines
        for path in files
        if (place := path.relative_to(ROOT.parent).as_posix()) not in OTHER_KINDS
        and (lines := asked(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "isinstance(problem, PhysicsProblem)",
        "isinstance(problem, module.ClassificationProblem | OperatorProblem)",
        "assert isinstance(ready, (Setting, PhysicsSetting))",
        'if kind == "physics": pass',
        'if problem.kind in ("supervised", "operator"): pass',
        "type(problem) is SupervisedProblem",
        'match kind:\n    case "operator": pass',
    ],
)
def test_each_way_of_asking_is_seen(source: str) -> None:
    assert len(asked(source)) == 1


@pytest.mark.parametrize("kind", list(HOMES))
def test_a_kind_answers_every_room(kind: str) -> None:
    assert isinstance(part(kind, "refining"), Refining)
    assert isinstance(part(kind, "judging"), Judging)
    assert isinstance(part(kind, "storing"), Storing)
    assert part(kind, "storing").problem_class.kind == kind
    assert set(words_of(kind).refused) <= set(JOBS)


def test_a_file_of_a_kind_that_cannot_be_loaded_is_not_taken_for_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "judging.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(HOMES, "lacking", "lacking")
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        part("lacking", "judging")


def test_what_not_even_data_answer_is_missing() -> None:
    with pytest.raises(ModuleNotFoundError, match="singing"):
        part("classification", "singing")


def test_kinds_have_problems_of_their_own() -> None:
    classes = problem_classes()
    assert len(set(classes)) == len(HOMES)
    assert {each.kind for each in classes} == set(HOMES)


@dataclass(frozen=True, eq=False)
class Halved(SupervisedProblem):
    """A kind that nobody knows: data whose test errors are told as half of what they are."""

    kind: ClassVar[ProblemKind] = "halved"


class HalvedEvaluation(SupervisedEvaluation):
    def verified(self, predictor: RefinedPredictor, sweep: Sweep, rank: int) -> Verified:
        found = super().verified(predictor, sweep, rank)
        assert found.base.test_mse is not None
        return replace(found, base=found.base.model_copy(update={"test_mse": found.base.test_mse / 2}))


class HalvedRefining(DataRefining):
    evaluation = HalvedEvaluation


def test_a_kind_that_is_new_is_a_file_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refined and refused what it refuses, judged as data are because it says nothing about that; no other file knows it."""
    answers = {"refining": HalvedRefining(), "words": KindWords(refused={"isolate": "it is halved"})}
    file = ModuleType("elsewhere")
    vars(file).update(answers)
    monkeypatch.setitem(sys.modules, "elsewhere", file)
    monkeypatch.setitem(HOMES, "halved", "elsewhere")
    model = torch.nn.Sequential(torch.nn.Linear(1, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double().eval()
    x = torch.linspace(-1, 1, 30, dtype=torch.float64)[:, None]
    parts = [Split(x + shift, torch.sin(3 * (x + shift))) for shift in (0.0, 0.01, 0.02)]
    found, usual = refine(Halved("new", model, *parts)), refine(SupervisedProblem("old", model, *parts))
    assert part("halved", "judging") is judging.KIND
    assert usual.summary.base.test_mse is not None
    assert found.summary.base.test_mse == pytest.approx(usual.summary.base.test_mse / 2)
    assert found.summary.refined == usual.summary.refined
    assert figures(found).fitted == figures(usual).fitted
    with pytest.raises(InputError, match="it is halved"):
        isolate(Halved("new", model, *parts))
