"""Refinements of random small networks against their dense twins: `make fuzz`, or

    python -m tests.fuzz.refinements [--count 2000] [--seed 0] [--seconds 900] [--case N ...]

Prints what is wrong with the simplest variant that shows it, and one line of JSON at the end.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from lsr_core.errors import InputError, NumericalError
from lsr_core.kinds.data.problem import SupervisedProblem
from lsr_core.networks import strategies
from lsr_core.refinement.config import published_settings
from lsr_core.refinement.refine import refine
from lsr_core.refinement.refined import Refinement
from tests.fuzz.cases import Case, Data, draw_case, shrunk
from tests.fuzz.judge import Judgement, judge
from tests.fuzz.networks import Network, train_a_little
from tests.fuzz.twin import DOUBLE, SINGLE, Twin, make_twin, rows_of

FAILURES = ("wrong", "crash", "foreign words")
NOT_OURS = re.compile(
    r"aten::|functorch|vmap|jvp|torch\.func|functional_call|mat1|Expected all tensors|grad_fn|does not require grad|Traceback"
    r"|Trying to use|variables needed for gradient|derivative formula|Legacy autograd|object has no attribute"
)


@dataclass
class Outcome:
    """right, wrong, refused, needless (refused though nothing in it gives a reason), foreign words (in a refusal) or crash."""

    kind: str
    words: str = ""
    judgement: Judgement | None = None


def run(case: Case) -> Outcome:
    """One case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = case.network.build()
        problem = case.problem(model)
        train_a_little(case.network, model)
        before = [value.clone() for split in problem.splits().values() for value in split]
        state = {name: value.clone() for name, value in model.state_dict().items()}
        try:
            result = _refined(case, problem)
        except (InputError, NumericalError) as error:
            return _refusal(case, str(error), model, problem)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in place if "lsr_core" in frame.filename]
            where = f"{own[-1].filename.rsplit('/', 1)[-1]}:{own[-1].lineno}" if own else "the network itself"
            return Outcome("crash", f"{type(error).__name__} at {where}: {str(error)[:160]}")
        coarse = case.network.is_coarse or case.settings.get("dtype") == "float32" or "published" in case.settings
        twin = _twin(case.network, case.data, SINGLE if coarse else DOUBLE)
        judgement = judge(case, problem, result, twin)
        after = [value for split in problem.splits().values() for value in split]
        judgement.require("the data were changed", all(map(torch.equal, before, after)))
        judgement.require("the network was changed", _same(state, model.state_dict()))
        kind = "wrong" if judgement.wrong else "right"
        return Outcome(kind, "; ".join(judgement.wrong[:3]), judgement)


@lru_cache(maxsize=2)
def _twin(network: Network, data: Data, rounding: float) -> Twin:
    """The twin, once for several settings."""
    untouched = Case(network, data).problem(network.build())
    return make_twin(network.build(), network.build(), untouched, rounding)


def _refined(case: Case, problem) -> Refinement:  # type: ignore[no-untyped-def]
    settings = dict(case.settings)
    if "published" in settings:
        settings = {**settings, **published_settings(int(str(settings["published"])))}
    with as_if_large() if case.large else nullcontext():
        return refine(problem, progress=lambda *_: None, **settings)


@contextmanager
def as_if_large() -> Iterator[None]:
    """The choice of a route as for a problem whose Jacobian rows are too many."""
    small, strategies.SMALL = strategies.SMALL, 0.0
    try:
        yield
    finally:
        strategies.SMALL = small


def _refusal(case: Case, words: str, model: torch.nn.Module, problem: SupervisedProblem) -> Outcome:
    if NOT_OURS.search(words):
        return Outcome("foreign words", words)
    if "are exactly zero" in words:  # a reason of the network's own, where it is true
        if case.settings.get("parameter_fraction", 1.0) != 1.0 or case.settings.get("layers"):
            return Outcome(
                "refused", words
            )  # of those parameters that take part, which this file does not choose again
        x, y = problem.train
        x = x.to(next(model.parameters()).real.dtype) if x.is_floating_point() else x
        moved = bool((rows_of(model, x, y).jacobian != 0).any())
        return Outcome("wrong" if moved else "refused", words)
    return Outcome("needless" if case.is_plain else "refused", words)


def _same(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> bool:
    """Equal but for counters of calls, which a network may keep."""
    return all(torch.equal(value, after[name]) for name, value in before.items() if not name.endswith("calls"))


def sort_of(outcome: Outcome) -> str:
    """The kind of a failure with the beginning of what is said about it, without figures: what two failures may have in common."""
    return outcome.kind + ": " + re.sub(r"[\d.,]+(e[+-]?\d+)?", "#", outcome.words)[:60]


def simplest(case: Case, outcome: Outcome) -> Case:
    """The simplest variant with the same sort of failure."""
    return shrunk(case, lambda variant: sort_of(run(variant)) == sort_of(outcome))


def cases(seeds: Iterable[int]) -> Iterator[tuple[int, int, Case]]:
    """How many networks there were, the seed, and two refinements of each: one with its settings, one by another route."""
    for count, seed in enumerate(seeds, 1):
        case = draw_case(seed)
        yield count, seed, case
        other = {"auto": "factored", "factored": "auto", "row-blocks": "factored"}
        route = other.get(str(case.settings.get("strategy")), "row-blocks")
        yield count, seed, replace(case, settings={**case.settings, "strategy": route}, large=route == "auto")


def main() -> int:
    """1 if an answer is wrong, or an exception or words come through that are not this project's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="networks")
    parser.add_argument("--seed", type=int, default=0, help="of the first")
    parser.add_argument("--seconds", type=float, default=900, help="stop after")
    parser.add_argument("--show", type=int, default=1, help="failures of each sort that are shrunk and printed")
    parser.add_argument("--only", type=int, nargs="*", help="these seeds")
    parser.add_argument("--all", action="store_true", help="print every outcome that is not right")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started, kinds, failed = time.monotonic(), Counter(), {}
    worst, strain, loose, compared, networks = 0.0, 0.0, 0, 0, 0
    sorts: Counter[str] = Counter()
    seeds = options.only or range(options.seed, options.seed + options.count)
    for number, seed, case in cases(seeds):
        if time.monotonic() - started > options.seconds:
            break
        outcome, networks = run(case), number
        kinds[outcome.kind] += 1
        if outcome.judgement is not None:
            compared, loose = compared + outcome.judgement.count, loose + outcome.judgement.loose
            if outcome.kind == "right":
                worst, strain = max(worst, outcome.judgement.worst), max(strain, outcome.judgement.strain)
        if outcome.kind in FAILURES:
            failed.setdefault(outcome.kind, []).append(seed)
            sorts[sort_of(outcome)] += 1
        if outcome.kind in FAILURES and sorts[sort_of(outcome)] <= options.show:
            least = simplest(case, outcome)
            print(f"{outcome.kind} {seed}, at its simplest:\n{least!r}\n{least}\n  {run(least).words}\n", flush=True)
        elif options.all and outcome.kind != "right":
            print(f"{outcome.kind} {seed} {case}\n  {outcome.words}", flush=True)
    line = {
        "networks": networks,
        "refinements": sum(kinds.values()),
        "outcomes": dict(kinds),
        "worst_difference": worst,
        "worst_of_tolerance": strain,
        "compared": compared,
        "too_loose": loose,
        "sorts": dict(sorts.most_common(40)),
        "failing_seeds": {kind: sorted(set(seeds))[:50] for kind, seeds in failed.items()},
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(line))
    return 1 if any(kinds[kind] for kind in FAILURES) else 0


if __name__ == "__main__":
    sys.exit(main())
