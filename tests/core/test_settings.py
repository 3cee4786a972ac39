"""Every job and every setting: used, which its result shows, or refused with the reason."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lsr_core.diagnosis.along_training import along_training
from lsr_core.errors import InputError
from lsr_core.iteration.config import IterateConfig
from lsr_core.iteration.loop import Iteration
from lsr_core.jobs.queue import create
from lsr_core.kinds.classes.problem import ClassificationProblem, one_hot
from lsr_core.kinds.operators import OperatorProblem
from lsr_core.lab.isolation import IsolationSettings, isolate
from lsr_core.lab.race import RaceSettings, race
from lsr_core.problems.kinds import HOMES, words_of
from lsr_core.problems.physics.problem import PhysicsProblem
from lsr_core.problems.problem import Problem
from lsr_core.problems.splits import Split
from lsr_core.refinement.cases import CasesSettings, refine_cases
from lsr_core.refinement.config import RefineConfig, published_settings
from lsr_core.refinement.progress import silent
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from lsr_core.refinement.uses import JOBS, ROUTES, Job, only_used, refuse_unused
from lsr_core.storage.runs import RunStore
from tests import bundles
from tests.core import twins
from tests.core.test_cases import field
from tests.core.test_iteration import Notes, poisson
from tests.core.test_physics import make

OTHER: dict[str, Any] = {
    "rank": 2, "max_rank": 5, "oversampling": 3, "power_iterations": 1, "rcond": 0.4, "damping": 0.1, "dtype": "float32",
    "device": "cuda:99", "seed": 1, "source": "residuals", "scaling": "singular-values", "strategy": "matrix-free",
    "sketch": "uniform", "sketch_dtype": "float32", "basis_points": 9, "parameter_fraction": 0.9, "published": 4,
    "gauss_newton": 2, "linearised": "probabilities", "layers": "0.*", "memory_budget": 1000, "regularise": "gcv",
    "standardise": "yes", "bands": "conformal", "prior": "weights",
}  # fmt: skip
BESIDE: dict[str, dict[str, Any]] = {
    key: {"regularise": "gcv"} for key in ("bands", "prior")
}  # settings without which one is refused
NO_RESULTS = {"seconds", "timings", "peak_rss_bytes", "shared_seconds", "seconds_per_case"}
NO_RESULTS |= {"seed", "dtype", "device", "rcond"}  # settings that are repeated beside the results


def test_every_setting_has_another_value_here() -> None:
    assert set(OTHER) == set(RefineConfig.model_fields)


@functools.cache
def problem(kind: str) -> Problem:
    if kind == "supervised":
        return twins.problem(twins.network(2, 8, 8, 1))
    if kind == "narrow":
        return twins.problem(twins.network(2, 4, 1))
    if kind == "classification":
        splits = []
        for seed in (1, 2, 3):
            inputs = twins.data(40, seed=seed).inputs
            splits.append(Split(inputs, one_hot((3 * (inputs[:, 0] + 1) / 2).long().clamp(max=2), 3)))
        return ClassificationProblem("bands", twins.network(2, 9, 3), *splits)
    if kind == "operator":
        return OperatorProblem(
            "map", twins.network(2, 8, 6, 3), *(twins.data(30, 2, 3, seed=seed) for seed in (1, 2, 3))
        )
    return make(twins.network(2, 6, 5, 2))


@functools.cache
def operator() -> PhysicsProblem:
    from lsr_core.problems.physics.equations import build
    from lsr_core.problems.physics.input_functions import sensor_values
    from lsr_core.problems.physics.problem import make_problem
    from lsr_core.problems.splits import Architecture
    from tests.core.test_cases import ARGUMENTS

    equation = build("antiderivative", {"n_interior": 40, "input": {"length": 0.4}})
    model = field()
    assert equation.given is not None
    model.sensors.copy_(sensor_values(equation.given, 10)[None])
    return make_problem(equation, model, architecture=Architecture("deeponet-field", ARGUMENTS))


def figures(found: Refinement) -> list[Any]:
    """Everything that a refinement leaves behind but times."""
    arrays = [*vars(found.sweep).values(), *vars(found.spectrum).values(), found.delta]
    return [found.summary.model_dump(mode="json", exclude=NO_RESULTS), *(np.asarray(part).tolist() for part in arrays)]


def results_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: results_of(part) for key, part in value.items() if key not in NO_RESULTS}
    return [results_of(part) for part in value] if isinstance(value, list) else value


def refined(kind: str, **given: Any) -> Callable[[RefineConfig], Any]:
    return lambda config: figures(refine(problem(kind), config))


def iterated(config: RefineConfig) -> Any:
    book = Notes()
    rounds = IterateConfig.model_validate({"steps": 1, "align_steps": 2, "baselines": False, "optimiser": "adam"})
    Iteration(poisson(), rounds, config, book).run()
    return [step.model_dump(mode="json") for step in book.steps]


Context = tuple[Job, str, Callable[[RefineConfig], Any], dict[str, Any]]
CONTEXTS: dict[str, Context] = {
    "data": ("refine", "supervised", refined("supervised"), {"max_rank": 6}),
    "data, factored": ("refine", "supervised", refined("supervised"), {"max_rank": 6, "strategy": "factored"}),
    "data, published": ("refine", "supervised", refined("supervised"), {**published_settings(2), "max_rank": 6}),
    "data, published 3": ("refine", "supervised", refined("supervised"), {**published_settings(3), "max_rank": 6}),
    "functions": ("refine", "operator", refined("operator"), {"max_rank": 6}),
    "classes": ("refine", "classification", refined("classification"), {"max_rank": 6}),
    "equation": ("refine", "physics", refined("physics"), {"max_rank": 12}),
    "equation, whole space": ("refine", "physics", refined("physics"), {}),
    "equation, factored": ("refine", "physics", refined("physics"), {"max_rank": 12, "strategy": "factored"}),
    "equation, Gauss-Newton": ("refine", "physics", refined("physics"), {"max_rank": 12, "gauss_newton": 1}),
    "along training": (
        "training", "supervised",
        lambda config: along_training([1], lambda epoch: problem("supervised"), config, progress=silent).model_dump(mode="json"),
        {"max_rank": 6},
    ),
    "isolation": (
        "isolate", "supervised",
        lambda config: isolate(problem("supervised"), config, IsolationSettings(iterations=1), progress=silent).model_dump(mode="json"),
        {"max_rank": 6},
    ),
    "race": (
        "race", "supervised",
        lambda config: race(problem("supervised"), config, RaceSettings(iterations=2, dtype="float64"), progress=silent).model_dump(mode="json"),
        {"max_rank": 6},
    ),
    "race of classes": (
        "race", "classification",
        lambda config: race(problem("classification"), config, RaceSettings(iterations=2, dtype="float64"), progress=silent).model_dump(mode="json"),
        {"max_rank": 6},
    ),
    "race in all parameters": (
        "race-full", "supervised",
        lambda config: race(
            problem("narrow"), config, RaceSettings(space="full", iterations=2, dtype="float64"), progress=silent
        ).model_dump(mode="json"),
        {},
    ),
    "iteration": ("iterate", "physics", iterated, {"max_rank": 12}),
    "many input functions": (
        "cases", "physics",
        lambda config: refine_cases(operator(), config, CasesSettings(cases=1), progress=silent).model_dump(mode="json"),
        {"max_rank": 12},
    ),
}  # fmt: skip
NO_EFFECT_TO_SEE = {
    ("race in all parameters", "seed"): "all parameters are taken, none at random",
    ("equation, whole space", "seed"): "the same; what it draws are the places where the route is proved",
    ("data, published", "rcond"): "its columns are orthogonal to rounding, and 0 is in the preset for single precision",
    ("data, published 3", "rcond"): "the same",
}


@pytest.fixture(scope="module")
def usual() -> Callable[[str], str]:
    @functools.cache
    def of(name: str) -> str:
        _, _, work, settings = CONTEXTS[name]
        return json.dumps(results_of(work(RefineConfig.model_validate(settings))))

    return of


@pytest.mark.parametrize("setting", list(OTHER))
@pytest.mark.parametrize("name", list(CONTEXTS))
def test_used_or_refused(name: str, setting: str, usual: Callable[[str], str]) -> None:
    _, _, work, settings = CONTEXTS[name]
    if settings.get(setting) == OTHER[setting]:
        pytest.skip("is what this one has already")
    config = RefineConfig.model_validate({**settings, setting: OTHER[setting]})
    try:
        found = json.dumps(results_of(work(config)))
    except InputError as error:
        if error.key not in {setting, "strategy", "damping"}:
            raise
        return
    if (name, setting) not in NO_EFFECT_TO_SEE:
        assert found != usual(name), "has no effect and is not refused"


@pytest.mark.parametrize("job", list(JOBS))
@pytest.mark.parametrize("kind", list(HOMES))
def test_reasons_are_sentences_and_settings_can_be_carried_over(job: Job, kind: Any) -> None:
    """What one job leaves to another holds nothing that the other would refuse."""
    for name in RefineConfig.model_fields:
        config = RefineConfig.model_validate({name: OTHER[name], **BESIDE.get(name, {})})
        refuse_unused(only_used(config, job, kind), job, kind)
        if name in {*words_of(kind).unused, *JOBS[job].unused}:
            with pytest.raises(InputError, match=r"but .*; leave it at") as refused:
                refuse_unused(config, job, kind)
            assert refused.value.key in {name, *BESIDE.get(name, ())}
        else:
            assert only_used(config, job, kind) == config


def test_tables_name_settings_that_there_are() -> None:
    kinds = {kind: words_of(kind).unused for kind in HOMES}
    for table in (kinds, {name: job.unused for name, job in JOBS.items()}, ROUTES):
        assert {name for reasons in table.values() for name in reasons} <= set(RefineConfig.model_fields)


@pytest.mark.parametrize(
    ("kind", "settings", "config", "key"),
    [
        ("refine", {}, {"gauss_newton": 2}, "gauss_newton"),
        ("race", {"space": "full"}, {"max_rank": 5}, "max_rank"),
        ("race", {}, {"damping": 0.1}, "damping"),
        ("isolate", {}, {"rank": 3}, "rank"),
        ("iterate", {}, {"rank": "knee"}, "rank"),
        ("cases", {}, {"source": "residuals"}, "source"),
    ],
)
def test_no_run_is_made_of_what_is_refused(
    kind: Any, settings: dict[str, Any], config: dict[str, Any], key: str, tmp_path: Path
) -> None:
    bundles.write(tmp_path / "bundle")
    with pytest.raises(InputError) as refused:
        create(
            RunStore(tmp_path / "runs"), tmp_path / "bundle", RefineConfig.model_validate(config), owner="me", kind=kind, settings=settings,
        )  # fmt: skip
    assert refused.value.key == key
    assert not list(RunStore(tmp_path / "runs").list())


def test_combinations_of_which_one_would_be_ignored() -> None:
    for given, key in (
        ({"gauss_newton": 2, "damping": 0.1}, "damping"),
        ({**published_settings(3), "oversampling": 4}, "oversampling"),
        ({"bands": "conformal"}, "bands"),
        ({"prior": "weights"}, "prior"),
    ):
        config = RefineConfig.model_validate(given)
        with pytest.raises(InputError) as refused:
            refuse_unused(config, "refine", "physics" if key == "damping" else "supervised")
        assert refused.value.key == key


def test_the_rank_of_many_input_functions_is_a_rank_that_they_share() -> None:
    for given, key in (
        ({"rank": 30, "max_rank": 20}, "rank"),
        ({"max_rank": 0}, "max_rank"),
        ({"rank": 10_000}, "rank"),
    ):
        with pytest.raises(InputError) as refused:
            refine_cases(operator(), RefineConfig.model_validate(given), CasesSettings(cases=1), progress=silent)
        assert refused.value.key == key
