"""Every page shows a run of every kind of problem, or says in words why it does not."""

from __future__ import annotations

import shutil

import pytest
import torch

from lsr_core.jobs.queue import create
from lsr_core.jobs.worker import execute
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.networks import architectures
from lsr_core.problems.physics.equations import build
from lsr_core.problems.physics.problem import make_problem
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Architecture, Split
from lsr_core.refinement.config import RefineConfig
from lsr_core.storage.bundles import save_problem
from lsr_core.storage.records import JobKind
from lsr_core.storage.runs import Run, RunStore
from tests.app.conftest import SCRIPTS, Opener


def drawn(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def classifier() -> Problem:
    arguments = {"image": [1, 4, 4], "channels": [3], "hidden": 4, "classes": 3}
    splits = []
    for seed in (1, 2, 3):
        images = drawn(60, 1, 4, 4, seed=seed)
        splits.append(Split(images, one_hot(images.flatten(1)[:, :3].argmax(dim=1), 3)))
    model = architectures.build("cnn-classifier", arguments)
    return ClassificationProblem("tiny", model, *splits, architecture=Architecture("cnn-classifier", arguments))


def operator() -> Problem:
    arguments = {"sensors": 6, "width": 5, "depth": 2, "grid": {"points": 7}}
    splits = []
    for seed in (1, 2, 3):
        inputs = drawn(30, 6, seed=seed)
        splits.append(Split(inputs, inputs.cumsum(1)[:, [0, 1, 2, 3, 4, 5, 5]]))
    model = architectures.build("multionet", arguments)
    return OperatorProblem("tiny", model, *splits, architecture=Architecture("multionet", arguments))


def equation() -> Problem:
    arguments = {"branch": [10, 6, 5], "trunk": [1, 8, 5]}
    model = architectures.build("deeponet-field", arguments)
    described = build("antiderivative", {"n_interior": 50})
    return make_problem(described, model, architecture=Architecture("deeponet-field", arguments))


KINDS: dict[str, tuple[object, JobKind, dict[str, int]]] = {
    "classifier": (classifier, "refine", {}),
    "operator from data": (operator, "refine", {}),
    "operator from an equation": (equation, "refine", {}),
    "many input functions": (equation, "cases", {"cases": 2}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("kinds")
    runs = {}
    for name, (make, kind, settings) in KINDS.items():
        bundle = save_problem(folder / name, make())  # type: ignore[operator]
        store = RunStore(folder / "runs")
        run = create(store, bundle, RefineConfig(max_rank=15), owner="tests", kind=kind, settings=settings)  # type: ignore[arg-type]
        execute(run)
        runs[name] = run
    return runs


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("page", SCRIPTS)
def test_no_page_fails_on_any_kind(
    page: str, name: str, made: dict[str, Run], open_page: Opener, store: RunStore
) -> None:
    run = made[name]
    shutil.copytree(run.path, store.root / run.id)
    app = open_page(page, run=run.id)
    assert not app.exception
    assert [error.value for error in app.error] == []
