"""The kinds of jobs, and which settings each uses. What it does not use is refused, so that no run records a setting that had no effect.

Everything that is not named here is used; tests/core/test_settings.py shows the effect of each. A reason completes the sentence
"is VALUE, but …; leave it at DEFAULT".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lsr_core.errors import InputError
from lsr_core.problems.kinds import ProblemKind, words_of
from lsr_core.refinement.config import RefineConfig

Job = str  # a key of `JOBS`
Route = Literal["published", "sketch", "factored", "equation-sketch", "equation-factored", "equation-whole"]

_ALL_DIRECTIONS = {"rank": "all directions up to the maximum rank are used"}
_NO_SUBSPACE = dict.fromkeys(
    ("max_rank", "oversampling", "power_iterations", "sketch", "sketch_dtype", "basis_points", "source"),
    "all parameters are used and no subspace is built",
)
_NO_SOLVE = dict.fromkeys(
    ("rcond", "damping", "regularise", "prior", "bands", "published"),
    "the methods of a race meet the problem as it is, neither cut nor damped",
) | {
    "dtype": "a race has a precision of its own for each method",
    "scaling": "a race has coordinates of its own, and starts from orthonormal ones",
    "gauss_newton": "a race runs on the problem that was made linear once",
}
_NO_SPECTRUM = {"source": "it only scales the spectrum that is shown for data, and none is shown here"}
_SMOOTHED_ALONE = {
    "regularise": "the strength is chosen in a refinement alone; take the value that one found as damping",
    "prior": "a refinement alone is smoothed",
    "bands": "there are standard deviations in a refinement alone",
}
_OF_SMOOTHING = ("prior", "bands")
_STEP_OF_A_RUN = "a plane takes the step of a refinement as that left it"


@dataclass(frozen=True)
class JobEntry:
    """A kind of job.

    Attributes:
        module: of `lsr_core.jobs`, whose `work` does it; empty for a variant of another job, and for a search that leaves no run.
        unused: settings that it has no use for, and why.
    """

    module: str
    unused: Mapping[str, str] = field(default_factory=dict)


JOBS: dict[Job, JobEntry] = {
    "refine": JobEntry("refining"),
    "training": JobEntry(
        "along", {"scaling": "no figure along a training depends on the lengths of the basis columns"} | _SMOOTHED_ALONE
    ),
    "isolate": JobEntry("isolating", _ALL_DIRECTIONS | _NO_SPECTRUM | _SMOOTHED_ALONE),
    "race": JobEntry("racing", _ALL_DIRECTIONS | _NO_SOLVE | _NO_SPECTRUM),
    "race-full": JobEntry(
        "",
        _ALL_DIRECTIONS
        | _NO_SOLVE
        | _NO_SUBSPACE
        | {"memory_budget": "products with the whole Jacobian are made without a plan for the memory"},
    ),
    "plane": JobEntry(
        "planing",
        dict.fromkeys(
            set(RefineConfig.model_fields)
            - {"dtype", "device", "seed", "strategy", "memory_budget", "linearised", "standardise"},
            _STEP_OF_A_RUN,
        ),
    ),
    "iterate": JobEntry(
        "iterating",
        {"gauss_newton": "an iteration solves once a round and lets the network follow"} | _SMOOTHED_ALONE,
    ),
    "solve": JobEntry(
        "solving",
        dict.fromkeys(
            set(RefineConfig.model_fields) - {"seed"},
            "a solve from scratch makes networks and spaces of its own, with settings of its own",
        ),
    ),
    "scales": JobEntry(
        "",
        dict.fromkeys(
            set(RefineConfig.model_fields) - {"seed", "max_rank"},
            "a search of scales refines at one rank with the usual settings",
        ),
    ),
    "cases": JobEntry(
        "batching",
        {"device": "many input functions are refined on the processor"}
        | dict.fromkeys(
            ("source", "scaling", "sketch_dtype", "basis_points", "layers"),
            "many input functions share one subspace of branch and trunk, which is built in its own way",
        )
        | _SMOOTHED_ALONE
        | {
            "gauss_newton": "each of many input functions takes its own number of steps",
            "memory_budget": "many input functions are refined one after the other, without a plan for the memory",
        },
    ),
}

_NO_SKETCH = dict.fromkeys(
    ("power_iterations", "sketch", "sketch_dtype"),
    "the factored route draws its directions in another way; the strategy row-blocks or matrix-free uses it",
)
ROUTES: dict[Route, dict[str, str]] = {
    "published": dict.fromkeys(("sketch_dtype", "basis_points"), "the authors' modes do not know it"),
    "sketch": {},
    "factored": _NO_SKETCH,
    "equation-sketch": {},
    "equation-factored": _NO_SKETCH
    | dict.fromkeys(
        ("source", "basis_points"), "the factored route takes its directions from all rows of the equation's own Jacobian"
    ),
    "equation-whole": dict.fromkeys(
        ("oversampling", "power_iterations", "sketch", "sketch_dtype"),
        "the maximum rank takes in all parameters, so that there is nothing to sketch; ask for a smaller maximum rank to use it",
    ),
}  # fmt: skip


def refuse_unused(config: RefineConfig, job: Job, kind: ProblemKind) -> None:
    """Refuse settings that a job on a problem of this kind would ignore.

    Raises:
        InputError: the first of them, with the reason and what to do.
    """
    _refuse(config, {**words_of(kind).unused, **JOBS[job].unused})
    if config.rank == "knee" and job in ("iterate", "cases"):
        raise InputError(
            "is 'knee', but the rank is chosen by the residual at fresh points here; use auto or a number", key="rank"
        )
    if config.published is not None:
        _refuse(config, {"regularise": "the authors' modes know no penalty"})
    if config.regularise != "none":
        _refuse(config, {"damping": "regularise says how strong the penalty is"})
        if config.rank == "knee":
            raise InputError("is 'knee', but smoothing takes all directions; use auto or a number", key="rank")
    else:
        _refuse(config, dict.fromkeys(_OF_SMOOTHING, "only a smoothed refinement uses it; give regularise as well"))
    if config.published == 3:
        _refuse(config, {"oversampling": "mode 3 of the authors sketches as many columns as the rank"})
    if config.gauss_newton > 0:
        _refuse(config, {"damping": "Gauss-Newton steps choose a damping of their own"})


def refuse_job(job: Job, kind: ProblemKind) -> None:
    """Refuse a job that is not done with problems of this kind.

    Raises:
        InputError: it is not, with the reason.
    """
    if reason := words_of(kind).refused.get(job):
        raise InputError(reason, key="problem")


def refuse_unused_on(config: RefineConfig, route: Route) -> None:
    """The same for what the way to the basis, known only once the network is, would ignore; raises as `refuse_unused`."""
    _refuse(config, ROUTES[route])


def only_used(config: RefineConfig, job: Job, kind: ProblemKind) -> RefineConfig:
    """The settings of one job as those of another: what that does not use goes back to its default."""
    unused = {**words_of(kind).unused, **JOBS[job].unused}
    fields = RefineConfig.model_fields
    left = config.model_copy(update={name: fields[name].default for name in unused})
    if left.regularise != "none":
        return left
    return left.model_copy(update={name: fields[name].default for name in _OF_SMOOTHING})


def _refuse(config: RefineConfig, unused: Mapping[str, str]) -> None:
    for name, reason in unused.items():
        value, default = getattr(config, name), RefineConfig.model_fields[name].default
        if value != default:
            usual = "its default" if default is None else f"{default}"
            raise InputError(f"is {value}, but {reason}; leave it at {usual}", key=name)
