"""The order in which ways of taking derivatives are tried, each until it has proved itself, and why one was left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from lsr_core.errors import Cancelled, InputError, is_out_of_memory
from lsr_core.networks.functions import ParametricFunction
from lsr_core.networks.probe import Findings, where_in
from lsr_core.networks.proof import CLOSE, TOLERANCE, Reference, Twin, operator_defect, push_defect
from lsr_core.networks.pushes import IN_WORDS, WAYS
from lsr_core.networks.strategies import ROUTES, Strategy

SINGLE_TOLERANCE = 1e-4  # where forward holds single precision, or may


@dataclass(frozen=True)
class Left:
    """A way that was tried and not taken.

    Attributes:
        route: in words.
        reason: in the user's terms, a clause.
    """

    route: str
    reason: str

    def __str__(self) -> str:
        return f"{self.route}: {self.reason}"


@dataclass(frozen=True)
class Proved:
    """The first strategy that is right, its function, how far it was off plain reverse mode, and what was left before it.

    Attributes:
        notes: sentences about what the refinement leaves as it is.
    """

    strategy: Strategy
    defect: float
    left: tuple[Left, ...]
    notes: tuple[str, ...] = ()


class Unproved(Exception):
    """A way gives products that plain reverse mode does not give."""


def prove(
    candidates: Callable[[ParametricFunction], Iterable[Strategy]],
    function: ParametricFunction,
    reference: Reference,
    findings: Findings,
    *,
    sample_wise: bool,
    twin: Twin | None = None,
    fits: Callable[[Strategy], str | None] = lambda _: None,
) -> Proved | tuple[Left, ...]:
    """The first of the candidates that agrees with plain reverse mode; or, if none does, what was wrong with each.

    Args:
        candidates: strategies for a function, in the order in which they are wanted.
        twin: the function in float64, whose products by this way of taking J v must be right too.
        fits: why a strategy cannot be afforded, or None; the first one is taken as it is.
    """
    left: dict[str, str] = {}
    allowed = tolerance(function, findings)
    for way in WAYS:
        here = function.by("batch-rows" if way == "rows" and not sample_wise else way)
        try:
            defect = within(push_defect(here, reference), allowed)
            if twin is not None:
                within(twin.defect(here.derivatives), SINGLE_TOLERANCE)
        except Exception as error:
            passed_on(error)
            left.setdefault(IN_WORDS[way], reason_of(error, findings))
            continue
        for number, strategy in enumerate(candidates(here)):
            route = route_of(strategy)
            if number > 0 and (too_much := fits(strategy)):
                left.setdefault(route, too_much)
                continue
            try:
                operator, kind = strategy.at(reference.inputs), ROUTES[strategy.name]
                found = operator_defect(operator, reference, wide=kind.wide, rows=kind.rows)
                defect = max(defect, within(found, allowed))
            except Exception as error:
                passed_on(error)
                left.setdefault(route, reason_of(error, findings))
                continue
            reasons = tuple(Left(name, why) for name, why in left.items() if name != route)
            return Proved(
                strategy if not left else replace(strategy, reason=_reason(strategy, way, left)), defect, reasons
            )
    return tuple(Left(name, why) for name, why in left.items())


def _reason(strategy: Strategy, way: str, left: dict[str, str]) -> str:
    first, why = next(iter(left.items()))
    taken = f", with J v by {IN_WORDS[way]}" if way != "forward" else ""  # type: ignore[index]
    return f"right for this network where {first} is not: {why}{taken}"


def in_order(first: Strategy, wanted: str, *, sample_wise: bool) -> Iterator[Strategy]:
    """A strategy, and those that may take its place, route by route."""
    yield first
    if first.name != "matrix-free" and wanted != "factored":
        for route in ROUTES.values():
            yield from route.stand_ins(first, wanted)


def route_of(strategy: Strategy) -> str:
    """A strategy in words that tell its ways of making rows apart."""
    return ROUTES[strategy.name].words(strategy)


def tolerance(function: ParametricFunction, findings: Findings) -> float:
    """What two right ways may differ by, relative: 2e-11 in float64, 1e-2 in float32."""
    allowed = TOLERANCE * torch.finfo(function.dtype).eps
    return max(allowed, SINGLE_TOLERANCE) if findings.single else allowed


def within(defect: float, allowed: float) -> float:
    """The defect.

    Raises:
        Unproved: it is larger than allowed.
    """
    if not defect <= allowed:
        raise Unproved(f"its products differ from those of plain reverse mode by {defect:.1e}")
    return defect


def passed_on(error: Exception) -> None:
    """Raise what is no fault of a route: a cancelled job, memory."""
    if isinstance(error, Cancelled) or is_out_of_memory(error):
        raise error


_KNOWN: tuple[tuple[str, str], ...] = (
    (r"setup_context", "a custom autograd.Function has no setup_context, which every transform of torch asks for"),
    (r"generate_vmap_rule", "a custom autograd.Function has no rule for many samples at a time"),
    (r"jvp.{0,40}custom|implement.{0,20}jvp", "a custom autograd.Function has no forward derivative"),
    (r"forward AD with (?:aten::)?_?(\w+?)(?:_interface|_forward|_backward)? ", "forward mode is not defined for {0}"),
    (r"derivative for '?(?:aten::)?_?(\w+)'? is not implemented", "the backward pass of {0} cannot be differentiated"),
    (
        r"vmap: inplace arithmetic",
        "a tensor made inside forward is filled in place, which does not go for many samples at a time",
    ),
    (
        r"[Bb]atching rule not implemented for (?:aten::)?_?(\w+)",
        "{0} does not go for many samples at a time",
    ),
    (
        r"doesn't match the broadcast shape",
        "an operation there changes a tensor in place, which does not go for many samples at a time",
    ),
    (r"modified by an inplace operation", "a value that the backward pass needs is changed in place"),
    (
        r"\.item\(\)|data-dependent|Boolean value|control flow",
        "forward reads numbers out of tensors, which does not go for many samples at a time",
    ),
    (
        r"once_differentiable|backward pass cannot be differentiated",
        "the backward pass of a custom function cannot be differentiated",
    ),
    (r"storage.{0,60}functorch|functorch.{0,60}storage", "forward leaves torch (NumPy or another library)"),
    (r"randomness", "forward draws random numbers"),
)


def reason_of(error: Exception, findings: Findings) -> str:
    """Why a way was left, in the user's terms; no message of torch's own."""
    if isinstance(error, Unproved) and findings.hooked:
        return f"a hook on {findings.hooked} changes what passes, and {error}"
    if isinstance(error, Unproved):
        if findings.in_place:
            return f"a value is changed in place at {findings.in_place}, and {error}"
        return str(error)
    if isinstance(error, InputError):
        return error.message
    if known := _known(error):
        return known + where_in(error)
    if findings.in_place:
        return f"a value is changed in place at {findings.in_place}"
    return f"torch does not offer it for what is done{where_in(error) or ' inside forward'} ({type(error).__name__})"


def _known(error: Exception) -> str:
    """What torch says of an operation that it does not offer, as a clause; empty where it says something else."""
    said = " ".join(str(error).split())
    found = ((words, re.search(pattern, said)) for pattern, words in _KNOWN)
    return next((words.format(*match.groups()) for words, match in found if match), "")


@contextmanager
def in_words() -> Iterator[None]:
    """Within, what torch says about an operation that it does not offer comes as an `InputError` in the user's terms.

    So does what the user's own code raises, with its line and its words; what is raised elsewhere passes as it is.
    """
    try:
        yield
    except (NotImplementedError, RuntimeError) as error:
        if isinstance(error, (torch.OutOfMemoryError, torch.linalg.LinAlgError)):  # type: ignore[attr-defined]
            raise
        if not (_known(error) or isinstance(error, NotImplementedError)):
            where = where_in(error)
            if not where:
                raise
            said = " ".join(str(error).split())[:200]
            raise InputError(f"fails on the way{where}: {type(error).__name__}, {said}") from error
        raise InputError(
            f"fails on the way: {reason_of(error, Findings())}; strategy matrix-free asks the least of it", key="model"
        ) from error


def refuse_severed(findings: Findings, reference: Reference | None) -> None:
    """Refuse outputs that no gradient connects with the parameters, or that these do not move.

    Raises:
        InputError: naming the line.
    """
    if reference is not None and findings.severed is None and not bool((reference.pulled != 0).any()):
        raise InputError(
            "the derivatives of the outputs by the parameters that may change are exactly zero at the samples that were tried, so that there is no "
            "direction to refine in; units that are dead or saturated there do that, inputs that are all zero, or a normalisation "
            "over a single value",
            key="model",
        )
    if reference is None or not bool((reference.pulled != 0).any()):
        why = findings.severed or "nothing inside forward uses them in a way that has a gradient"
        raise InputError(f"the outputs do not depend on the parameters: {why}; leave that out", key="model")


def refuse_wrong_gradient(defect: float, findings: Findings, dtype: torch.dtype) -> None:
    """Refuse a backward pass that does not belong to the outputs.

    Raises:
        InputError: naming what is to blame.
    """
    if defect <= CLOSE.get(dtype, CLOSE[torch.float32]):
        return
    if findings.severed:
        raise InputError(
            f"part of the outputs is cut off from the parameters: {findings.severed}; their gradient is then not that of the outputs "
            f"(off by {defect:.0%}), so leave that out or freeze those parameters (requires_grad_(False))",
            key="model",
        )
    raise InputError(
        f"the gradient is not that of the outputs, which change by other amounts (off by {defect:.0%}); "
        "a custom function in it has a wrong gradient, or rounds its values",
        key="model",
    )
